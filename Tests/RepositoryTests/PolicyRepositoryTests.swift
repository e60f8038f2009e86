import Model
import Repository
import TestSupport
import Testing

/// What is told to the repository is there afterwards, and what is wrong changes nothing.
@Suite(.timeLimit(.minutes(5))) struct PolicyRepositoryTests {
    @Test func everyFieldOfAnEntryComesBack() async throws {
        let repository = try TestRepository()
        let primitive = try Policies.entry("queue@0.1.0", kind: .primitive)
        let parent = try Policies.entry("fifo@1.0.0")
        let entry = try Policies.entry("fifo@1.0.1") {
            $0.uses = [primitive.key.name]
            $0.provenance = Provenance(.agent, maker: "an agent", parent: parent.key, change: "shorter\nslices")
        }
        for new in [primitive, parent, entry] { try await repository.open.add(new) }
        for _ in 0..<2 {
            let record = try await repository.open.entry(entry.key)
            #expect(record.entry == entry)
            #expect(record.status == .candidate && record.isNewest && record.addedAt == 1 && record.id == 3)
            #expect(try await repository.open.entry(id: 2).isNewest == false)
            #expect(try await repository.open.newest(entry.key.name).entry == entry)
            #expect(try await repository.open.versions(of: entry.key.name).map(\.entry) == [entry, parent])
            #expect(try await repository.open.entries(artifact: parent.artifact).map(\.entry) == [parent])
            #expect(try await repository.reopen().isClean)
        }
    }

    @Test func everyFieldOfTheEvidenceComesBack() async throws {
        let repository = try TestRepository()
        let entry = try Policies.entry("fifo@1.0.0")
        let id = try await repository.open.add(entry).entry
        let outcome = Policies.outcome("o", of: entry) {
            $0.workload.features = ["a": 0.1, "b": 1e300, "c": 3e-308]
            $0.effect = Effect(
                metric: "wakeup_p99", better: .higher, baseline: "other@2.0.0", ratio: 1.0 / 3, low: 0.1, high: 2,
                runs: 2)
        }
        let attestation = Policies.attestation(of: entry)
        let incident = Incident(entry: entry.key, kind: .ejected, subject: "12", reason: "stalled", at: 9)
        let antipattern = Policies.antipattern("x")
        try await repository.open.record(outcome)
        try await repository.open.attest(attestation)
        try await repository.open.report(incident, at: 4)
        for _ in 0..<2 { try await repository.open.remember(antipattern, at: 5) }
        for _ in 0..<2 {
            #expect(try await repository.open.outcomes(of: id) == [outcome])
            #expect(try await repository.open.outcome("o") == outcome)
            #expect(try await repository.open.attestations(of: id) == [attestation])
            #expect(try await repository.open.incidents(of: id) == [incident])
            let kept = AntipatternRecord(antipattern: antipattern, times: 2)
            #expect(try await repository.open.antipatterns(fingerprint: antipattern.fingerprint) == [kept])
            #expect(try await repository.open.antipatterns(of: "fifo") == [kept])
            #expect(try await repository.reopen().isClean)
        }
    }

    @Test func statusFollowsEvidenceAndItsHistoryIsKept() async throws {
        let repository = try TestRepository()
        let entry = try Policies.entry("fifo@1.0.0")
        let id = try await repository.open.add(entry).entry
        // What is measured before it is verified waits for that.
        for number in 0..<2 { try await repository.open.record(Policies.outcome("o\(number)", of: entry)) }
        #expect(try await repository.open.attest(Policies.attestation(of: entry)).status == .verified)
        #expect(try await repository.open.record(Policies.outcome("o2", of: entry)).status == .proven)
        let ejected = Incident(entry: entry.key, kind: .ejected, subject: "1", reason: "", at: 200 * Policies.second)
        #expect(try await repository.open.report(ejected, at: 4).status == .candidate)
        let again = Policies.attestation(of: entry, "after", at: 300)
        #expect(try await repository.open.attest(again).status == .proven)
        for number in 0..<3 {
            try await repository.open.record(
                Policies.outcome("w\(number)", of: entry) {
                    ($0.effect.ratio, $0.effect.low, $0.effect.high) = (1.3, 1.2, 1.4)
                })
        }
        let history = try await repository.open.history(of: id)
        #expect(history.map(\.to) == [.verified, .proven, .candidate, .proven, .verified, .deprecated])
        #expect(history.map(\.from) == [.candidate, .verified, .proven, .candidate, .proven, .verified])
        #expect(history.allSatisfy { !$0.reason.isEmpty })
        #expect(try await repository.open.entry(entry.key).status == .deprecated)
        try await repository.reopen()
        #expect(try await repository.open.entry(entry.key).status == .deprecated)
        #expect(try await repository.open.history(of: id) == history)
    }

    @Test func whatClientsReportPromotesNothing() async throws {
        let repository = try TestRepository()
        let entry = try Policies.entry("fifo@1.0.0")
        try await repository.open.add(entry)
        try await repository.open.attest(Policies.attestation(of: entry))
        for (number, origin) in [Outcome.Origin.reported, .imported, .reported, .imported, .reported].enumerated() {
            let outcome = Policies.outcome("o\(number)", of: entry) { $0.origin = origin }
            #expect(try await repository.open.record(outcome).status == .verified)
        }
        // Nor does what is measured elsewhere than in its target.
        for number in 0..<5 {
            let outcome = Policies.outcome("t\(number)", of: entry) { $0.effect.metric = "fairness" }
            #expect(try await repository.open.record(outcome).status == .verified)
        }
        let foreign = Policies.attestation(of: entry, "foreign") { $0.isLocal = false }
        #expect(try await repository.open.attest(foreign).status == .verified)
    }

    /// An answer that was lost may be asked for again.
    @Test func theSameAgainChangesNothing() async throws {
        let repository = try TestRepository()
        let entry = try Policies.entry("fifo@1.0.0")
        let id = try await repository.open.add(entry).entry
        let outcome = Policies.outcome("o", of: entry)
        #expect(try await repository.open.record(outcome).isNew)
        #expect(try await repository.open.record(outcome).isNew == false)
        #expect(try await repository.open.attest(Policies.attestation(of: entry)).isNew)
        #expect(try await repository.open.attest(Policies.attestation(of: entry)).isNew == false)
        #expect(try await repository.open.outcomes(of: id).count == 1)
        let other = Policies.outcome("o", of: entry) { $0.measuredAt = 6 }
        let failure = await #expect(throws: Failure.self) { try await repository.open.record(other) }
        #expect(failure?.code == .invalidArgument)
    }

    @Test func filtersChoose() async throws {
        let repository = try TestRepository()
        for text in ["a@1.0.0", "a@1.1.0", "b@1.0.0"] { try await repository.open.add(Policies.entry(text)) }
        try await repository.open.add(Policies.entry("p@1.0.0", kind: .primitive) { $0.features = [] })
        try await repository.open.add(Policies.entry("new@1.0.0") { $0.kernelMinimum = "7.1" })
        try await repository.open.attest(Policies.attestation(of: Policies.entry("b@1.0.0")))
        func names(_ filter: EntryFilter) async throws -> [String] {
            try await repository.open.list(filter: filter).map(\.entry.key.description)
        }
        #expect(try await names(.any) == ["a@1.0.0", "a@1.1.0", "b@1.0.0", "p@1.0.0", "new@1.0.0"])
        #expect(try await names(EntryFilter()) == ["a@1.1.0", "b@1.0.0", "p@1.0.0", "new@1.0.0"])
        #expect(try await names(EntryFilter(kinds: [.primitive])) == ["p@1.0.0"])
        #expect(try await names(EntryFilter(statuses: [.verified, .proven])) == ["b@1.0.0"])
        #expect(try await names(EntryFilter(lacksFeatures: ["hotplug"])) == ["p@1.0.0"])
        #expect(try await names(EntryFilter(features: ["hotplug", "topology.llc"], kernel: "6.12.9")).count == 2)
        #expect(try await names(EntryFilter(kernel: "6.11")).isEmpty)
        #expect(try await names(EntryFilter(kernel: "7.1.0-cloud")).count == 4)
        let some = try await repository.open.entries(ids: [3, 1, 99, 4], filter: EntryFilter(kinds: [.scheduler]))
        #expect(some.map(\.id) == [3])
        #expect(try await repository.open.list(filter: .any, after: 3, limit: 1).map(\.id) == [4])
        await #expect(throws: Failure.self) { try await names(EntryFilter(kernel: "new")) }
    }

    @Test func manyWritersAtOnceAreAllThere() async throws {
        let repository = try TestRepository()
        let entry = try Policies.entry("fifo@1.0.0")
        let id = try await repository.open.add(entry).entry
        let open = repository.open
        try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 0..<500 {
                group.addTask { try await open.record(Policies.outcome("o\(number)", of: entry)).sequence }
            }
            var sequences: Set<Int64> = []
            for try await sequence in group { sequences.insert(sequence) }
            #expect(sequences == Set(2...501))
        }
        #expect(try await repository.reopen().isClean)
        #expect(Set(try await repository.open.outcomes(of: id, limit: 1000).map(\.id)).count == 500)
        #expect(await repository.open.generation == 501)
    }

    @Test func onlyOneProcessMayOpenIt() async throws {
        let repository = try TestRepository()
        let failure = #expect(throws: Failure.self) { try TestRepository(repository.folder) }
        #expect(failure?.code == .busy)
        try await repository.reopen()
    }
}
