import Model
import Repository
import TestSupport
import Testing

/// Copies of a database in use, and what they allow to be forgotten.
@Suite(.timeLimit(.minutes(5))) struct BackupTests {
    @Test func twoAreKeptWithTheLogSinceTheOlder() async throws {
        let repository = try TestRepository()
        let entry = try Policies.entry("fifo@1.0.0")
        try await repository.open.add(entry)
        for round in 1...4 as ClosedRange<Int64> {
            try await repository.open.record(Policies.outcome("o\(round)", of: entry))
            let receipt = try await repository.open.backup()
            #expect(receipt.sequence == round + 1 && receipt.bytes > 4096)
            #expect(await repository.open.bytesSinceBackup == 0)
        }
        #expect(repository.names("backup-").map { $0.suffix(8) } == ["4.sqlite", "5.sqlite"])
        // The segment that begins after the older backup, and none before it.
        #expect(repository.names("changes-").map { $0.hasSuffix("5.log") } == [true])
    }

    @Test func beforeThereAreTwoTheWholeLogIsKept() async throws {
        let repository = try TestRepository()
        let entry = try Policies.entry("fifo@1.0.0")
        try await repository.open.add(entry)
        _ = try await repository.open.backup()
        try await repository.open.record(Policies.outcome("o", of: entry))
        #expect(repository.names("changes-").count == 2)
        try await repository.close()
        // The only backup is damaged, and so is the database.
        for name in ["policies.sqlite"] + repository.names("backup-") {
            try repository.write([UInt8](repeating: 7, count: 8192), to: name)
        }
        let again = try TestRepository(repository.folder)
        #expect(try await again.open.outcome("o") != nil)
        try await again.close()
    }

    @Test func writersGoOnMeanwhile() async throws {
        let repository = try TestRepository()
        let entry = try Policies.entry("fifo@1.0.0")
        try await repository.open.add(entry)
        let open = repository.open
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<300 { try await open.record(Policies.outcome("o\(number)", of: entry)) }
            }
            group.addTask { for _ in 0..<10 { _ = try await open.backup() } }
            try await group.waitForAll()
        }
        try await repository.close()
        // From the newest backup and the log alone.
        try repository.folder.remove(repository.path("policies.sqlite"))
        let again = try TestRepository(repository.folder)
        #expect(again.report.restoredFrom != nil && again.report.losses.isEmpty)
        for number in 0..<300 { #expect(try await again.open.outcome("o\(number)") != nil) }
        try await again.close()
    }

    @Test func aScheduleMakesThem() async throws {
        let repository = try TestRepository()
        try await repository.open.add(Policies.entry("fifo@1.0.0"))
        let open = repository.open
        let schedule = Task {
            await open.keepBackups(every: .milliseconds(1)) { Issue.record("\($0.message)") }
        }
        #expect(await eventually { !repository.names("backup-").isEmpty })
        schedule.cancel()
        await schedule.value
    }

    /// A half of a backup is nobody's.
    @Test func whatACrashLeftIsRemoved() async throws {
        let repository = try TestRepository()
        try await repository.open.add(Policies.entry("fifo@1.0.0"))
        try await repository.close()
        for name in ["backup.new", "backup.new-journal", "restoring.sqlite"] { try repository.write([1, 2], to: name) }
        let again = try TestRepository(repository.folder)
        #expect(again.report.isClean)
        #expect(again.names("backup.new").isEmpty && again.names("restoring").isEmpty)
        try await again.close()
    }
}
