// Search: which entries of the repository answer a question. Words (full text, BM25) and meaning (vectors of sentences) are
// put together, and what was measured counts. It runs inside schedcpd and in tools, keeps one vector of each entry in memory,
// and reads and writes everything else through SearchStore.

package import Model

/// What a search needs of the place that keeps the entries.
package protocol SearchStore: Sendable {
    /// Grows with every change of an entry.
    var generation: Int64 { get async throws(Failure) }

    /// Of these ids, the ones that are there and wanted, in any order.
    func entries(ids: [Int64], filter: EntryFilter) async throws(Failure) -> [EntryRecord]
    /// Entries with any of the words, best first; only the newest ones where `part` of all (0 to 1) is less than 1.
    func matches(
        _ text: String, filter: EntryFilter, weights: TextWeights, part: Double, limit: Int
    ) async throws(Failure) -> [TextMatch]
    /// In how many entries each word occurs; at most 32 at once.
    func frequency(of words: [String]) async throws(Failure) -> [String: Int]
    func outcomes(of id: Int64, limit: Int) async throws(Failure) -> [Outcome]
    /// Outcomes under workloads like this one, nearest first.
    func nearest(
        to profile: WorkloadProfile, machine: MachineShape?, filter: EntryFilter, limit: Int
    ) async throws(Failure) -> [NearOutcome]

    /// Entries, by id, whose words this model has not made vectors of.
    func lacking(model: String, limit: Int) async throws(Failure) -> [EntryDocument]
    func store(_ vectors: [UInt8], for document: EntryDocument, model: String) async throws(Failure)
    /// Those of entries with larger ids, in their order; an empty answer is the end, a short one is not.
    func vectors(model: String, after id: Int64, limit: Int) async throws(Failure) -> [EntryVectors]
    /// At most 1000 at once.
    func vectors(model: String, ids: [Int64]) async throws(Failure) -> [EntryVectors]
    /// Drops what other models made.
    func forgetVectors(except model: String) async throws(Failure)
}
