import Embedding
import Model
import Testing

@testable import Search

/// What was measured counts, and no more than it should.
@Suite struct HistoryTests {
    private static func record(_ status: EntryStatus) throws -> EntryRecord {
        EntryRecord(id: 1, entry: try Samples.entry("a", "b"), status: status, addedAt: 1, isNewest: true)
    }

    @Test func moreTrustIsMore() throws {
        let scores = EntryStatus.allCases.map { Ranking.history($0, []) }
        #expect(zip(scores, scores.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test func gainsCountForAndLossesAgainst() throws {
        let record = try Self.record(.verified)
        func history(_ gain: Double, _ count: Int, width: Double = 0.05, _ origin: Outcome.Origin = .lab) -> Float {
            Ranking.history(
                .verified,
                (0..<count).map { Samples.outcome(record, gain: gain, width: width, id: "\($0)", origin: origin) })
        }
        let none = history(1, 0)
        #expect(history(1.5, 1) > none && history(1.5, 5) > history(1.5, 1) && history(2, 5) > history(1.5, 5))
        #expect(history(0.6, 1) < none && history(0.6, 5) < history(0.6, 1))
        #expect(history(1.5, 5, width: 0.6) == none)
        #expect(history(1.5, 5, .reported) == none && history(1.5, 5, .imported) == none)
        #expect(history(1e300, 1000) <= none + 0.05 && history(1e-300, 1000, width: 0) >= none - 0.05)
    }

    @Test func oddIntervalsSayNothing() {
        for (low, high) in [(0.0, 2.0), (-1, -1), (.nan, .nan), (.infinity, .infinity), (0, 0)] as [(Double, Double)] {
            for better in Effect.Better.allCases {
                let gain = Ranking.sureGain(
                    Effect(metric: "m", better: better, ratio: 1, low: low, high: high, runs: 1))
                #expect(gain == 0, "\(low) \(high)")
            }
        }
        #expect(Ranking.sureGain(Effect(metric: "m", better: .lower, ratio: 0.4, low: 0.25, high: 0.5, runs: 1)) == 1)
        #expect(Ranking.sureGain(Effect(metric: "m", better: .lower, ratio: 3, low: 2, high: 4, runs: 1)) == -1)
    }

    @Test func amongEqualAnswersTheProvenOneIsFirst() async throws {
        let store = MemoryStore()
        store.add(try Samples.entry("plain", "battery"), .verified)
        let proven = store.add(try Samples.entry("proven", "battery"), .proven)
        store.add(try Samples.entry("bad", "battery"), .deprecated)
        store.add(try Samples.entry("elsewhere", "makespan"), .proven)
        store.add(Samples.outcome(proven, gain: 2), to: proven)
        store.add(Samples.outcome(proven, gain: 1, width: 0.5, id: "p", at: 9), to: proven)
        store.add(Samples.outcome(proven, gain: 3, id: "q", origin: .reported, at: 10), to: proven)
        let engine = SearchEngine(store: store, embedder: WordModel())
        try await engine.makeVectors()
        let hits = try await engine.search(SearchQuery("battery")).hits
        #expect(hits.map(\.record.entry.key.name.text) == ["proven", "plain", "bad", "elsewhere"])
        #expect(hits[0].measured.map(\.id) == ["o", "p", "q"] && hits[1].measured.isEmpty)
    }

    // MARK: By profile

    private static let asked = WorkloadProfile(workloadClass: "batch", features: ["jobs": 40, "cpus": 2])

    @Test func whatDidWellNearbyIsFirst() async throws {
        let store = MemoryStore()
        let names = ["near-gain", "far-gain", "near-loss", "unclear", "told"]
        let records = try names.map { store.add(try Samples.entry($0, "s")) }
        let near = ["jobs": 39.0, "cpus": 2], far = ["jobs": 2.0, "cpus": 90]
        store.add(Samples.outcome(records[0], gain: 1.4, features: near), to: records[0])
        store.add(Samples.outcome(records[1], gain: 1.4, features: far), to: records[1])
        store.add(Samples.outcome(records[2], gain: 0.5, features: near), to: records[2])
        store.add(Samples.outcome(records[3], gain: 1.4, width: 0.6, features: near), to: records[3])
        store.add(Samples.outcome(records[4], gain: 9, origin: .reported, features: near), to: records[4])
        let engine = SearchEngine(store: store, embedder: nil)
        let hits = try await engine.search(profile: Self.asked, machine: nil)
        #expect(hits.map(\.record.entry.key.name.text) == ["near-gain", "far-gain", "unclear", "near-loss"])
        #expect(hits[0].score > 2 * hits[1].score && hits[2].score == 0 && hits[3].score < 0)
        #expect(try await engine.search(profile: Self.asked, machine: nil, limit: 1).count == 1)
    }

    @Test func anotherMachineSaysLess() async throws {
        let store = MemoryStore()
        let record = store.add(try Samples.entry("a", "s"))
        store.add(Samples.outcome(record, gain: 2, features: Self.asked.features), to: record)
        let engine = SearchEngine(store: store, embedder: nil)
        let same = MachineShape(architecture: "x86_64", cpus: 4)
        let other = MachineShape(architecture: "aarch64", cpus: 256, llcs: 16, nodes: 2)
        let here = try await engine.search(profile: Self.asked, machine: same).first?.score ?? 0
        let there = try await engine.search(profile: Self.asked, machine: other).first?.score ?? 0
        #expect(here > there && there > 0)
    }

    @Test func aSingleMeasurementIsDoubted() async throws {
        let store = MemoryStore()
        let (one, many) = (store.add(try Samples.entry("one", "s")), store.add(try Samples.entry("many", "s")))
        store.add(Samples.outcome(one, gain: 1.5, features: Self.asked.features), to: one)
        for number in 0..<5 {
            store.add(Samples.outcome(many, gain: 1.4, id: "\(number)", features: Self.asked.features), to: many)
        }
        let hits = try await SearchEngine(store: store, embedder: nil).search(profile: Self.asked, machine: nil)
        #expect(hits.map(\.record.id) == [many.id, one.id] && hits[0].near.count == 5)
        let failure = await #expect(throws: Failure.self) {
            try await SearchEngine(store: store, embedder: nil).search(profile: Self.asked, machine: nil, limit: 0)
        }
        #expect(failure?.code == .invalidArgument)
    }
}
