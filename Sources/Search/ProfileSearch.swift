package import Model

/// Entries that did well under workloads like this one.
extension SearchEngine {
    package static let maxNear = 200

    /// Ranks by the mean of what was surely gained in the nearest outcomes, each weighed by how like the workload and the
    /// machine are, so that a few distant measurements count little. Entries that nothing was measured of are not there.
    package func search(
        profile: WorkloadProfile, machine: MachineShape?, filter: EntryFilter = EntryFilter(), limit: Int = 10
    ) async throws(Failure) -> [ProfileHit] {
        guard (1...SearchQuery.maxHits).contains(limit) else {
            throw Failure(.invalidArgument, "the limit \(limit) is not within 1...\(SearchQuery.maxHits)")
        }
        try filter.check()
        let near = try await near(profile, machine, filter).filter(\.outcome.origin.isEvidence)
        let byEntry = Dictionary(grouping: near, by: \.id)
        let records = try await records(Array(byEntry.keys), filter)
        let hits = records.compactMap { record in
            byEntry[record.id].map { ProfileHit(record: record, near: $0) }
        }
        return Array(hits.sorted { ($0.score, $1.record.id) > ($1.score, $0.record.id) }.prefix(limit))
    }
}

/// An entry with what was measured under workloads like the one in question.
package struct ProfileHit: Hashable, Sendable {
    package let record: EntryRecord
    /// log2 of the gain to be expected; negative where it did harm.
    package let score: Double
    /// Nearest first.
    package let near: [NearOutcome]

    /// As if one measurement of the same workload on the same machine had shown no effect: what has little behind it stays
    /// near 0.
    static let doubt = 1.0

    init(record: EntryRecord, near: [NearOutcome]) {
        self.record = record
        let weighed = near.map { ($0, $0.profileSimilarity * $0.profileSimilarity * $0.machineSimilarity) }
            .sorted { $0.1 > $1.1 }
        self.near = weighed.map(\.0)
        let sum = weighed.reduce(0) { $0 + $1.1 * Ranking.sureGain($1.0.outcome.effect) }
        score = sum / (weighed.reduce(0) { $0 + $1.1 } + Self.doubt)
    }
}
