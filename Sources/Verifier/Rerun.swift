import Linux
package import Model

/// An earlier verification, done again.
package struct RerunComparison: Hashable, Sendable {
    package struct Difference: Hashable, Sendable {
        /// Nil for what concerns the whole run.
        package var stage: VerificationStage?
        /// One sentence.
        package var text: String
        /// It changes what is to be thought of the candidate; else it is only the surroundings that differ.
        package var matters: Bool
    }

    /// What the earlier run left: its stages without their logs, as far as the evidence is still there.
    package var earlier: VerificationReport
    package var now: VerificationReport
    package var differences: [Difference]

    /// The same artifact, verdicts and findings.
    package var agrees: Bool { !differences.contains(where: \.matters) }
}

extension Verifier {
    /// Does again what evidence is about, and compares. `digests` are those of one run: its id, or the bundles of its
    /// stages as an attestation names them. An id may be cut to its first 8 digits or more.
    ///
    /// Throws `.notFound` where the evidence is not kept here, `.malformedObject` where it is damaged.
    package func rerun(
        _ digests: [String], events: @escaping @Sendable (VerificationEvent) -> Void = { _ in }
    ) async throws(Failure) -> RerunComparison {
        let (request, earlier) = try earlierRun(digests)
        let now = try await run(request, events: events)
        return RerunComparison(earlier: earlier, now: now, differences: Self.compare(earlier, now))
    }

    /// The request that evidence is about, and what came of it.
    package func earlierRun(
        _ digests: [String]
    ) throws(Failure) -> (request: VerificationRequest, report: VerificationReport) {
        guard let store else {
            throw Failure(.notFound, "no evidence is kept here", hint: "name its folder")
        }
        var earlier: VerificationReport?
        var stages: [StageReport] = []
        var record: RequestRecord?
        for digest in digests.compactMap({ store.folder.whole($0) }) {
            if let run = store.run(digest) {
                earlier = run.report
                earlier?.id = digest
                record = store.request(run.request)
            } else if let bundle = store.bundle(digest) {
                stages.append(bundle.report)
                record = record ?? store.request(bundle.request)
            }
        }
        guard let record else {
            throw Failure(
                .notFound,
                "there is no whole evidence of \(digests.joined(separator: ", ").quotedForDisplay(limit: 80))",
                hint: "evidence stays with the verifier that made it and the oldest is removed; "
                    + "--evidence names another folder")
        }
        guard let bytes = store.folder.blob(record.candidate) else {
            throw Failure(
                .malformedObject, "the evidence lacks the candidate itself", hint: "verify the candidate's file again")
        }
        var report = earlier ?? VerificationReport(name: record.name, effort: record.effort)
        if earlier == nil {
            report.stages = stages.sorted { $0.stage < $1.stage }
            report.kernel = record.kernel
            report.versions = record.toolchain
            for digest in digests { if let bundle = store.bundle(digest) { report.take(bundle) } }
        }
        return (try record.request(bytes: bytes), report)
    }

    static func compare(
        _ earlier: VerificationReport, _ now: VerificationReport
    ) -> [RerunComparison.Difference] {
        var result: [RerunComparison.Difference] = []
        func add(_ stage: VerificationStage?, matters: Bool = true, _ text: String) {
            result.append(.init(stage: stage, text: text, matters: matters))
        }
        if earlier.artifact != now.artifact {
            add(.compile, "the object was \(short(earlier.artifact)) and is \(short(now.artifact))")
        }
        if earlier.kernel?.buildID != now.kernel?.buildID || earlier.kernel?.btfDigest != now.kernel?.btfDigest {
            add(nil, matters: false, "the kernel was \(name(earlier.kernel)) and is \(name(now.kernel))")
        }
        for tool in Set(earlier.versions.keys).union(now.versions.keys).sorted()
        where earlier.versions[tool] != now.versions[tool] {
            let (was, isNow) = (earlier.versions[tool] ?? "none", now.versions[tool] ?? "none")
            add(nil, matters: false, "\(tool) was \(was) and is \(isNow)")
        }
        for stage in now.stages {
            guard let before = earlier.stage(stage.stage) else {
                add(stage.stage, matters: false, "its earlier evidence is not there to be compared")
                continue
            }
            if before.verdict != stage.verdict {
                add(stage.stage, "it was \(before.verdict.rawValue) and is \(stage.verdict.rawValue)")
            }
            let (old, new) = (Set(before.findings.map(Self.essence)), Set(stage.findings.map(Self.essence)))
            for finding in old.subtracting(new).sorted() { add(stage.stage, "no longer found: \(finding)") }
            for finding in new.subtracting(old).sorted() { add(stage.stage, "newly found: \(finding)") }
        }
        return result
    }

    /// What has to be the same the second time. A trial's messages have measured figures in them.
    private static func essence(_ finding: Finding) -> String {
        let place = finding.location.map { "\($0.file):\($0.line): " } ?? ""
        guard finding.stage < .dynamic else {
            return "\(finding.severity.rawValue) [\(finding.check)] \(finding.operation)"
        }
        return "\(place)\(finding.severity.rawValue): \(finding.message) [\(finding.check)]"
    }

    private static func short(_ digest: String) -> String { digest.isEmpty ? "none" : digest.prefix(12) + "…" }

    private static func name(_ kernel: VerifiedKernel?) -> String {
        kernel.map { "\($0.release) (build \($0.buildID.prefix(12))…)" } ?? "unknown"
    }
}

extension VerificationReport {
    /// What a stage's bundle says of the run.
    fileprivate mutating func take(_ bundle: StageBundle) {
        if bundle.report.stage == .compile {
            artifact = bundle.output
            source = bundle.input
        } else if artifact.isEmpty {
            artifact = bundle.input
        }
        versions.merge(bundle.versions) { $1 }
    }
}

extension EvidenceFolder {
    /// The digest that begins so; nil where none or several do.
    func whole(_ beginning: String) -> String? {
        let text = beginning.lowercased()
        if Self.isDigest(text) { return text }
        guard text.utf8.count >= 8, text.utf8.count < 64, Self.isDigest(text.padded(to: 64)) else { return nil }
        let found = ((try? Folder.names("\(path)/blobs", limit: 1 << 20)) ?? []).filter { $0.hasPrefix(text) }
        return found.count == 1 ? found[0] : nil
    }
}

extension String {
    fileprivate func padded(to length: Int) -> String { self + String(repeating: "0", count: length - utf8.count) }
}
