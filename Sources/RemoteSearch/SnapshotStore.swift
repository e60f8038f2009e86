// RemoteSearch: a search over entries that a client has fetched from the daemon, for a model that the daemon has not: a
// service for embeddings. What the model made is kept in a folder of the user, so that each entry is sent to it once.

import Crypto
import FoundationEssentials
package import Model
import Search
import Synchronization

/// Entries in memory, as they were when they were fetched.
package final class SnapshotStore: SearchStore {
    private struct Document {
        let record: EntryRecord
        let outcomes: [Outcome]
        let words: EntryWords
        let digest: String
    }

    private let documents: [Int64: Document]
    private let ids: [Int64]
    private let texts: WordStatistics
    private let cache: VectorFolder?
    private let made = Mutex<[String: [Int64: [UInt8]]]>([:])

    /// - Parameter entries: those that the daemon's own filter let through.
    package init(_ entries: [(record: EntryRecord, outcomes: [Outcome])], cache: VectorFolder?) {
        documents = Dictionary(
            entries.map { one in
                let entry = one.record.entry
                let document = Document(
                    record: one.record, outcomes: one.outcomes, words: EntryWords(entry), digest: Self.digest(entry))
                return (one.record.id, document)
            }, uniquingKeysWith: { first, _ in first })
        ids = documents.keys.sorted()
        texts = WordStatistics(documents.values.map(\.words))
        self.cache = cache
    }

    /// Of everything that a model is given.
    private static func digest(_ entry: PolicyEntry) -> String {
        var hash = SHA256()
        for passage in Passages.of(entry) { hash.update(data: Data("\(passage.role.rawValue) \(passage.text)\n".utf8)) }
        return Hex.text(hash.finalize())
    }

    package var generation: Int64 { get async throws(Failure) { Int64(ids.count) } }

    package func entries(ids: [Int64], filter: EntryFilter) async throws(Failure) -> [EntryRecord] {
        ids.compactMap { documents[$0]?.record }
    }

    package func matches(
        _ text: String, filter: EntryFilter, weights: TextWeights, part: Double, limit: Int
    ) async throws(Failure) -> [TextMatch] {
        let terms = EntryWords.split(text)
        let matches = documents.values.compactMap { document -> TextMatch? in
            let found = terms.filter { document.words.count($0) > 0 }
            guard !found.isEmpty else { return nil }
            let score = texts.score(found, in: document.words, weights)
            return TextMatch(id: document.record.id, score: score, terms: found)
        }
        return Array(matches.sorted { ($0.score, $1.id) > ($1.score, $0.id) }.prefix(limit))
    }

    package func frequency(of words: [String]) async throws(Failure) -> [String: Int] {
        Dictionary(words.map { ($0, texts.entries(with: $0)) }, uniquingKeysWith: { first, _ in first })
    }

    package func outcomes(of id: Int64, limit: Int) async throws(Failure) -> [Outcome] {
        Array((documents[id]?.outcomes ?? []).prefix(limit))
    }

    package func nearest(
        to profile: WorkloadProfile, machine: MachineShape?, filter: EntryFilter, limit: Int
    ) async throws(Failure) -> [NearOutcome] {
        throw Failure(.invalidArgument, "workloads are compared by the daemon, which has what was measured")
    }

    package func lacking(model: String, limit: Int) async throws(Failure) -> [EntryDocument] {
        var lacking: [EntryDocument] = []
        for id in ids where lacking.count < limit {
            guard let document = documents[id], vectors(id, document, model) == nil else { continue }
            lacking.append(EntryDocument(id: id, digest: document.digest, entry: document.record.entry))
        }
        return lacking
    }

    package func store(_ vectors: [UInt8], for document: EntryDocument, model: String) async throws(Failure) {
        made.withLock { $0[model, default: [:]][document.id] = vectors }
        cache?.keep(vectors, document: document.digest, model: model)
    }

    package func vectors(model: String, after id: Int64, limit: Int) async throws(Failure) -> [EntryVectors] {
        let wanted = ids.filter { $0 > id }
        return Array(wanted.lazy.compactMap { self.stored($0, model) }.prefix(limit))
    }

    package func vectors(model: String, ids: [Int64]) async throws(Failure) -> [EntryVectors] {
        ids.compactMap { stored($0, model) }
    }

    /// Each has a place of its own, and the folder may be removed at any time.
    package func forgetVectors(except model: String) async throws(Failure) {}

    private func stored(_ id: Int64, _ model: String) -> EntryVectors? {
        guard let document = documents[id], let bytes = vectors(id, document, model) else { return nil }
        return EntryVectors(id: id, vectors: bytes)
    }

    private func vectors(_ id: Int64, _ document: Document, _ model: String) -> [UInt8]? {
        if let bytes = made.withLock({ $0[model]?[id] }) { return bytes }
        guard let bytes = cache?.find(document: document.digest, model: model) else { return nil }
        made.withLock { $0[model, default: [:]][id] = bytes }
        return bytes
    }
}
