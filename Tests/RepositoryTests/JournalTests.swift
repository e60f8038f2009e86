import Model
import Repository
import TestSupport
import Testing

/// The history of deployments in a real SQLite file.
@Suite(.timeLimit(.minutes(5))) struct JournalTests {
    private static func path(_ folder: TemporaryFolder) -> String { folder.path("schedcp.sqlite") }

    @Test func aRecordIsNumberedAndReadBack() async throws {
        let folder = try TemporaryFolder()
        let journal = try SQLiteJournal(path: Self.path(folder))
        let record = try await journal.begin(Samples.spec(), at: 5)
        #expect(record.id == 1)
        #expect(record.state == .requested)
        #expect(record.requestedAt == 5)
        let read = try await journal.recent(limit: 10)
        #expect(read.count == 1)
        #expect(read[0].spec.parameters == Samples.spec().parameters)
        #expect(read[0].spec.actor.user == "alice")
        #expect(read[0].spec.actor.uid == 1000)
        #expect(read[0].state == .requested)
    }

    @Test func everyFieldComesBackAfterAReopen() async throws {
        let folder = try TemporaryFolder()
        var written: [DeploymentRecord] = []
        do {
            let journal = try SQLiteJournal(path: Self.path(folder))
            var spec = Samples.spec("ljf")
            spec.hints = [
                try Hint(kind: .process, key: "make", nanoseconds: .max),
                try Hint(kind: .cgroup, key: "a/b", nanoseconds: 0),
            ]
            var record = try await journal.begin(spec, at: 100)
            try record.move(to: .active, reason: "", at: 200)
            record.ops = "ljf_1.0"
            record.enableSequence = 17
            try await journal.update(record)
            try record.move(to: .ejected, reason: "it stalled \u{1F525}\n\"quoted\"", at: 300)
            record.exit = ExitInfo(kind: .other(99), code: .min, reason: "r", message: "m", dump: "d\u{0}e")
            try await journal.update(record)
            written = [record, try await journal.begin(Samples.spec(), at: 400)]
        }
        let again = try SQLiteJournal(path: Self.path(folder))
        let read = try await again.recent(limit: 10)
        #expect(read.map(\.id) == [2, 1])
        let (old, new) = (read[1], written[0])
        #expect(old.state == .ejected && old.reason == new.reason && old.ops == "ljf_1.0" && old.enableSequence == 17)
        #expect(old.exit == new.exit)
        #expect([old.requestedAt, old.attachedAt, old.endedAt] == [100, 200, 300])
        #expect(old.spec.hints == new.spec.hints && old.spec.parameters == new.spec.parameters)
        #expect(old.spec.artifact == new.spec.artifact)
        #expect(try await again.begin(Samples.spec(), at: 500).id == 3)
    }

    @Test func openRecordsAreThoseThatHaveNotEnded() async throws {
        let folder = try TemporaryFolder()
        let journal = try SQLiteJournal(path: Self.path(folder))
        for state in DeploymentState.allCases {
            var record = try await journal.begin(Samples.spec(state.rawValue), at: 1)
            if state != .requested && state != .failed { try record.move(to: .active, reason: "", at: 2) }
            if state != record.state { try record.move(to: state, reason: "r", at: 3) }
            try await journal.update(record)
        }
        #expect(try await journal.open().map(\.spec.scheduler) == ["requested", "active"])
        #expect(try await journal.recent(limit: 100).map(\.state) == DeploymentState.allCases.reversed())
        #expect(try await journal.recent(limit: 2).count == 2)
        #expect(try await journal.recent(limit: 0).isEmpty)
    }

    @Test func numbersAreNeverUsedTwice() async throws {
        let folder = try TemporaryFolder()
        for expected in 1...5 as ClosedRange<Int64> {
            let journal = try SQLiteJournal(path: Self.path(folder))
            #expect(try await journal.begin(Samples.spec(), at: 1).id == expected)
        }
    }

    @Test func oldEndedRecordsAreForgottenAndOpenOnesAreNot() async throws {
        let folder = try TemporaryFolder()
        let journal = try SQLiteJournal(path: Self.path(folder))
        let open = try await journal.begin(Samples.spec("open"), at: 1)
        var ended = try await journal.begin(Samples.spec("ended"), at: 1)
        try ended.move(to: .failed, reason: "r", at: 2)
        try await journal.update(ended)
        // Move the counter on as 10,000 deployments would, without writing them.
        let database = try SQLiteFile(Self.path(folder))
        try database.run("UPDATE sqlite_sequence SET seq = 10001 WHERE name = 'deployment'")
        #expect(try await journal.begin(Samples.spec("new"), at: 3).id == 10_002)
        let left = try await journal.recent(limit: 100)
        #expect(left.map(\.id) == [10_002, open.id])
    }

    @Test func writersAtOnceAreAllRecorded() async throws {
        let folder = try TemporaryFolder()
        let journal = try SQLiteJournal(path: Self.path(folder))
        try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 0..<40 {
                group.addTask { try await journal.begin(Samples.spec("s\(number)"), at: 1).id }
            }
            var ids: Set<Int64> = []
            for try await id in group { ids.insert(id) }
            #expect(ids == Set(1...40))
        }
        #expect(try await journal.recent(limit: 100).count == 40)
    }
}

