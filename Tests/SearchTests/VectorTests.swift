import Embedding
import Model
import Synchronization
import Testing

@testable import Search

/// Vectors are made once, kept by the store, and made again for another model.
@Suite struct VectorTests {
    private static let name = "words/" + Passages.scheme

    @Test func eachEntryIsReadOnce() async throws {
        let store = MemoryStore()
        try EngineTests.library(store)
        let engine = SearchEngine(store: store, embedder: WordModel())
        #expect(try await engine.makeVectors(most: 3) == 3 && store.vectorCount(Self.name) == 3)
        #expect(try await engine.makeVectors() == 1)
        #expect(try await engine.makeVectors() == 0 && store.vectorCount(Self.name) == 4)
    }

    @Test func whatIsAddedLaterIsFound() async throws {
        let store = MemoryStore()
        try EngineTests.library(store)
        let engine = SearchEngine(store: store, embedder: WordModel())
        try await engine.makeVectors()
        let query = try SearchQuery("watts", means: .sentences)
        #expect(try await engine.search(query).hits.first?.record.entry.key.name.text == "saver")
        let new = store.add(try Samples.entry("new", "watts"))
        #expect(try await engine.search(query).hits.contains { $0.record.id == new.id } == false)
        try await engine.makeVectors()
        #expect(try await engine.search(query).hits.first?.record.id == new.id)
    }

    @Test func anotherModelMakesItsOwn() async throws {
        let store = MemoryStore()
        try EngineTests.library(store)
        try await SearchEngine(store: store, embedder: WordModel()).makeVectors()
        let engine = SearchEngine(store: store, embedder: WordModel("other"))
        #expect(try await engine.search(SearchQuery("watts", means: .sentences)).hits.isEmpty)
        #expect(try await engine.makeVectors() == 4)
        try await engine.forgetOtherModels()
        #expect(store.vectorCount(Self.name) == 0 && store.vectorCount("other/" + Passages.scheme) == 4)
        #expect(try await engine.search(SearchQuery("watts", means: .sentences)).hits.count == 4)
    }

    @Test(arguments: [[], [9], [0, 1, 2], [200] + [UInt8](repeating: 1, count: 68)] as [[UInt8]])
    func vectorsThatCannotBeReadAreAsGoodAsMissing(_ bytes: [UInt8]) async throws {
        let store = MemoryStore()
        try EngineTests.library(store)
        let engine = SearchEngine(store: store, embedder: WordModel())
        try await engine.makeVectors()
        store.state.withLock { $0.vectors[Self.name]?[2] = bytes }
        let result = try await engine.search(SearchQuery("energy"))
        #expect(result.hits.first?.record.id == 2 && result.hits.first?.sentence == nil)
        #expect(result.hits.first?.terms == ["energy"])
    }

    @Test func manyAskAtOnce() async throws {
        let store = MemoryStore()
        for number in 0..<1200 { store.add(try Samples.entry("e\(number)", number == 700 ? "battery" : "weight")) }
        let engine = SearchEngine(store: store, embedder: WordModel())
        try await engine.makeVectors()
        let query = try SearchQuery("watts", limit: 1, means: .sentences)
        let found = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for _ in 0..<32 { group.addTask { try await engine.search(query).hits.map(\.record.id) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(found == Array(repeating: [701], count: 32))
    }

    @Test func storedVectorsComeBack() throws {
        let passages = try Passages.of(Samples.entry("a", "b", for: ["c"], not: ["d", "e"]))
        #expect(passages.map(\.role) == [.summary, .target, .antiTarget, .antiTarget])
        let vectors = (0..<4).map { [Float](repeating: $0 < 2 ? 0.25 : -0.25, count: 16) }
        let stored = SentenceVectors(passages: passages, vectors: vectors)
        let back = try SentenceVectors(stored: stored.stored, dimensions: 16)
        #expect(back.wanted == 2 && back.vectors.count == 4)
        #expect(abs(back.middle.dot(vectors[0]) - 1) < 0.001)
        #expect(throws: Failure.self) { try SentenceVectors(stored: [], dimensions: 16) }
        #expect(throws: Failure.self) { try SentenceVectors(stored: [5] + stored.stored.dropFirst(), dimensions: 16) }
    }

    @Test func whatAllHaveInCommonIsTakenAway() {
        var centre = Centre(dimensions: 2, part: 1)
        let entry = SentenceVectors(passages: [Passage(role: .summary, text: "a")], vectors: [[1, 0]])
        for _ in 1..<Centre.fewest { centre.add(entry) }
        #expect(centre.away([0.6, 0.8]) == [0.6, 0.8])
        centre.add(entry)
        let apart = centre.away([1.6, 0.8])
        #expect(abs(apart[0] - 0.6) < 1e-5 && abs(apart[1] - 0.8) < 1e-5)
    }
}
