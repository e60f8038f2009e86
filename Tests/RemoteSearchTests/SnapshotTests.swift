import Embedding
import Foundation
import Model
import Search
import Synchronization
import TestSupport
import Testing

@testable import RemoteSearch

/// A search over entries that were fetched, with a model that counts what it is asked.
@Suite(.timeLimit(.minutes(10))) struct SnapshotTests {
    /// A direction for each of a few words.
    private final class WordModel: Embedder {
        static let words = ["wake", "batch", "fair", "cache", "queue", "deadline"]
        let identity = EmbeddingIdentity(name: "words", digest: String(repeating: "d", count: 64), dimensions: 7)
        let asked = Mutex(0)

        func vectors(for texts: [String]) async throws(Failure) -> [[Float]] {
            asked.withLock { $0 += texts.count }
            return texts.map { text in
                let text = text.lowercased()
                let counts = Self.words.map { Float(text.components(separatedBy: $0).count - 1) } + [0.1]
                let length = counts.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return counts.map { $0 / length }
            }
        }
    }

    private static func record(_ id: Int64, _ name: String, _ summary: String) throws -> (
        record: EntryRecord, outcomes: [Outcome]
    ) {
        let entry = PolicyEntry(
            key: try EntryKey("\(name)@1.0.0"), summary: summary, description: "It is for \(summary).",
            algorithm: "a list",
            license: "GPL-2.0-only", notFor: ["anything else"], kernelMinimum: "6.12",
            artifact: String(repeating: "0", count: 64), provenance: Provenance(.person, maker: "ann"))
        return (EntryRecord(id: id, entry: entry, status: .verified, addedAt: 1, isNewest: true), [])
    }

    private static func entries() throws -> [(record: EntryRecord, outcomes: [Outcome])] {
        [
            try record(1, "quick", "fast wakeups of waking tasks"), try record(2, "bulk", "batch jobs in batches"),
            try record(3, "even", "fair and fairest shares"), try record(4, "near", "cache to cache"),
            try record(5, "fifo", "one queue"), try record(6, "edf", "every deadline"),
        ]
    }

    @Test func wordsAndMeaningFindTheEntry() async throws {
        let folder = try TemporaryFolder()
        let cache = try #require(VectorFolder(environment: ["XDG_CACHE_HOME": folder.path]))
        let model = WordModel()
        let engine = SearchEngine(store: SnapshotStore(try Self.entries(), cache: cache), embedder: model)
        #expect(try await engine.makeVectors() == 6)
        for (text, name) in [
            ("a batch of builds", "bulk"), ("wake at once", "quick"), ("meet a deadline", "edf"), ("fifo", "fifo"),
        ] {
            let result = try await engine.search(try SearchQuery(text))
            #expect(result.hits.first?.record.entry.key.name.text == name, "\(text)")
            #expect(result.wordsOnly == nil)
        }
        let words = SearchEngine(store: SnapshotStore(try Self.entries(), cache: nil), embedder: nil)
        let hits = try await words.search(try SearchQuery("shares for anything")).hits
        #expect(hits.map(\.record.entry.key.name.text) == ["even"])
        #expect(hits.first?.terms == ["shares"])
    }

    @Test func whatTheModelMadeIsKept() async throws {
        let folder = try TemporaryFolder()
        let cache = try #require(VectorFolder(environment: ["HOME": folder.path]))
        let first = WordModel()
        _ = try await SearchEngine(store: SnapshotStore(try Self.entries(), cache: cache), embedder: first)
            .makeVectors()
        let asked = first.asked.withLock { $0 }
        #expect(asked > 6)
        let kept = folder.names(".cache/schedcp/embeddings")
        #expect(kept.count == 6)
        let second = WordModel()
        let engine = SearchEngine(store: SnapshotStore(try Self.entries(), cache: cache), embedder: second)
        #expect(try await engine.makeVectors() == 0)
        #expect(try await engine.search(try SearchQuery("fair")).hits.first?.record.entry.key.name.text == "even")
        #expect(second.asked.withLock { $0 } == 1)
        // What is damaged is made again.
        try folder.write([1, 2, 3], to: ".cache/schedcp/embeddings/" + kept[0])
        var bytes = folder.bytes(".cache/schedcp/embeddings/" + kept[1])
        bytes[bytes.count - 1] ^= 1
        try folder.write(bytes, to: ".cache/schedcp/embeddings/" + kept[1])
        let third = SearchEngine(store: SnapshotStore(try Self.entries(), cache: cache), embedder: WordModel())
        #expect(try await third.makeVectors() == 2)
    }

    @Test func rareWordsCountMore() throws {
        let all = try Self.entries().map { EntryWords($0.record.entry) }
        let statistics = WordStatistics(all)
        #expect(statistics.entries(with: "it") == 6 && statistics.entries(with: "cache") == 1)
        let rare = statistics.score(["cache"], in: all[3], .standard)
        #expect(rare > statistics.score(["it"], in: all[3], .standard))
        // In the summary it counts more than in the description.
        #expect(all[3].weighed("cache", .standard) == 2 * 3 + 2 * 1)
    }

    @Test func withoutAHomeNothingIsKept() {
        #expect(VectorFolder(environment: [:]) == nil)
        #expect(VectorFolder(environment: ["XDG_CACHE_HOME": "relative"]) == nil)
    }
}
