package import Model

/// What became of the installed schedulers and primitives when they were taken in.
package struct IntakeReport: Hashable, Sendable {
    package var added: [EntryKey] = []
    /// What could not be taken in, and why: one line each.
    package var problems: [String] = []

    package init() {}
}

extension PolicyRepository {
    /// Adds what is installed and not here yet, primitives first. What is here already stays as it is.
    package func takeIn(_ catalog: Catalog, at now: Int64) async throws(Failure) -> IntakeReport {
        var report = IntakeReport()
        let primitives = Self.inOrder(Array(catalog.primitives.values))
        for policy in primitives + catalog.sorted {
            let kind: EntryKind = catalog.primitives[policy.name] == nil ? .scheduler : .primitive
            do throws(Failure) {
                let entry = try await shipped(policy, kind, catalog.sources[policy.name])
                if try await isMissing(entry) {
                    try await add(entry, at: now)
                    report.added.append(entry.key)
                }
            } catch {
                // Of the disk, not of the entry.
                if error.code == .storage { throw error }
                report.problems.append("\(policy.name): \(error.message)")
            }
        }
        return report
    }

    private func isMissing(_ entry: PolicyEntry) async throws(Failure) -> Bool {
        let there: PolicyEntry
        do throws(Failure) { there = try await self.entry(entry.key).entry } catch {
            if error.code == .notFound { return true }
            throw error
        }
        var wanted = entry
        // Where it comes from depends on what was there before it.
        wanted.provenance = there.provenance
        guard there == wanted else {
            throw Failure(
                .invalidArgument, "\(entry.key) is in the repository with another content",
                hint: "what changes gets a new version")
        }
        return false
    }

    private func shipped(
        _ policy: SchedulerPolicy, _ kind: EntryKind, _ source: SourceText?
    ) async throws(Failure) -> PolicyEntry {
        let key = EntryKey(policy.name, try SemanticVersion(policy.version))
        let before = try await versions(of: policy.name).first { $0.entry.key < key }?.entry.key
        return PolicyEntry(
            key: key, kind: kind, summary: policy.summary, description: policy.description,
            algorithm: policy.algorithm, license: policy.license, targetWorkloads: policy.targetWorkloads,
            notFor: policy.notFor, targets: policy.targets, parameters: policy.parameters, counters: policy.counters,
            queues: policy.queues, hints: policy.hints, features: policy.features, uses: policy.uses,
            kernelMinimum: policy.kernelMinimum,
            promises: policy.promises, source: source, artifact: policy.artifact,
            provenance: Provenance(
                .shipped, maker: "SchedCP", parent: before,
                change: before.map { "the next version after \($0.version)" } ?? ""))
    }

    /// Each after those that it uses; those in a circle at the end, where the repository refuses them.
    private static func inOrder(_ policies: [SchedulerPolicy]) -> [SchedulerPolicy] {
        var left = policies.sorted { $0.name.text < $1.name.text }
        var ordered: [SchedulerPolicy] = []
        while !left.isEmpty {
            let waiting = Set(left.map(\.name))
            let free = left.filter { waiting.isDisjoint(with: $0.uses) }
            if free.isEmpty { break }
            ordered += free
            left.removeAll { policy in free.contains { $0.name == policy.name } }
        }
        return ordered + left
    }
}