/// A disk that refuses, and a file that is not what it was.
@Suite(.timeLimit(.minutes(5))) struct JournalFaultTests {
    @Test func aFullDatabaseIsSaidAndChangesNothing() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("schedcp.sqlite")
        let journal = try SQLiteJournal(path: path, maxPages: 24)
        var last: Int64 = 0
        var refused: Failure?
        for number in 0..<2000 {
            do { last = try await journal.begin(Samples.spec("s\(number)"), at: 1).id } catch {
                refused = error
                break
            }
        }
        #expect(last > 0)
        #expect(refused?.code == .storage)
        #expect(refused?.hint.contains("full") == true)
        // What was there is there, nothing more, and the journal still answers.
        let before = try await journal.recent(limit: 5000)
        #expect(before.first?.id == last)
        #expect(before.count == Int(last))
        var record = try #require(before.last)
        let unchanged = record
        record.reason = String(repeating: "x", count: 200_000)
        await #expect(throws: Failure.self) { try await journal.update(record) }
        #expect(try await journal.recent(limit: 5000).last == unchanged)
        #expect(try await SQLiteJournal(path: path).recent(limit: 5000).count == Int(last))
    }

    @Test(.enabled(if: Checkout.isRoot, "only root may mount")) func aFullDiskIsSaidAndChangesNothing() async throws {
        let folder = try TemporaryFolder()
        try folder.makeFolder("disk")
        let disk = folder.path("disk")
        let mounted = try await Command.run("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=512k", "schedcp-test", disk])
        guard mounted.status == 0 else { throw Lacking("a tmpfs could not be mounted: \(mounted.errors)") }
        let outcome = await Self.fill(folder)
        #expect(try await Command.run("/usr/bin/umount", ["-l", disk]).status == 0)
        let (last, refused, artifact) = try outcome.get()
        #expect(last > 0)
        #expect(refused?.code == .storage)
        #expect(refused?.message.isEmpty == false)
        #expect(artifact?.code == .storage)
    }

    private static func fill(_ folder: TemporaryFolder) async -> Result<(Int64, Failure?, Failure?), Failure> {
        do throws(Failure) {
            let journal = try SQLiteJournal(path: folder.path("disk/schedcp.sqlite"))
            let artifacts = try ArtifactStore(folder: folder.path("disk/artifacts"))
            var last: Int64 = 0
            var refused: Failure?
            var artifact: Failure?
            do { _ = try artifacts.put([UInt8](repeating: 1, count: 1 << 20)) } catch { artifact = error }
            for number in 0..<5000 {
                do { last = try await journal.begin(Samples.spec("s\(number)"), at: 1).id } catch {
                    refused = error
                    break
                }
            }
            let records = try await journal.recent(limit: 10_000)
            guard records.count == Int(last) else { throw Failure(.internal, "\(records.count) of \(last) are there") }
            return .success((last, refused, artifact))
        } catch { return .failure(error) }
    }

    @Test(arguments: [
        [UInt8](repeating: 0x5A, count: 4096),
        Array("SQLite format 3\u{0}".utf8) + [UInt8](repeating: 0xFF, count: 8000),
    ])
    func aFileThatIsNoDatabaseIsRefused(_ bytes: [UInt8]) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(bytes, to: "schedcp.sqlite")
        let failure = #expect(throws: Failure.self) { try SQLiteJournal(path: path) }
        #expect(failure?.code == .storage)
        #expect(failure?.message.contains(path) == true)
        #expect(folder.bytes("schedcp.sqlite") == bytes)
    }

    @Test func aDamagedPageIsAFailureAndNoCrash() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("schedcp.sqlite")
        do {
            let journal = try SQLiteJournal(path: path)
            for number in 0..<200 { _ = try await journal.begin(Samples.spec("s\(number)"), at: 1) }
        }
        let whole = folder.bytes("schedcp.sqlite")
        #expect(whole.count > 20_000)
        for seed in 1...30 as ClosedRange<UInt64> {
            var random = Seeded(seed)
            var damaged = whole
            // Beyond the schema's page.
            for _ in 0..<400 {
                damaged[4096 + random.below(damaged.count - 4096)] = UInt8.random(in: 0...255, using: &random)
            }
            let copy = try folder.write(damaged, to: "damaged\(seed).sqlite")
            do throws(Failure) {
                _ = try await SQLiteJournal(path: copy).recent(limit: 1000)
            } catch { #expect(error.code == .storage, "seed \(seed)") }
        }
    }

    @Test func rowsThatThisBuildDoesNotUnderstandAreAFailure() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("schedcp.sqlite")
        let journal = try SQLiteJournal(path: path)
        _ = try await journal.begin(Samples.spec(), at: 1)
        for change in ["state = 'flying'", "spec = 'no JSON'", "spec = '{}'", "exit = '[]'"] {
            let copy = folder.path("copy.sqlite")
            let database = try SQLiteFile(path)
            try database.run("VACUUM INTO '\(copy)'")
            try SQLiteFile(copy).run("UPDATE deployment SET \(change)")
            let failure = await #expect(throws: Failure.self) {
                _ = try await SQLiteJournal(path: copy).recent(limit: 10)
            }
            #expect(failure?.code == .storage, "\(change)")
            for suffix in ["", "-wal", "-shm"] { try? folder.remove("copy.sqlite" + suffix) }
        }
    }

    @Test func aFolderThatIsNotThereIsSaid() {
        let failure = #expect(throws: Failure.self) { try SQLiteJournal(path: "/nonexistent/schedcp.sqlite") }
        #expect(failure?.code == .storage)
    }
}
