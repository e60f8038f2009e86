import Audit
import Model
import TestSupport
import Testing

/// Frequent looks and refusals are counted.
@Suite(.timeLimit(.minutes(10))) struct CounterTests {
    let second: Int64 = 1_000_000_000

    private func looks(_ log: AuditLog, _ kind: AuditKind = .look) throws -> [AuditEntry] {
        try log.records(after: 0, limit: 1000).map(\.entry).filter { $0.kind == kind }
    }

    private func looks(_ records: [AuditRecord], _ kind: AuditKind) throws -> [AuditEntry] {
        records.map(\.entry).filter { $0.kind == kind }
    }

    @Test func theFirstLookIsWrittenAndTheOthersCounted() throws {
        let log = try TestLog()
        let audit = try log.open()
        try audit.flush(now: 0)
        for _ in 0..<100 { try audit.noteLook(.sample(), operation: "status", rule: "rules.conf:3") }
        #expect(try looks(audit).count == 1)
        #expect(try looks(audit).first?.actor == .sample())
        try audit.flush(now: 59 * second)
        #expect(try looks(audit).count == 1)
        try audit.flush(now: 60 * second)
        let all = try looks(audit)
        #expect(all.count == 2)
        #expect(all.last?.count == 99)
        #expect(all.last?.detail["uid"] == "1000")
        #expect(all.last?.rule == "rules.conf:3")
        // A new window: the first is written again; one alone leaves no second record.
        try audit.noteLook(.sample(), operation: "status", rule: "rules.conf:3")
        #expect(try looks(audit).count == 3)
        try audit.flush(now: 120 * second)
        #expect(try looks(audit).count == 3)
        #expect(try log.verify().isIntact)
    }

    @Test func usersOperationsAndRulesAreCountedApart() throws {
        let log = try TestLog()
        let audit = try log.open()
        try audit.flush(now: 0)
        for _ in 0..<3 {
            for uid in 1...3 as ClosedRange<UInt32> {
                for operation in ["status", "list"] {
                    for rule in ["a:1", "a:2"] {
                        try audit.noteLook(.sample(uid), operation: operation, rule: rule)
                    }
                }
            }
        }
        #expect(try looks(audit).count == 12)
        try audit.flush(now: 61 * second)
        #expect(try looks(audit).count == 24)
        #expect(try looks(audit).suffix(12).allSatisfy { $0.count == 2 })
    }

    @Test func keysAreBounded() throws {
        let log = try TestLog()
        let audit = try log.open()
        try audit.flush(now: 0)
        for uid in 0..<5000 as Range<UInt32> { try audit.noteLook(.sample(uid), operation: "status", rule: "") }
        #expect(try log.verify().records >= 4097)
        let before = audit.head.seq
        try audit.flush(now: 60 * second)
        let others = try audit.records(after: before, limit: 10)
        #expect(others.count == 1)
        #expect(others.first?.entry.operation == "others")
        #expect(others.first?.entry.count == 904)
    }

    @Test func refusalsAreWrittenUpToALimit() throws {
        let log = try TestLog()
        let audit = try log.open()
        try audit.flush(now: 0)
        for _ in 0..<500 {
            try audit.noteDenied(AuditEntry(.operation, "deploy", actor: .sample(), rule: "rules.conf:9"))
        }
        for _ in 0..<10 { try audit.noteDenied(AuditEntry(.denied, "deploy", actor: .sample(7))) }
        let all = try looks(audit, .denied)
        #expect(all.count { $0.actor?.uid == 1000 } == 200)
        #expect(all.count { $0.actor?.uid == 7 } == 10)
        #expect(all.allSatisfy { $0.decision == .denied })
        try audit.flush(now: 60 * second)
        let last = try #require(try looks(audit, .denied).last)
        #expect(last.count == 300 && last.detail["uid"] == "1000" && last.decision == .denied)
        try audit.noteDenied(AuditEntry(.denied, "deploy", actor: .sample()))
        #expect(try looks(audit, .denied).count == 212)
    }

    @Test func refusalsOfManyUsersAreBounded() throws {
        let log = try TestLog()
        let audit = try log.open()
        try audit.flush(now: 0)
        for uid in 0..<5000 as Range<UInt32> {
            try audit.noteDenied(AuditEntry(.denied, "deploy", actor: .sample(uid)))
        }
        // 4096 users, 200 of all the others, and one checkpoint in 256.
        let written = try log.verify().records
        #expect(written >= 4296 && written < 4296 + 20)
        try audit.flush(now: 60 * second)
        let counts = try audit.tail(1000).compactMap(\.entry.count)
        #expect(counts.reduce(0, +) == 704)
    }

    @Test func nothingIsLostWhenWritingFails() throws {
        let log = try TestLog()
        let audit = try log.open()
        try audit.flush(now: 0)
        for _ in 0..<5 { try audit.noteLook(.sample(), operation: "status", rule: "a:1") }
        log.fail(.write)
        #expect(throws: Failure.self) { try audit.flush(now: 60 * second) }
        #expect(throws: Failure.self) { try audit.noteLook(.sample(9), operation: "status", rule: "a:1") }
        log.fail(.write, nil)
        try audit.noteLook(.sample(9), operation: "status", rule: "a:1")
        try audit.flush(now: 120 * second)
        let all = try looks(audit)
        #expect(all.last?.count == 4)
        #expect(all.contains { $0.actor?.uid == 9 })
        #expect(try log.verify().isIntact)
    }

    /// One who is refused under thousands of invented names takes no room from the looks of others.
    @Test func refusalsTakeNoRoomFromLooks() throws {
        let log = try TestLog()
        let audit = try log.open()
        try audit.flush(now: 0)
        let long = String(repeating: "x", count: 10_000)
        for index in 0..<6000 { try audit.noteDenied(AuditEntry(.denied, "\(index)-\(long)", actor: .sample())) }
        for _ in 0..<3 { try audit.noteLook(.sample(5), operation: "status", rule: "a:1") }
        let before = audit.head.seq
        #expect(try audit.tail(1).first?.entry.operation == "status")
        try audit.flush(now: 60 * second)
        let first = try #require(try audit.records(after: before, limit: 1).first?.entry)
        #expect(first.operation == "status" && first.count == 2)
        let last = try #require(try looks(audit.tail(3), .denied).last)
        #expect(last.operation == "others" && last.count == 6000 - 200 - 4096)
    }

    @Test func closingWritesWhatIsCounted() throws {
        let log = try TestLog()
        let audit = try log.open()
        for _ in 0..<5 { try audit.noteLook(.sample(), operation: "status", rule: "a:1") }
        try audit.close()
        #expect(try looks(audit).last?.count == 4)
        #expect(try audit.tail(1).first?.entry.kind == .checkpoint)
    }
}
