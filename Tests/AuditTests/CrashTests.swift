import Audit
import Foundation
import Model
import TestSupport
import Testing

/// What a crash, a full disk or a failing one may leave, and that the log goes on from it.
@Suite(.timeLimit(.minutes(10))) struct CrashTests {
    @Test func aLogIsContinued() throws {
        let log = try TestLog()
        for round in 0..<5 {
            let audit = try log.open()
            for index in 0..<round { try audit.append(.sample(index), durable: false) }
            if round % 2 == 0 { try audit.close() }
        }
        let report = try log.verify()
        #expect(report.isIntact)
        #expect(report.records == 5 + 10 + 3)
        #expect(report.first == 1)
    }

    /// Cut at each byte of the last two lines.
    @Test func aTornTailIsCutOff() throws {
        let log = try TestLog.small(3)
        let bytes = log.folder.bytes("audit.jsonl")
        let ends = bytes.indices.filter { bytes[$0] == 10 }.map { $0 + 1 }
        for length in ends[ends.count - 3]...bytes.count {
            try log.folder.write(Array(bytes[..<length]), to: "audit.jsonl")
            let whole = ends.last { $0 <= length } ?? 0
            let start = try #require(try log.open().tail(1).first)
            #expect(start.entry.kind == .start && start.entry.operation == "log.opened")
            let cut = length - whole
            #expect(start.entry.detail["cut_bytes"] == (cut > 0 ? String(cut) : nil))
            let report = try log.verify()
            #expect(report.isIntact && report.records == ends.count { $0 <= whole } + 1)
        }
    }

    @Test(arguments: [1, 100, 5000]) func zeroesAfterAPowerCutAreCutOff(_ count: Int) throws {
        let log = try TestLog.small(3)
        try log.folder.write(log.folder.bytes("audit.jsonl") + [UInt8](repeating: 0, count: count), to: "audit.jsonl")
        let start = try log.open().tail(1).first
        #expect(start?.entry.detail["cut_bytes"] == String(count))
        #expect(try log.verify().isIntact)
    }

    @Test func aFirstLineThatIsTornIsBegunAnew() throws {
        let log = try TestLog()
        try log.folder.write("{\"seq\":1,", to: "audit.jsonl")
        #expect(try log.open().head.seq == 1)
        #expect(try log.verify().first == 1)
    }

    @Test func aBrokenLogIsRefusedAndMovedAside() throws {
        let log = try TestLog.small()
        let old = try log.verify().head
        var lines = log.lines
        lines[4] = lines[4].replacing("ejected", with: "elected")
        try log.write(lines: lines)
        let before = log.text
        let refusal = try #require(#expect(throws: Failure.self) { _ = try log.open() })
        #expect(refusal.code == .malformed)
        #expect(refusal.message.contains("audit.jsonl is broken at line 5"))
        #expect(log.text == before)
        for round in 1...3 {
            let audit = try log.openAside(because: refusal)
            let first = try #require(try audit.records(after: 0, limit: 1).first)
            #expect(first.seq == 1 && first.prev == .genesis && first.entry.operation == "log.restarted")
            #expect(first.entry.detail["aside"] == "broken-\(round)")
            if round == 1 {
                #expect(first.entry.detail["old_seq"] == old.map { String($0.seq) })
                #expect(first.entry.detail["old_hash"] == old?.hash.description)
            }
            #expect(try log.verify().isIntact)
        }
        #expect(log.folder.text("audit.jsonl.broken-1") == before)
        #expect(log.folder.names().count == 4)
    }

    @Test func oneWriterAtATime() throws {
        let log = try TestLog()
        let audit = try log.open()
        let second = #expect(throws: Failure.self) { _ = try log.openOnce() }
        #expect(second?.code == .busy)
        try audit.append(.sample(0), durable: false)
    }

    @Test func aMissingFolderIsSaid() {
        let failure = #expect(throws: Failure.self) { _ = try AuditLog.open(folder: "/nonexistent/audit") }
        #expect(failure?.code == .storage)
    }

    @Test func aLinkIsNotFollowed() throws {
        let log = try TestLog()
        try log.folder.write("", to: "elsewhere")
        try log.folder.makeLink("audit.jsonl", to: log.folder.path("elsewhere"))
        #expect(throws: Failure.self) { _ = try log.open() }
        #expect(log.folder.text("elsewhere") == "")
    }

    @Test func theModeIsForTheGroup() throws {
        let log = try TestLog.small(1)
        let attributes = try FileManager.default.attributesOfItem(atPath: log.folder.path("audit.jsonl"))
        #expect(attributes[.posixPermissions] as? Int == 0o640)
    }

    @Test(arguments: [AuditFaultPoint.write, .sync]) func whatFailsIsNotInTheChain(_ point: AuditFaultPoint) throws {
        let log = try TestLog()
        let audit = try log.open()
        // These are not durable when the disk fails, and stay in the chain.
        for index in 0..<3 { try audit.append(.sample(index), durable: false) }
        let head = audit.head
        log.fail(point, ENOSPC)
        for _ in 0..<3 {
            let failure = #expect(throws: Failure.self) { try audit.append(.sample(0), durable: true) }
            #expect(failure?.code == .storage)
            #expect(failure?.message.contains("No space left") == true)
            #expect(audit.head == head)
            #expect(audit.isFailing)
        }
        log.fail(point, nil)
        let receipt = try audit.append(.sample(1), durable: true)
        #expect(receipt.seq == head.seq + 1)
        #expect(!audit.isFailing)
        let report = try log.verify(expecting: head)
        #expect(report.isIntact && report.records == 5)
    }

    /// Each append may fail at either point; the records with a receipt are there, in order, and no others.
    @Test(arguments: 1...10 as ClosedRange<UInt64>) func receiptsAreKept(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let log = try TestLog()
        let audit = try log.open(AuditLimits(maxFileBytes: 6000))
        var kept: [AuditReceipt] = []
        for index in 0..<200 {
            let points: [AuditFaultPoint] = [.write, .sync, .rename, .create, .remove]
            for point in points { log.fail(point, random.chance(8) ? EIO : nil) }
            do throws(Failure) {
                kept.append(try audit.append(.sample(index), durable: random.chance(2)))
            } catch {
                #expect(error.code == .storage)
            }
        }
        for point in [AuditFaultPoint.write, .sync, .rename, .create, .remove] { log.fail(point, nil) }
        try audit.close()
        #expect(kept.count > 20)
        let report = try log.verify()
        #expect(report.problem == nil)
        let hashes = Set(try audit.records(after: 0, limit: 1000).map(\.hash))
        #expect(kept.allSatisfy { hashes.contains($0.hash) })
        #expect(kept.map(\.seq) == kept.map(\.seq).sorted())
    }

    /// Somebody cut the file while a sync failed: what was durable is gone, and nothing goes on as if it were not.
    @Test func aFileThatLostWhatWasSyncedIsNotContinued() throws {
        let log = try TestLog()
        let audit = try log.open()
        try audit.append(.sample(0), durable: true)
        log.fail(.sync)
        #expect(throws: Failure.self) { try audit.append(.sample(0), durable: true) }
        log.fail(.sync, nil)
        let lines = log.lines
        try log.write(lines: Array(lines.dropLast()))
        let failure = #expect(throws: Failure.self) { try audit.append(.sample(0), durable: true) }
        #expect(failure?.message.contains("lost lines that were synced") == true)
        #expect(log.lines.count == lines.count - 1)
    }

    /// A limit on the size of files stops a write in the middle.
    @Test func aRecordThatDoesNotFitIsCutOff() async {
        await #expect(processExitsWith: .success) {
            let log = try TestLog()
            let audit = try log.open()
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 2000, rlim_max: 4000)
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(2) }
            var written = 0
            var failure: Failure?
            while failure == nil && written < 100 {
                do throws(Failure) {
                    try audit.append(.sample(0), durable: true)
                    written += 1
                } catch {
                    failure = error
                }
            }
            #expect(failure?.code == .storage)
            #expect(written > 0)
            #expect(log.text.hasSuffix("\n"))
            #expect(try log.verify().records == written + 1)
            limit.rlim_cur = 4000
            guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { exit(3) }
            try audit.append(.sample(0), durable: true)
            #expect(try log.verify().records == written + 2)
            #expect(try log.verify().isIntact)
        }
    }

    @Test func threadsKeepTheChain() async throws {
        let log = try TestLog()
        let audit = try log.open(AuditLimits(maxFileBytes: 20_000))
        try await withThrowingTaskGroup(of: [AuditReceipt].self) { group in
            for task in 0..<8 {
                group.addTask {
                    try (0..<50).map { try audit.append(.sample(task), durable: $0 % 10 == 0) }
                }
            }
            var all: [AuditReceipt] = []
            for try await receipts in group {
                #expect(receipts.map(\.seq) == receipts.map(\.seq).sorted())
                all += receipts
            }
            #expect(Set(all.map(\.seq)).count == 400)
        }
        let report = try log.verify()
        #expect(report.isIntact)
        #expect(report.records >= 401)
    }

    /// One who reads and one who checks meanwhile see a chain without holes.
    @Test func readersDoNotDisturb() async throws {
        let log = try TestLog()
        let audit = try log.open(AuditLimits(maxFileBytes: 8192))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for index in 0..<400 { try audit.append(.sample(index), durable: false) } }
            group.addTask {
                var last: UInt64 = 0
                for _ in 0..<100 {
                    for record in try audit.records(after: last, limit: 50) {
                        #expect(record.seq == last + 1)
                        last = record.seq
                    }
                    let tail = try audit.tail(10)
                    #expect(zip(tail, tail.dropFirst()).allSatisfy { $1.seq == $0.seq + 1 })
                }
            }
            try await group.waitForAll()
        }
        #expect(try log.verify().isIntact)
    }
}
