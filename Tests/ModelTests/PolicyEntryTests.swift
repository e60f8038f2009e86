import Model
import TestSupport
import Testing

@Suite struct SemanticVersionTests {
    @Test(arguments: ["0.0.0", "1.2.3", "10.20.30", "4294967295.0.0"]) func aVersionIsReadBack(_ text: String) throws {
        #expect(try SemanticVersion(text).description == text)
    }

    @Test(arguments: [
        "", "1", "1.2", "1.2.3.4", "1.2.", ".1.2", "01.0.0", "1.0.0-rc1", "+1.0.0", "-1.0.0", "1. 0.0",
        "4294967296.0.0", "1.0.٣", "1.0.0\n", "a.b.c", "99999999999.0.0",
    ]) func whatIsNoVersionIsRefused(_ text: String) {
        #expect(throws: Failure.self) { try SemanticVersion(text) }
    }

    @Test func versionsAreOrderedByNumber() throws {
        let texts = ["0.9.9", "1.0.0", "1.0.9", "1.0.10", "1.9.0", "1.10.0", "2.0.0"]
        let ordered = try texts.map { try SemanticVersion($0) }
        #expect(ordered.shuffled().sorted() == ordered)
    }

    @Test func aKeyIsReadBack() throws {
        #expect(try EntryKey("fifo@1.0.12").description == "fifo@1.0.12")
        for text in ["fifo", "fifo@", "@1.0.0", "fifo@1", "Fifo@1.0.0", "a@1.0.0@2.0.0", "../x@1.0.0"] {
            #expect(throws: Failure.self) { try EntryKey(text) }
        }
    }

    @Test func kernelsAreOrderedByNumber() throws {
        let texts = ["6.9", "6.12", "6.12.1-cloud", "6.12.10", "7.0.0-rc1", "7.3.4"]
        let releases = try texts.map { try #require(KernelRelease($0)) }
        #expect(releases.shuffled().sorted() == releases)
        #expect(releases.map(\.order).sorted() == releases.map(\.order))
        #expect(Set(releases.map(\.order)).count == texts.count)
        for text in ["", "6", "new", "-6.12", "6.", "x6.12"] { #expect(KernelRelease(text) == nil) }
    }
}

@Suite struct SimilarityTests {
    private static func random(_ random: inout Seeded) -> WorkloadProfile {
        var profile = WorkloadProfile(workloadClass: random.chance(2) ? "batch" : "latency")
        for _ in 0..<random.below(6) {
            profile.features["f\(random.below(8))"] = random.chance(4) ? 0 : Double(random.below(1_000_000)) / 7
        }
        return profile
    }

    @Test(arguments: 1...300 as ClosedRange<UInt64>) func itIsBetweenNothingAndTheSame(_ seed: UInt64) {
        var random = Seeded(seed)
        let (a, b) = (Self.random(&random), Self.random(&random))
        let similarity = a.similarity(to: b)
        #expect((0...1).contains(similarity))
        #expect(similarity == b.similarity(to: a))
        #expect(a.similarity(to: a) == 1)
        // The unit of a feature does not matter.
        var (c, d) = (a, b)
        c.features = a.features.mapValues { $0 * 1024 }
        d.features = b.features.mapValues { $0 * 1024 }
        #expect(abs(c.similarity(to: d) - similarity) < 1e-12)
    }

    @Test func nearerIsMoreAlike() {
        let profile = WorkloadProfile(workloadClass: "batch", features: ["tasks": 100])
        let others = [100, 110, 150, 400, 10_000].map {
            WorkloadProfile(workloadClass: "batch", features: ["tasks": $0])
        }
        let found = others.map { profile.similarity(to: $0) }
        #expect(found == found.sorted(by: >) && Set(found).count == found.count)
        let other = WorkloadProfile(workloadClass: "latency", features: ["tasks": 100])
        #expect(profile.similarity(to: other) == 0.5)
    }

    @Test func machinesAreCompared() {
        let small = MachineShape(architecture: "x86_64", cpus: 2)
        let large = MachineShape(architecture: "x86_64", cpus: 128, threadsPerCore: 2, llcs: 16, nodes: 2)
        let near = MachineShape(architecture: "x86_64", cpus: 4)
        #expect(small.similarity(to: small) == 1)
        #expect(small.similarity(to: near) > small.similarity(to: large))
        #expect(small.similarity(to: large) == large.similarity(to: small))
        var arm = small
        arm.architecture = "aarch64"
        #expect(small.similarity(to: arm) == 0.7)
    }

    @Test func directionsDependOnWhatIsBetter() {
        func direction(_ better: Effect.Better, _ low: Double, _ high: Double) -> Effect.Direction {
            Effect(metric: "m", better: better, ratio: (low + high) / 2, low: low, high: high, runs: 5).direction
        }
        #expect(direction(.lower, 0.5, 0.9) == .better && direction(.higher, 0.5, 0.9) == .worse)
        #expect(direction(.lower, 1.1, 1.2) == .worse && direction(.higher, 1.1, 1.2) == .better)
        // An interval that ends at 1 does not exclude it.
        for (low, high) in [(0.9, 1), (1, 1.1), (0.9, 1.1)] {
            #expect(direction(.lower, low, high) == .unclear && direction(.higher, low, high) == .unclear)
        }
        #expect(Effect(metric: "m", better: .lower, ratio: 0.5, low: 0.4, high: 0.6, runs: 2).gain == 2)
    }
}
