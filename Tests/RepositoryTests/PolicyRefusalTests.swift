import Model
import Repository
import TestSupport
import Testing

private func long(_ count: Int) -> String { String(repeating: "x", count: count) }

/// Bad input: a clear failure each, and nothing is changed.
@Suite(.timeLimit(.minutes(5))) struct PolicyRefusalTests {
    /// With one entry, one primitive and one outcome.
    private static func begun() async throws -> (TestRepository, PolicyEntry) {
        let repository = try TestRepository()
        let entry = try Policies.entry("fifo@1.2.0")
        try await repository.open.add(entry)
        try await repository.open.add(Policies.entry("queue@1.0.0", kind: .primitive))
        try await repository.open.record(Policies.outcome("first", of: entry))
        return (repository, entry)
    }

    struct BadEntry: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: Failure.Code
        let make: @Sendable (inout PolicyEntry) throws -> Void

        init(
            _ what: String, _ code: Failure.Code = .invalidArgument,
            _ make: @escaping @Sendable (inout PolicyEntry) throws -> Void
        ) {
            testDescription = what
            self.code = code
            self.make = make
        }
    }

    static let entries = [
        BadEntry("the same version") { $0.key = try EntryKey("fifo@1.2.0") },
        BadEntry("a version that goes back") { $0.key = try EntryKey("fifo@1.1.99") },
        BadEntry("another kind of the same name") { $0.kind = .primitive },
        BadEntry("an unknown parent", .notFound) { $0.provenance.parent = try EntryKey("fifo@1.1.0") },
        BadEntry("derived from itself") { $0.provenance.parent = $0.key },
        BadEntry("an unknown primitive", .notFound) { $0.uses = [try SchedulerName("nothing")] },
        BadEntry("a scheduler for a primitive", .notFound) { $0.uses = [try SchedulerName("fifo")] },
        BadEntry("a primitive twice") { $0.uses = [try SchedulerName("queue"), try SchedulerName("queue")] },
        BadEntry("no summary") { $0.summary = "" },
        BadEntry("a summary of two lines") { $0.summary = "a\nb" },
        BadEntry("a long summary") { $0.summary = long(257) },
        BadEntry("a long description") { $0.description = long(8193) },
        BadEntry("a zero byte") { $0.description = "a\0b" },
        BadEntry("a long source") { $0.source = SourceText(file: "a.c", text: long(256 * 1024 + 1)) },
        BadEntry("a source elsewhere") { $0.source = SourceText(file: "../a.c", text: "x") },
        BadEntry("no artifact") { $0.artifact = "" },
        BadEntry("an artifact in capitals") { $0.artifact = $0.artifact.uppercased() + "" },
        BadEntry("no kernel") { $0.kernelMinimum = "new" },
        BadEntry("a feature that is no word") { $0.features = ["Topology LLC"] },
        BadEntry("a feature twice") { $0.features = ["hotplug", "hotplug"] },
        BadEntry("a target twice") { $0.targets += $0.targets },
        BadEntry("a class that is no word") { $0.targets = [Target(workloadClass: "", metric: "makespan")] },
        BadEntry("a parameter twice") { $0.parameters += $0.parameters },
        BadEntry("a counter twice") { $0.counters += $0.counters },
        BadEntry("a queue twice") { $0.queues += $0.queues },
        BadEntry("too many workloads", .tooMany) { $0.targetWorkloads = Array(repeating: "w", count: 257) },
        BadEntry("too many promises", .tooMany) { entry in for n in 0..<257 { entry.promises["p\(n)"] = "" } },
        BadEntry("no maker") { $0.provenance.maker = "" },
        BadEntry("a long change") { $0.provenance.change = long(8193) },
    ]

    @Test(arguments: entries) func aBadEntryChangesNothing(_ bad: BadEntry) async throws {
        let (repository, _) = try await Self.begun()
        var entry = try Policies.entry("fifo@1.2.1")
        try bad.make(&entry)
        let before = try await Picture(repository.open)
        let failure = await #expect(throws: Failure.self) { try await repository.open.add(entry) }
        #expect(failure?.code == bad.code, "\(failure?.message ?? "")")
        #expect(try await Picture(repository.open) == before)
        // What is right goes on.
        try await repository.open.add(Policies.entry("fifo@1.2.1"))
        #expect(try await repository.reopen().isClean)
    }

    struct BadOutcome: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let code: Failure.Code
        let make: @Sendable (inout Outcome) throws -> Void

        init(
            _ what: String, _ code: Failure.Code = .invalidArgument,
            _ make: @escaping @Sendable (inout Outcome) throws -> Void
        ) {
            testDescription = what
            self.code = code
            self.make = make
        }
    }

    static let outcomes = [
        BadOutcome("an unknown entry", .notFound) { $0.entry = try EntryKey("other@1.0.0") },
        BadOutcome("an unknown version", .notFound) { $0.entry = try EntryKey("fifo@1.2.1") },
        BadOutcome("an unknown artifact") { $0.artifact = String(repeating: "a", count: 64) },
        BadOutcome("no artifact") { $0.artifact = "" },
        BadOutcome("the id of another one") { $0.id = "first" },
        BadOutcome("no id") { $0.id = "" },
        BadOutcome("an id with a space") { $0.id = "a b" },
        BadOutcome("no trial") { $0.trial = "" },
        BadOutcome("an interval above the effect") { $0.effect.low = 0.71 },
        BadOutcome("an interval below the effect") { $0.effect.high = 0.69 },
        BadOutcome("an interval the wrong way round") { ($0.effect.low, $0.effect.high) = (0.8, 0.6) },
        BadOutcome("an effect that is no number") { $0.effect.ratio = .nan },
        BadOutcome("an interval that is no number") { $0.effect.low = .nan },
        BadOutcome("an endless interval") { $0.effect.high = .infinity },
        BadOutcome("an effect of 0") { ($0.effect.ratio, $0.effect.low) = (0, 0) },
        BadOutcome("a negative effect") { ($0.effect.ratio, $0.effect.low) = (-1, -2) },
        BadOutcome("one run") { $0.effect.runs = 1 },
        BadOutcome("negative runs") { $0.effect.runs = -5 },
        BadOutcome("a metric that is no word") { $0.effect.metric = "Make span" },
        BadOutcome("a baseline that is nothing") { $0.effect.baseline = "something" },
        BadOutcome("a feature that is no number") { $0.workload.features["tasks"] = .nan },
        BadOutcome("an endless feature") { $0.workload.features["tasks"] = .infinity },
        BadOutcome("a negative feature") { $0.workload.features["tasks"] = -1 },
        BadOutcome("too many features", .tooMany) { outcome in
            for number in 0..<65 { outcome.workload.features["f\(number)"] = 1 }
        },
        BadOutcome("a class that is no word") { $0.workload.workloadClass = "" },
        BadOutcome("a long goal") { $0.workload.goal = long(1025) },
        BadOutcome("no CPU") { $0.machine.cpus = 0 },
        BadOutcome("more LLCs than CPUs") { $0.machine.llcs = 9 },
        BadOutcome("no kernel") { $0.kernel = "" },
        BadOutcome("an unknown parameter") { $0.settings = [Setting(name: "other", value: "1")] },
        BadOutcome("a parameter out of range") { $0.settings = [Setting(name: "slice_us", value: "1")] },
        BadOutcome("a parameter twice") { $0.settings += $0.settings },
        BadOutcome("nobody measured") { $0.measuredBy = "" },
        BadOutcome("never") { $0.measuredAt = 0 },
    ]

    @Test(arguments: outcomes) func aBadOutcomeChangesNothing(_ bad: BadOutcome) async throws {
        let (repository, entry) = try await Self.begun()
        var outcome = Policies.outcome("second", of: entry) { $0.effect.runs = 11 }
        try bad.make(&outcome)
        let before = try await Picture(repository.open)
        let failure = await #expect(throws: Failure.self) { try await repository.open.record(outcome) }
        #expect(failure?.code == bad.code, "\(failure?.message ?? "")")
        #expect(failure?.message.isEmpty == false)
        #expect(try await Picture(repository.open) == before)
        #expect(try await repository.reopen().isClean)
        #expect(try await Picture(repository.open) == before)
    }

    @Test func badAttestationsIncidentsAndAntipatternsChangeNothing() async throws {
        let (repository, entry) = try await Self.begun()
        let before = try await Picture(repository.open)
        let attestations: [(Failure.Code, (inout EntryAttestation) throws -> Void)] = [
            (.invalidArgument, { $0.digest = String(repeating: "a", count: 64) }),
            (.invalidArgument, { $0.artifact = String(repeating: "a", count: 64) }),
            (.invalidArgument, { $0.envelope = [] }), (.notFound, { $0.entry = try EntryKey("other@1.0.0") }),
            (.tooMany, { $0.envelope = [UInt8](repeating: 1, count: 256 * 1024 + 1) }),
            (.invalidArgument, { $0.passedStages = ["Static!"] }), (.invalidArgument, { $0.issuedAt = 0 }),
        ]
        for (code, make) in attestations {
            var bad = Policies.attestation(of: entry)
            try make(&bad)
            let failure = await #expect(throws: Failure.self) { try await repository.open.attest(bad) }
            #expect(failure?.code == code)
        }
        let incident = Incident(entry: try EntryKey("other@1.0.0"), kind: .ejected, subject: "1", reason: "", at: 1)
        await #expect(throws: Failure.self) { try await repository.open.report(incident, at: 1) }
        var antipattern = Policies.antipattern("x")
        antipattern.fingerprint = "x"
        await #expect(throws: Failure.self) { try await repository.open.remember(antipattern, at: 1) }
        #expect(try await Picture(repository.open) == before)
    }

    @Test func outcomesOfAnEntryAreBounded() async throws {
        let (repository, entry) = try await Self.begun()
        let open = repository.open
        let limit = RepositoryLimits.outcomesPerEntry
        for start in stride(from: 1, to: limit, by: 500) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in start..<min(limit, start + 500) {
                    group.addTask { try await open.record(Policies.outcome("o\(number)", of: entry)) }
                }
                try await group.waitForAll()
            }
        }
        let failure = await #expect(throws: Failure.self) {
            try await open.record(Policies.outcome("one-more", of: entry))
        }
        #expect(failure?.code == .tooMany)
        #expect(try await open.outcome("one-more") == nil)
        // Another version has room.
        let next = try Policies.entry("fifo@1.3.0")
        try await open.add(next)
        #expect(try await open.record(Policies.outcome("one-more", of: next)).isNew)
    }
}
