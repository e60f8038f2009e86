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
        let (words, _) = Self.words(["task": 90_000, "cpu": 8_000, "halo": 3, "gang": 3_000, "none": 0])
        let kept = try await words.affordable(["cpu", "task", "halo", "none", "gang"])
        #expect(kept == FrequentWords.Affordable(words: ["cpu", "halo", "none", "gang"]))
    }

    @Test func whereTheRareOnesAreTooFewTheNextIsLookedForInThePartThatTheBudgetAllows() async throws {
        let (words, _) = Self.words(["task": 900_000, "cpu": 120_000, "halo": 3])
        let kept = try await words.affordable(["cpu", "halo", "task"])
        #expect(kept.words == ["halo"] && kept.next == "cpu")
        #expect(abs(kept.part - Double(FrequentWords.budget - 3) / 120_000) < 1e-9)
        let none = try await words.affordable(["cpu", "task"])
        #expect(none.words.isEmpty && none.next == "cpu")
        #expect(try await words.affordable([]) == FrequentWords.Affordable(words: []))
    }

    @Test func frequentWordsFindTheNewestEntries() async throws {
        let store = MemoryStore()
        for number in 1...20 { store.add(try Samples.entry("e\(number)", number == 2 ? "halo weight" : "weight")) }
        store.state.withLock { $0.counts = ["weight": FrequentWords.budget * 2] }
        let result = try await SearchEngine(store: store, embedder: nil).search(SearchQuery("halo weight", limit: 30))
        #expect(Set(result.hits.map(\.record.id)) == Set([2] + (11...20)))
    }

    @Test func inASmallStoreAllAreKept() async throws {
        let (words, _) = Self.words([:])
        #expect(try await words.affordable(["a", "b", "c"]).words == ["a", "b", "c"])
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
