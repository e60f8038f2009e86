import Model
import Repository
import TestSupport
import Testing

/// What the database holds beside the records: the ledger, spent attestations, quarantine, budgets, the latest time.
@Suite(.timeLimit(.minutes(10))) struct LedgerTests {
    private static func journal() throws -> (TemporaryFolder, SQLiteJournal) {
        let folder = try TemporaryFolder()
        return (folder, try SQLiteJournal(path: folder.path("schedcp.sqlite")))
    }

    private static func attested(_ nonce: String, expiresAt: Int64 = 1000) -> DeploymentSpec {
        var spec = Samples.spec()
        spec.authority = .attested(nonce: nonce, expiresAt: expiresAt, digest: "d", keyID: "k")
        return spec
    }

    @Test func theLedgerKeepsItsOrderOverAReopen() async throws {
        let (folder, journal) = try Self.journal()
        let id = try await journal.begin(Samples.spec(), at: 1).id
        for (number, action) in DeploymentAction.allCases.enumerated() {
            try await journal.mark(id, LedgerEntry(action: action, mark: .begun, at: Int64(number)))
        }
        try await journal.mark(id, LedgerEntry(action: .attach, mark: .undone, at: 99))
        let again = try SQLiteJournal(path: folder.path("schedcp.sqlite"))
        let entries = try await again.ledger(of: id)
        #expect(entries.map(\.action) == DeploymentAction.allCases + [.attach])
        #expect(entries.last?.mark == .undone)
        #expect(try await again.ledger(of: id + 1).isEmpty)
    }

    @Test func anAttestationIsSpentOnceAlsoAfterAReopen() async throws {
        let (folder, journal) = try Self.journal()
        let record = try await journal.begin(Self.attested("n1"), at: 5)
        #expect(record.spec.authority == .attested(nonce: "n1", expiresAt: 1000, digest: "d", keyID: "k"))
        let again = try SQLiteJournal(path: folder.path("schedcp.sqlite"))
        for journal in [journal, again] {
            let failure = await #expect(throws: Failure.self) {
                _ = try await journal.begin(Self.attested("n1"), at: 6)
            }
            #expect(failure?.code == .denied && failure?.message.hasPrefix("spent") == true)
        }
        #expect(try await again.recent(limit: 10).count == 1)
        #expect(try await again.begin(Self.attested("n2"), at: 7).id == 2)
    }

    /// Of many that race with one attestation, one wins.
    @Test func aRaceForOneAttestationHasOneWinner() async throws {
        let (_, journal) = try Self.journal()
        let won = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 {
                group.addTask { (try? await journal.begin(Self.attested("n"), at: 1)) != nil }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(won == 1)
        #expect(try await journal.recent(limit: 100).count == 1)
    }

    @Test func authorityAndBlameComeBack() async throws {
        let (folder, journal) = try Self.journal()
        let authorities: [Authority] = [
            .attested(nonce: "n", expiresAt: 9, digest: "d", keyID: "k"), .unverified(reason: "r\"\n"),
            .restored(of: 3),
        ]
        let blames: [Blame?] = [.hog(process: "h", pid: 4, cpu: 2, schedulingClass: "rt"), .scheduler, .outside, nil]
        for (authority, blame) in zip(authorities, blames) {
            var spec = Samples.spec()
            spec.authority = authority
            spec.hintMaps = [.cgroup: "m"]
            var record = try await journal.begin(spec, previous: 7, at: 1)
            record.blame = blame
            try await journal.update(record)
        }
        let read = try await SQLiteJournal(path: folder.path("schedcp.sqlite")).recent(limit: 10).reversed()
        #expect(read.map(\.spec.authority) == authorities)
        #expect(read.map(\.blame) == Array(blames.prefix(3)))
        #expect(read.allSatisfy { $0.previous == 7 && $0.spec.hintMaps == [.cgroup: "m"] })
    }

    @Test func whatTheAuditHasNotHeardIsFound() async throws {
        let (_, journal) = try Self.journal()
        var record = try await journal.begin(Samples.spec(), at: 1)
        #expect(try await journal.unwitnessed().isEmpty)
        try record.move(to: .active, reason: "", at: 2)
        try await journal.update(record)
        #expect(try await journal.unwitnessed().map(\.id) == [record.id])
        try await journal.witnessed(record.id, in: .active)
        #expect(try await journal.unwitnessed().isEmpty)
        try record.move(to: .ejected, reason: "", at: 3)
        try await journal.update(record)
        #expect(try await journal.unwitnessed().map(\.state) == [.ejected])
    }

    @Test func quarantineIsKeptUntilReleased() async throws {
        let (folder, journal) = try Self.journal()
        try await journal.quarantine(Quarantined(artifact: "aa", deployment: 1, reason: "stall", at: 5))
        try await journal.quarantine(Quarantined(artifact: "bb", deployment: 2, reason: "error", at: 6))
        try await journal.quarantine(Quarantined(artifact: "aa", deployment: 3, reason: "again", at: 7))
        let again = try SQLiteJournal(path: folder.path("schedcp.sqlite"))
        #expect(try await again.quarantined().map(\.deployment) == [2, 3])
        #expect(try await again.release(artifact: "aa"))
        #expect(try await again.release(artifact: "aa") == false)
        #expect(try await again.quarantined().map(\.artifact) == ["bb"])
    }

    @Test func thereIsOneIntentAtATime() async throws {
        let (folder, journal) = try Self.journal()
        #expect(try await journal.intent() == nil)
        try await journal.setIntent(RestoreIntent(deployment: 1, notBefore: 2, attempt: 3))
        try await journal.setIntent(RestoreIntent(deployment: 4, notBefore: 5, attempt: 6))
        let again = try SQLiteJournal(path: folder.path("schedcp.sqlite"))
        #expect(try await again.intent() == RestoreIntent(deployment: 4, notBefore: 5, attempt: 6))
        try await again.setIntent(nil)
        #expect(try await again.intent() == nil)
    }

    @Test func whatIsSpentCountsForAnHour() async throws {
        let (_, journal) = try Self.journal()
        let hour: Int64 = 3_600_000_000_000
        try await journal.charge(7, cpu: 100, cost: 5, at: 10)
        try await journal.charge(7, cpu: 200, cost: 6, at: hour)
        try await journal.charge(8, cpu: 999, cost: 999, at: hour)
        #expect(try await journal.spent(by: 7, at: hour) == (300, 11))
        #expect(try await journal.spent(by: 7, at: hour + 11) == (200, 6))
        #expect(try await journal.spent(by: 7, at: 3 * hour) == (0, 0))
        #expect(try await journal.spent(by: 9, at: hour) == (0, 0))
    }

    @Test func timeDoesNotGoBack() async throws {
        let (folder, journal) = try Self.journal()
        #expect(try await journal.notEarlier(than: 100) == 100)
        #expect(try await journal.notEarlier(than: 50) == 100)
        let again = try SQLiteJournal(path: folder.path("schedcp.sqlite"))
        #expect(try await again.notEarlier(than: 99) == 100)
        #expect(try await again.notEarlier(than: 101) == 101)
    }

    @Test func revokedAttestationsAreRemembered() async throws {
        let (folder, journal) = try Self.journal()
        try await journal.revoke(nonce: "n", reason: "r", at: 1)
        try await journal.revoke(nonce: "n", reason: "again", at: 2)
        #expect(try await SQLiteJournal(path: folder.path("schedcp.sqlite")).revokedNonces() == ["n"])
    }

    @Test func ejectionsAreCounted() async throws {
        let (_, journal) = try Self.journal()
        for number in 1...5 as ClosedRange<Int64> {
            var record = try await journal.begin(Samples.spec(), at: number)
            try record.move(to: .active, reason: "", at: number)
            try record.move(to: number == 3 ? .rolledBack : .ejected, reason: "", at: number)
            try await journal.update(record)
        }
        #expect(try await journal.ejections(since: 0) == 4)
        #expect(try await journal.ejections(since: 4) == 2)
    }
}
