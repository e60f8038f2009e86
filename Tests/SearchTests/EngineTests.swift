import Embedding
import Model
import Synchronization
import Testing

@testable import Search

/// Questions to a store in memory.
@Suite struct EngineTests {
    static func library(_ store: MemoryStore) throws {
        store.add(try Samples.entry("quick", "wakeup latency first", for: ["interactive desktops"]))
        store.add(try Samples.entry("saver", "few busy cores", for: ["saving energy on a quiet server"]))
        store.add(try Samples.entry("longest", "longest first", for: ["makespan of batch jobs"], not: ["power"]))
        store.add(try Samples.entry("equal", "a fair share for everybody", about: "Nothing about cores. By weight."))
    }

    private static func engine(_ store: MemoryStore, _ model: WordModel? = WordModel()) async throws -> SearchEngine {
        let engine = SearchEngine(store: store, embedder: model, lack: "no model here")
        try await engine.makeVectors()
        return engine
    }

    private static func names(_ result: SearchResult) -> [String] { result.hits.map(\.record.entry.key.name.text) }

    @Test func meaningFindsWhatNoWordNames() async throws {
        let store = MemoryStore()
        try Self.library(store)
        let result = try await Self.engine(store).search(SearchQuery("battery watts"))
        let hit = try #require(result.hits.first)
        #expect(hit.record.entry.key.name.text == "saver" && result.wordsOnly == nil && hit.terms.isEmpty)
        #expect(hit.sentence?.text == "saving energy on a quiet server" && hit.sentence?.role == .target)
        #expect((hit.similarity ?? 0) > 0.2 && hit.why.hasPrefix("near to: 'saving energy"))
    }

    @Test func wordsAndMeaningAreBothTold() async throws {
        let store = MemoryStore()
        try Self.library(store)
        let result = try await Self.engine(store).search(SearchQuery("jobs of a batch", limit: 1))
        #expect(Self.names(result) == ["longest"] && result.hits[0].terms == ["jobs", "batch"])
        #expect(result.hits[0].why.hasPrefix("matches 'jobs', 'batch'; near to: 'makespan of batch jobs' (0."))
    }

    @Test func withoutAModelWordsCountAndTheAnswerSaysSo() async throws {
        let store = MemoryStore()
        try Self.library(store)
        let engine = try await Self.engine(store, nil)
        let result = try await engine.search(SearchQuery("battery energy"))
        #expect(result.wordsOnly == "no model here" && Self.names(result) == ["saver"])
        #expect(result.hits[0].terms == ["energy"] && result.hits[0].sentence == nil)
        #expect(try await engine.search(SearchQuery("battery")).hits.isEmpty)
    }

    @Test func aModelThatFailsLeavesTheWords() async throws {
        let store = MemoryStore()
        try Self.library(store)
        let failing = WordModel(failure: Failure(.timedOut, "the service does not answer"))
        let engine = SearchEngine(store: store, embedder: failing)
        let result = try await engine.search(SearchQuery("energy"))
        #expect(result.wordsOnly == "the service does not answer" && Self.names(result) == ["saver"])
        await #expect(throws: Failure.self) { try await engine.search(SearchQuery("energy", means: .sentences)) }
        let cancelled = SearchEngine(store: store, embedder: WordModel(failure: Failure(.cancelled, "given up")))
        let failure = await #expect(throws: Failure.self) { try await cancelled.search(SearchQuery("energy")) }
        #expect(failure?.code == .cancelled)
    }

    @Test func wordsAloneAndSentencesAloneCanBeCompared() async throws {
        let store = MemoryStore()
        try Self.library(store)
        let engine = try await Self.engine(store)
        let words = try await engine.search(SearchQuery("sluggish cores", means: .words))
        #expect(words.hits.allSatisfy { $0.sentence == nil && $0.terms == ["cores"] } && words.hits.count == 2)
        let sentences = try await engine.search(SearchQuery("sluggish cores", limit: 1, means: .sentences))
        #expect(Self.names(sentences) == ["quick"] && sentences.hits[0].terms.isEmpty)
    }

    @Test func whatAnEntryIsNotForCountsAgainstIt() async throws {
        let store = MemoryStore()
        store.add(try Samples.entry("against", "cores", not: ["power and battery"]))
        store.add(try Samples.entry("neither", "cores"))
        let result = try await Self.engine(store).search(SearchQuery("power cores"))
        #expect(Self.names(result) == ["neither", "against"])
    }

    @Test func equalAnswersKeepTheOrderInWhichTheyCame() async throws {
        let store = MemoryStore()
        for number in 0..<30 { store.add(try Samples.entry("same\(number)", "the same words")) }
        let engine = try await Self.engine(store)
        let result = try await engine.search(SearchQuery("same words", limit: 5))
        #expect(result.hits.map(\.record.id) == [1, 2, 3, 4, 5])
        #expect(try await engine.search(SearchQuery("same words", limit: 5)) == result)
    }

    @Test func aPieceOfCodeIsFoundByWhoAsksForOne() async throws {
        let store = MemoryStore()
        store.add(try Samples.entry("whole", "a fair queue"))
        store.add(try Samples.entry("part", "a fair queue", kind: .primitive))
        let engine = try await Self.engine(store)
        #expect(Self.names(try await engine.search(SearchQuery("fair queue"))) == ["whole", "part"])
        #expect(Self.names(try await engine.search(SearchQuery("snippet of a fair queue"))) == ["part", "whole"])
    }

    /// What is wanted lies far behind the entries that are looked at first.
    @Test func aFilterIsKeptHoweverFewPassIt() async throws {
        let store = MemoryStore()
        for number in 0..<1500 { store.add(try Samples.entry("other\(number)", "battery power energy")) }
        let wanted = store.add(try Samples.entry("wanted", "something else", features: ["topology.llc"]))
        let filter = EntryFilter(features: ["topology.llc"])
        let result = try await Self.engine(store).search(SearchQuery("battery", filter: filter))
        #expect(result.hits.map(\.record.id) == [wanted.id])
        let none = EntryFilter(statuses: [.deprecated])
        #expect(try await Self.engine(store).search(SearchQuery("battery", filter: none)).hits.isEmpty)
    }

    @Test func theLimitIsKept() async throws {
        let store = MemoryStore()
        for number in 0..<120 { store.add(try Samples.entry("e\(number)", "battery")) }
        let engine = try await Self.engine(store)
        for limit in [1, 7, 100] {
            #expect(try await engine.search(SearchQuery("battery", limit: limit)).hits.count == limit)
        }
    }

    @Test func anEmptyStoreHasNoAnswer() async throws {
        let result = try await Self.engine(MemoryStore()).search(SearchQuery("anything"))
        #expect(result == SearchResult(hits: [], wordsOnly: nil))
    }

    @Test func aStoreThatFailsIsNotHidden() async throws {
        let store = MemoryStore()
        try Self.library(store)
        let engine = try await Self.engine(store)
        store.state.withLock { $0.failure = Failure(.storage, "the disk is gone") }
        let failure = await #expect(throws: Failure.self) { try await engine.search(SearchQuery("energy")) }
        #expect(failure == Failure(.storage, "the disk is gone"))
    }
}
