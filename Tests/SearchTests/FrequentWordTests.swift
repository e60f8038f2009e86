import Model
import Synchronization
import Testing

@testable import Search

/// Words that nearly every entry has are left out where they would cost too much.
@Suite struct FrequentWordTests {
    private static func words(_ counts: [String: Int]) -> (FrequentWords, MemoryStore) {
        let store = MemoryStore()
        store.state.withLock { $0.counts = counts }
        return (FrequentWords(store: store), store)
    }

    @Test func theRarestAreKeptInTheirOrder() async throws {
        let (words, _) = Self.words(["task": 90_000, "cpu": 12_000, "halo": 3, "gang": 7_000, "none": 0])
        let kept = try await words.affordable(["cpu", "task", "halo", "none", "gang"])
        #expect(kept == ["cpu", "halo", "none", "gang"])
    }

    @Test func oneIsKeptHoweverFrequent() async throws {
        let (words, _) = Self.words(["task": 900_000, "cpu": 900_001])
        #expect(try await words.affordable(["cpu", "task"]) == ["task"])
        #expect(try await words.affordable([]).isEmpty)
    }

    @Test func inASmallStoreAllAreKept() async throws {
        let (words, _) = Self.words([:])
        #expect(try await words.affordable(["a", "b", "c"]) == ["a", "b", "c"])
    }

    @Test func wordsAreCountedAgainOnlyWhenTheStoreHasGrown() async throws {
        let (words, store) = Self.words([:])
        for _ in 0..<5 { _ = try await words.affordable(["a", "b"]) }
        #expect(store.state.withLock { $0.counted } == 2)
        store.state.withLock { $0.generation += 50 }
        _ = try await words.affordable(["a", "b", "c"])
        #expect(store.state.withLock { $0.counted } == 3)
        store.state.withLock { $0.generation += 500 }
        _ = try await words.affordable(["a", "b", "c"])
        #expect(store.state.withLock { $0.counted } == 6)
    }

    @Test func whatIsKnownIsBounded() async throws {
        let (words, store) = Self.words([:])
        for number in 0..<FrequentWords.mostKnown + 10 { _ = try await words.affordable(["w\(number)"]) }
        _ = try await words.affordable(["w0"])
        #expect(store.state.withLock { $0.counted } == FrequentWords.mostKnown + 11)
    }
}
