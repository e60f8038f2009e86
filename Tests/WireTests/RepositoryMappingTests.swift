import Model
import Testing
import Wire

/// The repository's messages: what comes from a client is bounded, what goes out fits into a frame.
@Suite struct RepositoryMappingTests {
    private static func outcome() throws(Failure) -> Outcome {
        Outcome(
            id: "o-1", entry: try EntryKey("fifo@1.0.0"), artifact: String(repeating: "ab", count: 32),
            settings: [Setting(name: "slice_us", value: "5000")],
            workload: WorkloadProfile(workloadClass: "batch", features: ["tasks": 40, "wakeups": 1.5], goal: "soon"),
            machine: MachineShape(
                architecture: "x86_64", cpus: 8, threadsPerCore: 2, llcs: 2, nodes: 1, isVirtual: true),
            kernel: "7.3.4",
            effect: Effect(metric: "makespan", better: .lower, ratio: 0.7, low: 0.65, high: 0.75, runs: 10),
            origin: .lab, trial: "t-1", measuredBy: "the lab", measuredAt: 5)
    }

    private static func defaults() throws(Failure) -> OutcomeDefaults {
        let outcome = try outcome()
        return OutcomeDefaults(
            entry: outcome.entry, artifact: outcome.artifact, machine: MachineShape(architecture: "aarch64", cpus: 2),
            kernel: "6.12", measuredBy: "carol", now: 77)
    }

    @Test func anOutcomeComesBackAsReported() throws {
        let wire = try WireOutcome(Self.outcome())
        #expect(wire.origin == "lab" && wire.workload.features.map(\.name) == ["tasks", "wakeups"])
        var expected = try Self.outcome()
        (expected.origin, expected.measuredBy) = (.reported, "carol")
        #expect(try wire.asReported(Self.defaults()) == expected)
        // What is left out is filled in.
        var short = wire
        short.clearMachine()
        (short.kernel, short.trial, short.baseline, short.measuredAt, short.artifactSha256) = ("", "", "", 0, "")
        let filled = try short.asReported(Self.defaults())
        #expect(filled.machine.architecture == "aarch64" && filled.kernel == "6.12" && filled.trial == "o-1")
        #expect(filled.effect.baseline == "default" && filled.measuredAt == 77 && filled.artifact == expected.artifact)
    }

    @Test func whatIsNoOutcomeIsRefused() throws {
        let changes: [(inout WireOutcome) -> Void] = [
            { $0.id = "" }, { $0.better = "" }, { $0.ratio = 0 }, { $0.ratio = .infinity }, { $0.low = 0.8 },
            { $0.runs = 0 },
            { $0.metric = "Make span" }, { $0.clearWorkload() }, { $0.workload.workloadClass = "" },
            { $0.workload.features.append($0.workload.features[0]) }, { $0.machine.cpus = 0 },
            { $0.machine.llcs = 9 }, { $0.kernel = "new" }, { $0.baseline = "other" }, { $0.measuredAt = -1 },
            { $0.parameters = Array(repeating: $0.parameters[0], count: 65) },
            { $0.parameters = Array(repeating: $0.parameters[0], count: 2) }, { $0.artifactSha256 = "ab" },
        ]
        for (number, change) in changes.enumerated() {
            var wire = try WireOutcome(Self.outcome())
            change(&wire)
            #expect(throws: Failure.self, "\(number)") { try wire.asReported(Self.defaults()) }
        }
    }

    @Test func filtersAreOfKnownWords() throws {
        var wire = WireEntryFilter()
        #expect(try wire.asFilter() == EntryFilter())
        (wire.kinds, wire.statuses) = (["primitive"], ["proven", "verified"])
        (wire.features, wire.withoutFeatures, wire.kernel, wire.allVersions) = (
            ["topology.llc"], ["hotplug"], "6.12", true
        )
        let filter = try wire.asFilter()
        #expect(filter.kinds == [.primitive] && filter.statuses == [.proven, .verified] && !filter.newestOnly)
        #expect(filter.features == ["topology.llc"] && filter.lacksFeatures == ["hotplug"] && filter.kernel == "6.12")
        let bad: [(inout WireEntryFilter) -> Void] = [
            { $0.kinds = ["all"] }, { $0.statuses = [""] }, { $0.features = ["A"] }, { $0.kernel = "x" },
            { $0.kinds = Array(repeating: "primitive", count: 17) }, { $0.features = (0..<300).map { "f\($0)" } },
            { $0.kernel = String(repeating: "6", count: 200) },
        ]
        for (number, change) in bad.enumerated() {
            var other = wire
            change(&other)
            #expect(throws: Failure.self, "\(number)") { try other.asFilter() }
        }
    }

    @Test func anAnswerIsCutWhereItIsFull() {
        let messages = (0..<100).map { number in WireSetting(Setting(name: "n\(number)", value: "v")) }
        var wide = AnswerBudget()
        #expect(wide.prefix(messages).count == 100)
        var narrow = AnswerBudget(1000)
        let kept = narrow.prefix(messages)
        #expect(kept.count > 10 && kept.count < 100 && kept == Array(messages.prefix(kept.count)))
        #expect(!narrow.take(messages[0]) || narrow.prefix(messages).count < 3)
    }

    /// A few bytes can stand for a message each.
    @Test func requestsOfVeryManyMessagesAreRefused() throws {
        func request(_ features: Int) throws -> [UInt8] {
            var request = WireRequest()
            request.id = 2
            request.search.profile.workloadClass = "batch"
            request.search.profile.features = Array(repeating: WireFeature(), count: features)
            return try Frame.bytes(of: request)
        }
        try MessageCount.check(request: request(64))
        try MessageCount.check(request: request(9000))
        #expect(throws: Failure.self) { try MessageCount.check(request: request(11_000)) }
        #expect(throws: Failure.self) { try MessageCount.check(request: [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]) }
    }
}
