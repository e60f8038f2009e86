import Model
import Repository
import TestSupport
import Testing

/// A process that writes a thousand outcomes at once is killed at a random moment: what it said is written is there.
@Suite(.timeLimit(.minutes(10))) struct KillTests {
    @Test func aKilledWriterLosesNothingAcknowledged() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("policies")
        var random = Seeded(20_261_125)
        var acknowledged: Set<String> = []
        for round in 0..<6 {
            let prefix = "r\(round)"
            let child = try ChildProcess(
                try Checkout.program("repository-writer"), [path, prefix, "1000", "100000"])
            // In the middle of the first thousand, or of a later one.
            let wanted = 1 + random.below(round % 3 == 0 ? 900 : 3500)
            let came = await eventually(tries: 20_000) {
                child.output.utf8.count(where: { $0 == 10 }) >= wanted || !child.isRunning
            }
            #expect(came)
            child.signal(9)
            let ending = await child.ending()
            #expect(ending == .signal(9), "\(child.errors)")
            let lines = child.output.split(separator: "\n").map(String.init)
            #expect(lines.count >= wanted)
            acknowledged.formUnion(lines)
            try await Self.expectAll(Set(lines), in: folder, "round \(round)")
        }
        try await Self.expectAll(acknowledged, in: folder, "after all rounds")
        print("killed 6 times, \(acknowledged.count) acknowledged, all there")
    }

    private static func expectAll(
        _ acknowledged: Set<String>, in folder: TemporaryFolder, _ what: String
    ) async throws {
        let repository = try TestRepository(folder)
        #expect(repository.report.isClean, "\(what): \(repository.report)")
        for line in acknowledged {
            let parts = line.split(separator: " ").map(String.init)
            switch parts.first {
            case "entry": _ = try await repository.open.entry(EntryKey(parts[1]))
            case "outcome":
                let outcome = try await repository.open.outcome(parts[1])
                #expect(outcome?.id == parts[1], "\(what): \(line)")
            default: Issue.record("\(what): \(line)")
            }
        }
        try await repository.close()
    }
}
