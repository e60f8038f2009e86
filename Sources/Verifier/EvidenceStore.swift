import FoundationEssentials
import Linux
import Model

/// What verifications left behind, and the answers to come from it. Evidence is a convenience to who asks again: where it
/// cannot be read or written the verification goes on without, and says so in the report's `versions`.
struct EvidenceStore: Sendable {
    let folder: EvidenceFolder
    let maxBytes: Int

    /// The answer to a request of this key, whole and undamaged; else nil.
    func answer(to key: String) -> VerificationReport? {
        guard let id = folder.run(forKey: key), var report = run(id)?.report else { return nil }
        guard let whole = withLogs(report) else { return nil }
        report = whole
        if !report.artifact.isEmpty {
            guard let object = folder.blob(report.artifact) else { return nil }
            report.object = object
        }
        report.id = id
        report.isFromEvidence = true
        report.cpuNanoseconds = 0
        // It was of use: let others be removed first.
        try? folder.setKey(key, to: id)
        return report
    }

    func run(_ id: String) -> RunRecord? {
        guard let bytes = folder.blob(id), let record = CanonicalJSON.decode(RunRecord.self, bytes),
            record.format == RunRecord.format
        else { return nil }
        return record
    }

    func bundle(_ digest: String) -> StageBundle? {
        guard let bytes = folder.blob(digest), let bundle = CanonicalJSON.decode(StageBundle.self, bytes),
            bundle.format == StageBundle.format
        else { return nil }
        return bundle
    }

    func request(_ digest: String) -> RequestRecord? {
        folder.blob(digest).flatMap { CanonicalJSON.decode(RequestRecord.self, $0) }
    }

    /// The report with the logs of its stages, each checked against the bundle that the report names.
    private func withLogs(_ report: VerificationReport) -> VerificationReport? {
        var report = report
        for index in report.stages.indices {
            let stage = report.stages[index]
            guard let digest = report.evidence[stage.stage.rawValue], let bundle = bundle(digest),
                bundle.report == stage, let log = folder.blob(bundle.log)
            else { return nil }
            report.stages[index].log = String(decoding: log, as: UTF8.self)
        }
        return report
    }

    /// Writes a run, its blobs first, then the key that leads to it; makes room first. A key is left out for a run that
    /// must not be an answer.
    func keep(_ run: [UInt8], id: String, blobs: [String: [UInt8]], key: String?) async throws(Failure) {
        do throws(SystemError) {
            let lock = try await Self.lock(folder.path)
            defer { withExtendedLifetime(lock) {} }
            makeRoom(for: blobs.values.reduce(run.count) { $0 + $1.count }, keeping: Set(blobs.keys))
            try folder.put(blobs)
            try folder.put([id: run])
            try folder.setKey(key ?? id, to: id)
        } catch {
            throw Failure(
                .storage, "the evidence was not kept: \(error)",
                hint: "verdicts hold without it; see that \(folder.path) can be written and has room")
        }
    }

    /// Waits a moment for another process that stores or removes.
    private static func lock(_ path: String) async throws(SystemError) -> FolderLock {
        for _ in 0..<50 {
            do { return try FolderLock(path) } catch {
                guard error.isHeldByAnother else { throw error }
                try? await Task.sleep(for: .milliseconds(100))
            }
        }
        return try FolderLock(path)
    }

    /// Removes the oldest runs until `count` more bytes fit, and every blob that no run of the rest names.
    private func makeRoom(for count: Int, keeping: Set<String>) {
        let blobs = sizes(in: "blobs")
        var total = blobs.values.reduce(count) { $0 + $1.bytes }
        guard total > maxBytes else { return }
        // Well below the limit, so that the next run need not do this again.
        let goal = maxBytes / 10 * 8
        var uses: [String: Int] = [:]
        var runs: [(key: String, age: Date, blobs: [String])] = []
        for (key, facts) in sizes(in: "keys") {
            let id = folder.run(forKey: key) ?? ""
            let named = run(id).map { Array($0.blobs.keys) + [id] } ?? []
            for blob in named { uses[blob, default: 0] += 1 }
            runs.append((key, facts.changed, named))
        }
        for (blob, facts) in blobs where uses[blob] == nil && !keeping.contains(blob) {
            remove("blobs/\(blob)")
            total -= facts.bytes
        }
        for run in runs.sorted(by: { $0.age < $1.age }) {
            guard total > goal else { return }
            remove("keys/\(run.key)")
            for blob in run.blobs {
                uses[blob, default: 0] -= 1
                guard uses[blob] == 0, !keeping.contains(blob) else { continue }
                remove("blobs/\(blob)")
                total -= blobs[blob]?.bytes ?? 0
            }
        }
    }

    private func remove(_ name: String) { HostFile.remove("\(folder.path)/\(name)") }

    private func sizes(in name: String) -> [String: (bytes: Int, changed: Date)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/\(name)")) ?? []
        var result: [String: (bytes: Int, changed: Date)] = [:]
        for file in names {
            let facts = try? FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)/\(file)")
            result[file] = (facts?[.size] as? Int ?? 0, facts?[.modificationDate] as? Date ?? .distantPast)
        }
        return result
    }
}
