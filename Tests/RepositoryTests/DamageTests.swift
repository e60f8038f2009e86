import Foundation
import Model
import Repository
import TestSupport
import Testing

/// A database that is damaged for real: it is noticed, set aside and made again, and nothing acknowledged is lost.
@Suite(.timeLimit(.minutes(10))) struct DamageTests {
    /// What was acknowledged, to compare with afterwards.
    struct Acknowledged {
        var entries: [PolicyEntry] = []
        var outcomes: [Outcome] = []
        var attestations: [EntryAttestation] = []
        var antipatterns: [Antipattern] = []
    }

    /// Some of everything; a backup after each `backupEvery` entries, where that is given.
    private static func fill(_ repository: TestRepository, entries: Int = 12, backupEvery: Int? = nil) async throws
        -> Acknowledged
    {
        var done = Acknowledged()
        for number in 0..<entries {
            let entry = try Policies.entry("entry\(number)@1.0.0") {
                $0.description = "A scheduler for case number \(number). " + String(repeating: "words ", count: 150)
            }
            try await repository.open.add(entry)
            done.entries.append(entry)
            for index in 0..<6 {
                let outcome = Policies.outcome("o\(number).\(index)", of: entry) {
                    $0.workload.features["tasks"] = Double(number * 10 + index)
                }
                try await repository.open.record(outcome)
                done.outcomes.append(outcome)
            }
            let attestation = Policies.attestation(of: entry)
            try await repository.open.attest(attestation)
            done.attestations.append(attestation)
            let antipattern = Policies.antipattern("attempt \(number)")
            try await repository.open.remember(antipattern, at: 6)
            done.antipatterns.append(antipattern)
            if let backupEvery, number % backupEvery == backupEvery - 1 { _ = try await repository.open.backup() }
        }
        return done
    }

    private static func expectAll(_ done: Acknowledged, in repository: TestRepository, _ what: String) async throws {
        let open = repository.open
        for entry in done.entries {
            let record = try await open.entry(entry.key)
            #expect(record.entry == entry, "\(what)")
            #expect(record.status == .proven, "\(what)")
        }
        for outcome in done.outcomes { #expect(try await open.outcome(outcome.id) == outcome, "\(what)") }
        for attestation in done.attestations {
            let id = try await open.entry(attestation.entry).id
            #expect(try await open.attestations(of: id) == [attestation], "\(what)")
        }
        for antipattern in done.antipatterns {
            #expect(
                try await open.antipatterns(fingerprint: antipattern.fingerprint).map(\.antipattern) == [antipattern],
                "\(what)")
        }
        let matches = try await open.matches("number 7", filter: .any, limit: 20)
        #expect(matches.count == done.entries.count && matches.first?.id == 8, "\(what)")
        // It goes on.
        let next = try Policies.entry("next@1.0.0")
        try await open.add(next)
        try await open.record(Policies.outcome("next", of: next))
    }

    /// A folder with everything in it, closed; copied for each trial.
    private static func made(backupEvery: Int?) async throws -> (TestRepository, Acknowledged) {
        let repository = try TestRepository()
        let done = try await fill(repository, backupEvery: backupEvery)
        try await repository.close()
        return (repository, done)
    }

    private static func copy(_ repository: TestRepository) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try folder.copy(repository.folder.path("policies"), to: "policies")
        return folder
    }

    enum Harm: String, CaseIterable, Sendable {
        case bytesAnywhere, bytesInOnePage, header, emptied, cut, gone, noDatabase, anotherDatabase, zeroPage, oldCopy
    }

    private static func harm(_ bytes: [UInt8], _ harm: Harm, _ random: inout Seeded) -> [UInt8]? {
        var bytes = bytes
        let pages = bytes.count / 4096
        switch harm {
        case .bytesAnywhere:
            for _ in 0..<(1 + random.below(200)) { bytes[random.below(bytes.count)] ^= UInt8(1 + random.below(255)) }
        case .bytesInOnePage:
            let page = random.below(pages) * 4096
            for _ in 0..<(1 + random.below(20)) { bytes[page + random.below(4096)] ^= UInt8(1 << random.below(8)) }
        case .header: for index in 0..<100 { bytes[index] = 0 }
        case .emptied: bytes = []
        case .cut: bytes = Array(bytes.prefix(1 + random.below(bytes.count - 1)))
        case .gone: return nil
        case .noDatabase: bytes = Array("this is a letter to my mother".utf8)
        case .anotherDatabase: break
        case .zeroPage:
            let page = random.below(pages) * 4096
            for index in 0..<4096 { bytes[page + index] = 0 }
        case .oldCopy: break
        }
        return bytes
    }

    @Test(arguments: Harm.allCases, [nil, 5]) func nothingIsLost(_ harm: Harm, _ backupEvery: Int?) async throws {
        let (original, done) = try await Self.made(backupEvery: backupEvery)
        let seeds = harm == .bytesAnywhere || harm == .bytesInOnePage || harm == .cut ? 12 : 1
        for seed in 1...UInt64(seeds) {
            let folder = try Self.copy(original)
            var random = Seeded(seed)
            let what = "\(harm) seed \(seed), backups \(backupEvery ?? 0)"
            let file = "policies/policies.sqlite"
            if harm == .anotherDatabase {
                try folder.remove(file)
                try SQLiteFile(folder.path(file)).run("CREATE TABLE letter (text); INSERT INTO letter VALUES ('x')")
            } else if harm == .oldCopy {
                guard let backup = folder.names("policies").first(where: { $0.hasPrefix("backup-") }) else { continue }
                try folder.remove(file)
                try folder.copy(folder.path("policies/" + backup), to: file)
            } else if let bytes = Self.harm(original.bytes("policies.sqlite"), harm, &random) {
                try folder.write(bytes, to: file)
            } else {
                try folder.remove(file)
            }
            let repository = try TestRepository(folder)
            #expect(repository.report.losses.isEmpty, "\(what): \(repository.report)")
            if !repository.report.setAside.isEmpty {
                #expect(FileManager.default.fileExists(atPath: repository.report.setAside), "\(what)")
            }
            try await Self.expectAll(done, in: repository, what)
            #expect(try await repository.reopen().isClean, "\(what)")
            try await repository.close()
        }
    }

    /// With the write-ahead log of SQLite still there, as after a crash, and damaged or gone.
    @Test(arguments: 1...12 as ClosedRange<UInt64>) func aDamagedWriteAheadLogLosesNothing(_ seed: UInt64) async throws
    {
        let original = try TestRepository()
        let done = try await Self.fill(original, backupEvery: seed % 2 == 0 ? 5 : nil)
        // Copied while it is open: the log is not merged into the database.
        let folder = try Self.copy(original)
        try await original.close()
        #expect(folder.bytes("policies/policies.sqlite-wal").count > 4096)
        var random = Seeded(seed)
        var log = folder.bytes("policies/policies.sqlite-wal")
        switch seed % 3 {
        case 0: try folder.remove("policies/policies.sqlite-wal")
        case 1: try folder.write(Array(log.prefix(random.below(log.count))), to: "policies/policies.sqlite-wal")
        default:
            for _ in 0..<50 { log[random.below(log.count)] ^= 0x10 }
            try folder.write(log, to: "policies/policies.sqlite-wal")
        }
        let repository = try TestRepository(folder)
        #expect(repository.report.losses.isEmpty, "\(repository.report)")
        try await Self.expectAll(done, in: repository, "seed \(seed)")
        try await repository.close()
    }

    /// The newest backup is damaged too: the one before it and the log make everything.
    @Test func theBackupBeforeDoesToo() async throws {
        let (original, done) = try await Self.made(backupEvery: 4)
        let folder = try Self.copy(original)
        let backups = folder.names("policies").filter { $0.hasPrefix("backup-") }
        #expect(backups.count == 2)
        var random = Seeded(1)
        for name in ["policies.sqlite", backups[1]] {
            let bytes = try #require(Self.harm(folder.bytes("policies/" + name), .header, &random))
            try folder.write(bytes, to: "policies/" + name)
        }
        let repository = try TestRepository(folder)
        #expect(repository.report.restoredFrom.map { backups[0].contains("\($0)") } == true)
        #expect(!repository.report.damage.isEmpty)
        #expect(repository.report.losses.isEmpty && repository.report.warnings.count == 1)
        try await Self.expectAll(done, in: repository, "two damaged")
        try await repository.close()
    }

    /// A row whose structure is right and whose content is not: SQLite itself sees nothing wrong.
    @Test func aChangedLetterIsNoticed() async throws {
        let (original, done) = try await Self.made(backupEvery: nil)
        let folder = try Self.copy(original)
        try SQLiteFile(folder.path("policies/policies.sqlite")).run(
            "UPDATE outcome SET content = replace(content, '\"runs\":10', '\"runs\":99') WHERE id = 5")
        let repository = try TestRepository(folder)
        #expect(repository.report.damage.contains("outcome"))
        try await Self.expectAll(done, in: repository, "a letter")
        try await repository.close()
    }

    /// It happens while the repository is open: the next one who reads it gets what was written.
    @Test func damageWhileItRunsIsMended() async throws {
        let repository = try TestRepository()
        let done = try await Self.fill(repository)
        let file = repository.folder.path(repository.path("policies.sqlite"))
        try SQLiteFile(file).run("UPDATE entry SET summary = 'something else' WHERE id = 3")
        try await Self.expectAll(done, in: repository, "while it runs")
        #expect(!repository.names("policies.sqlite.damaged-").isEmpty)
        try await repository.close()
    }

    /// A line of the log that nobody needs, and one that somebody does: the second is a loss, and is said.
    @Test func whatIsLostIsSaid() async throws {
        let (original, done) = try await Self.made(backupEvery: nil)
        let folder = try Self.copy(original)
        let log = try #require(folder.names("policies").first { $0.hasPrefix("changes-") })
        var lines = folder.text("policies/" + log).split(separator: "\n").map(String.init)
        lines[3] = lines[3].replacing("makespan", with: "makespam")
        try folder.write(lines.joined(separator: "\n") + "\n", to: "policies/" + log)
        do {
            let repository = try TestRepository(folder)
            #expect(repository.report.isClean)
            try await Self.expectAll(done, in: repository, "the log alone is damaged")
            try await repository.close()
        }
        let bare = try Self.copy(original)
        try bare.write(lines.joined(separator: "\n") + "\n", to: "policies/" + log)
        try bare.remove("policies/policies.sqlite")
        let repository = try TestRepository(bare)
        #expect(repository.report.losses.count == 1)
        #expect(repository.report.losses.first?.contains("changes 4 to 4 are missing") == true)
        #expect(try await repository.open.outcome(done.outcomes[2].id) == nil)
        #expect(try await repository.open.outcome(done.outcomes[3].id) == done.outcomes[3])
        try await repository.close()
    }

    /// Cut at any byte: what is whole stays, what is torn was never acknowledged.
    @Test func aTornTailOfTheLogIsCutOff() async throws {
        let original = try TestRepository()
        let entry = try Policies.entry("fifo@1.0.0")
        try await original.open.add(entry)
        for number in 0..<3 { try await original.open.record(Policies.outcome("o\(number)", of: entry)) }
        try await original.close()
        let log = try #require(original.names("changes-").first)
        let bytes = original.bytes(log)
        let ends = bytes.indices.filter { bytes[$0] == 10 }.map { $0 + 1 }
        for length in stride(from: ends[1], through: bytes.count, by: 37) {
            let folder = try Self.copy(original)
            try folder.write(Array(bytes[..<length]), to: "policies/" + log)
            try folder.remove("policies/policies.sqlite")
            let repository = try TestRepository(folder)
            let whole = ends.filter { $0 <= length }.count
            #expect(repository.report.replayed == whole && repository.report.losses.isEmpty)
            #expect(await repository.open.generation == Int64(whole))
            try await repository.open.record(Policies.outcome("later", of: entry))
            #expect(try await repository.reopen().isClean)
            #expect(try await repository.open.outcome("later") != nil)
            try await repository.close()
        }
    }

    /// The log is gone: the database has everything, and a backup is made at once, so that it has a second place again.
    @Test func aLogThatIsGoneIsBegunAnew() async throws {
        let (original, done) = try await Self.made(backupEvery: nil)
        let folder = try Self.copy(original)
        for name in folder.names("policies") where name.hasPrefix("changes-") { try folder.remove("policies/" + name) }
        do {
            let repository = try TestRepository(folder)
            #expect(repository.report.isClean && repository.report.needsBackup)
            #expect(repository.names("backup-").count == 1)
            try await repository.close()
        }
        try folder.remove("policies/policies.sqlite")
        let repository = try TestRepository(folder)
        #expect(repository.report.losses.isEmpty)
        try await Self.expectAll(done, in: repository, "from the new backup")
        try await repository.close()
    }

    @Test func damagedVectorsAreForgotten() async throws {
        let repository = try TestRepository()
        try await repository.open.add(Policies.entry("fifo@1.0.0"))
        let document = try #require(try await repository.open.documents(after: 0, limit: 1).first)
        try await repository.open.store([1, 2, 3], for: document, model: "m")
        try await repository.close()
        try repository.write([UInt8](repeating: 0x55, count: 5000), to: "vectors.sqlite")
        let again = try TestRepository(repository.folder)
        #expect(try await again.open.lacking(model: "m", limit: 5).map(\.id) == [1])
        try await again.open.store([1, 2, 3], for: document, model: "m")
        #expect(try await again.open.vectors(model: "m", ids: [1]).map(\.vectors) == [[1, 2, 3]])
        try await again.close()
    }

    @Test func aFileFromTheFutureIsLeftAlone() async throws {
        let repository = try TestRepository()
        try await repository.open.add(Policies.entry("fifo@1.0.0"))
        try await repository.close()
        let file = repository.folder.path(repository.path("policies.sqlite"))
        try SQLiteFile(file).run("INSERT INTO grdb_migrations VALUES ('99: something new')")
        let failure = #expect(throws: Failure.self) { try TestRepository(repository.folder) }
        #expect(failure?.code == .storage && failure?.message.contains("later version") == true)
        #expect(repository.names("policies.sqlite.damaged-").isEmpty)
    }
}
