import Audit
import Foundation
import Model
import TestSupport
import Testing

/// A log that is opened while its disk refuses everything: a daemon that has a scheduler to look after goes on without it.
@Suite(.timeLimit(.minutes(10))) struct FullDiskTests {
    @Test(arguments: [AuditFaultPoint.write, .sync]) func theStartIsTheFirstRecordThatTheDiskTakes(
        _ point: AuditFaultPoint
    ) throws {
        let log = try TestLog.small()
        let before = try log.verify()
        log.fail(point, ENOSPC)
        let audit = try log.open()
        #expect(audit.isFailing)
        #expect(audit.head == before.head)
        audit.appendOrOwe(AuditEntry(.event, "rules-in-force"))
        for _ in 0..<3 {
            #expect(throws: Failure.self) { try audit.pay() }
            let failure = #expect(throws: Failure.self) { try audit.append(.sample(0), durable: true) }
            #expect(failure?.code == .storage)
            #expect(throws: Failure.self) { try audit.checkpoint() }
        }
        #expect(try log.verify().records == before.records)
        log.fail(point, nil)
        try audit.append(.sample(1), durable: true)
        #expect(!audit.isFailing)
        let last = try audit.tail(3).map(\.entry)
        #expect(last.map(\.operation) == ["log.opened", "rules-in-force", AuditEntry.sample(1).operation])
        // When it should have been there, and that once only.
        #expect(last.prefix(2).allSatisfy { $0.detail["since"]?.isEmpty == false })
        let report = try log.verify()
        #expect(report.isIntact && report.records == before.records + 3)
    }

    @Test func whatIsOwedIsPaidWithoutAnother() throws {
        let log = try TestLog.small()
        log.fail(.write, ENOSPC)
        let audit = try log.open()
        log.fail(.write, nil)
        for _ in 0..<2 { try audit.pay() }
        #expect(try audit.tail(1).first?.entry.operation == "log.opened")
        #expect(!audit.isFailing)
        #expect(try log.verify().isIntact)
    }

    /// The disk was full in the very moment between two files.
    @Test func alsoBetweenTwoFiles() throws {
        let log = try TestLog.small()
        try FileManager.default.moveItem(
            atPath: log.folder.path("audit.jsonl"), toPath: log.folder.path("audit.jsonl.000001"))
        log.fail(.write, ENOSPC)
        let audit = try log.open()
        #expect(audit.isFailing)
        #expect(throws: Failure.self) { try audit.append(.sample(0), durable: true) }
        log.fail(.write, nil)
        try audit.append(.sample(0), durable: true)
        #expect(try audit.tail(3).map(\.entry.operation).first == "log.continued")
        #expect(try log.verify().isIntact)
    }

    @Test func whatIsOwedIsBounded() throws {
        let log = try TestLog.small()
        log.fail(.write, ENOSPC)
        let audit = try log.open()
        for number in 0..<1000 { audit.appendOrOwe(AuditEntry(.event, "n\(number)")) }
        log.fail(.write, nil)
        let before = try log.verify().records
        try audit.pay()
        #expect(try log.verify().records == before + 64)
        // Of the rest the newest counts.
        #expect(try audit.tail(1).first?.entry.operation == "n999")
    }
}
