import Model
import Repository
import TestSupport
import Testing

/// Whatever happens to a repository, its log alone leads to the same again; and so do a backup and the rest of the log.
@Suite(.timeLimit(.minutes(5))) struct ReplayTests {
    private static func happen(
        _ random: inout Seeded, _ step: Int, _ entries: inout [PolicyEntry], _ open: PolicyRepository
    ) async {
        do throws(Failure) {
            let at = Int64(step) * Policies.second
            guard let entry = entries.isEmpty ? nil : entries[random.below(entries.count)], !random.chance(6) else {
                let key = "e\(random.below(6))@\(random.below(3)).\(random.below(9)).0"
                let kind: EntryKind = random.chance(5) ? .primitive : .scheduler
                let text = random.text(80)
                let new = try Policies.entry(key, kind: kind) { $0.description = "x" + text }
                try await open.add(new, at: at)
                return entries.append(new)
            }
            switch random.below(8) {
            case 0:
                try await open.attest(Policies.attestation(of: entry, "a\(random.below(5))", at: Int64(step)), at: at)
            case 1:
                let kind = Incident.Kind.allCases[random.below(3)]
                let incident = Incident(
                    entry: entry.key, kind: kind, subject: "\(random.below(9))", reason: random.text(), at: at + 1)
                try await open.report(incident, at: at)
            case 2: try await open.remember(Policies.antipattern("\(random.below(9))"), at: at)
            default:
                let low = 0.5 + Double(random.below(1000)) / 1000
                let outcome = Policies.outcome("o\(random.below(200))", of: entry) {
                    $0.effect.low = low
                    $0.effect.ratio = low * 1.01
                    $0.effect.high = low * 1.02
                    $0.trial = "t\(step % 7)"
                    $0.workload.features["tasks"] = low * 1e9
                }
                try await open.record(outcome, at: at)
            }
        } catch { #expect(error.code == .invalidArgument || error.code == .notFound, "\(error)") }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>) func theLogLeadsToTheSame(_ seed: UInt64) async throws {
        var random = Seeded(seed)
        let repository = try TestRepository()
        var entries: [PolicyEntry] = []
        for step in 1...250 {
            await Self.happen(&random, step, &entries, repository.open)
            if seed % 2 == 0, step % 60 == 0 { _ = try await repository.open.backup() }
        }
        #expect(entries.count > 5)
        let before = try await Picture(repository.open)
        try await repository.reopen()
        #expect(try await Picture(repository.open) == before)
        try await repository.close()
        for name in repository.names("policies.sqlite") { try repository.folder.remove(repository.path(name)) }
        let again = try TestRepository(repository.folder)
        #expect(again.report.losses.isEmpty, "\(again.report)")
        #expect((again.report.restoredFrom != nil) == (seed % 2 == 0))
        #expect(try await Picture(again.open) == before)
        try await again.close()
    }
}
