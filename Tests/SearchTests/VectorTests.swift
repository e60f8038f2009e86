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

    @Test func whatWasMissingIsFoundOnceItIsMade() async throws {
        let store = MemoryStore()
        try EngineTests.library(store)
        try await SearchEngine(store: store, embedder: WordModel()).makeVectors()
        _ = store.state.withLock { $0.vectors[Self.name]?.removeValue(forKey: 2) }
        let engine = SearchEngine(store: store, embedder: WordModel())
        let query = try SearchQuery("watts", means: .sentences)
        #expect(try await engine.search(query).hits.contains { $0.record.id == 2 } == false)
        #expect(try await engine.makeVectors() == 1)
        #expect(try await engine.search(query).hits.first?.record.id == 2)
    }

    @Test func whileManyHaveNoVectorsWordsDecide() async throws {
        let store = MemoryStore()
        for number in 0..<40 { store.add(try Samples.entry("e\(number)", number == 30 ? "battery" : "weight")) }
        let engine = SearchEngine(store: store, embedder: WordModel())
        try await engine.makeVectors(most: 20)
        let early = try await engine.search(SearchQuery("battery"))
        #expect(
            early.wordsOnly?.contains("being made") == true && early.hits.map(\.record.entry.key.name.text) == ["e30"])
        try await engine.makeVectors(most: 19)
        #expect(try await engine.search(SearchQuery("battery")).wordsOnly == nil)
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
        let stored = SentenceVectors.stored(passages, vectors)
        let back = try SentenceVectors(stored: stored, dimensions: 16)
        #expect(back.wanted == 2 && back.vectors.count == 4)
        #expect(abs(back.sum.normalised().dot(vectors[0]) - 1) < 0.001)
        #expect(throws: Failure.self) { try SentenceVectors(stored: [], dimensions: 16) }
        #expect(throws: Failure.self) { try SentenceVectors(stored: [5] + stored.dropFirst(), dimensions: 16) }
    }

    @Test func whatFewEntriesHaveInCommonIsNotKnown() {
        var centre = Centre(dimensions: 2, part: 0.5)
        for _ in 1..<Centre.fewest { centre.add([2, 0], of: 2) }
        #expect(centre.common.isEmpty)
        centre.add([2, 0], of: 2)
        centre.add([1, 2, 3], of: 1)
        #expect(centre.common == [0.5, 0])
    }

    /// The products that it is made of give the cosine of the differences.
    @Test(arguments: [0, 1, 3]) func whatAllHaveInCommonIsTakenAway(_ which: Int) async throws {
        let words = ["battery", "weight fair", "alpha beta", "gamma makespan", "delta"]
        let vectors = try await WordModel().vectors(for: words)
        let common = vectors[which].map { $0 * 0.6 }
        let passages = words.map { Passage(role: $0 == "delta" ? .antiTarget : .target, text: $0) }
        let stored = try SentenceVectors(stored: SentenceVectors.stored(passages, vectors), dimensions: 64)
        let asked = try await WordModel().vector(for: "battery alpha")
        let near = stored.nearness(to: Question(asked, beside: common))
        func apart(_ vector: [Float]) -> [Float] { zip(vector, common).map { $0 - $1 }.normalised() }
        for (index, vector) in vectors.enumerated() {
            let found = index < 4 ? near.wanted[index] : near.unwanted[0]
            #expect(abs(found - apart(vector).dot(apart(asked))) < 0.02, "\(words[index])")
            if index < 4 { #expect(abs(near.cosines[index] - vector.dot(asked)) < 0.01) }
        }
        #expect(stored.nearness(to: Question(asked, beside: [])).wanted == near.cosines)
    }

    /// More entries than stay in memory, asked for twice.
    @Test func whatWasReadIsReadAgainAfterItWasForgotten() async throws {
        let store = MemoryStore()
        for number in 0..<SentenceIndex.mostRead + 10 { store.add(try Samples.entry("e\(number)", "battery")) }
        let index = SentenceIndex(store: store, embedder: WordModel(), common: 0)
        #expect(try await index.make(most: .max) == SentenceIndex.mostRead + 10)
        let ids = (1...SentenceIndex.mostRead + 10).map(Int64.init)
        for part in [Array(ids.prefix(3000)), Array(ids.suffix(3000)), ids, Array(ids.prefix(10))] {
            let sentences = try await index.sentences(of: part)
            #expect(Set(sentences.keys) == Set(part))
        }
    }
}
