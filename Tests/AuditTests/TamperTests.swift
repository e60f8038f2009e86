import Audit
import Foundation
import Model
import TestSupport
import Testing

/// Every way of changing a log that the chain has to show, and which line is named.
@Suite(.timeLimit(.minutes(10))) struct TamperTests {
    /// Every bit-flip of one kind at every position of the file.
    @Test(arguments: [0x01, 0x20, 0x80] as [UInt8]) func everyFlippedByteIsFound(_ bits: UInt8) throws {
        let log = try TestLog.small(2)
        let bytes = log.folder.bytes("audit.jsonl")
        var line = 1
        for position in bytes.indices {
            var changed = bytes
            changed[position] ^= bits
            try log.folder.write(changed, to: "audit.jsonl")
            let problem = try #require(try log.verify().problem, "byte \(position)")
            #expect(problem.line == line, "byte \(position): \(problem)")
            if position == bytes.count - 1 { #expect(problem.kind == .torn) }
            if bytes[position] == 10 { line += 1 }
        }
    }

    @Test(arguments: 0..<8) func aDroppedLineIsFound(_ index: Int) throws {
        let log = try TestLog.small()
        var lines = log.lines
        #expect(lines.count == 8)
        let head = try log.verify().head
        lines.remove(at: index)
        try log.write(lines: lines)
        let problem = try log.verify(expecting: head).problem
        switch index {
        case 0: #expect(problem?.kind == .beginsLate)
        case 7: #expect(problem?.kind == .withoutExpected(seq: 8))
        default:
            let number = UInt64(index + 1)
            #expect(problem?.kind == .dropped(from: number, through: number))
            #expect(problem?.line == index + 1)
        }
    }

    @Test func severalDroppedLinesAreNamed() throws {
        let log = try TestLog.small()
        var lines = log.lines
        lines.removeSubrange(2..<5)
        try log.write(lines: lines)
        let problem = try log.verify().problem
        #expect(problem?.kind == .dropped(from: 3, through: 5))
        #expect(problem?.description.hasSuffix("audit.jsonl, line 3: records 3 to 5 are missing before it") == true)
    }

    @Test(arguments: 0..<7) func swappedLinesAreFound(_ index: Int) throws {
        let log = try TestLog.small()
        var lines = log.lines
        lines.swapAt(index, index + 1)
        try log.write(lines: lines)
        let problem = try log.verify().problem
        #expect(problem?.kind == (index == 0 ? .beginsLate : .reordered))
        #expect(problem?.line == index + 1)
    }

    @Test(arguments: 0..<8) func aDuplicatedLineIsFound(_ index: Int) throws {
        let log = try TestLog.small()
        var lines = log.lines
        lines.insert(lines[index], at: index + 1)
        try log.write(lines: lines)
        let problem = try log.verify().problem
        #expect(problem?.kind == .duplicate)
        #expect(problem?.line == index + 2)
    }

    @Test(arguments: 1..<8) func aLineOfAnotherLogIsFound(_ index: Int) throws {
        let log = try TestLog.small()
        let other = try TestLog.small(3, later: 9)
        var lines = log.lines
        lines.insert(other.lines[1], at: index)
        try log.write(lines: lines)
        let problem = try #require(try log.verify().problem)
        #expect([.replaced, .inserted].contains(problem.kind))
        #expect(problem.line == index + 1)
    }

    /// One who can write the file can make a line's own hash right, yet not that of the next line.
    @Test func aLineMadeAnewIsFoundAtTheNext() throws {
        let log = try TestLog.small()
        let forger = try TestLog()
        try forger.write(lines: Array(log.lines[..<3]))
        let audit = try forger.open()
        try audit.append(.sample(1), durable: false)
        var lines = log.lines
        lines[3] = forger.lines[3]
        try log.write(lines: lines)
        let problem = try log.verify().problem
        #expect(problem?.kind == .replaced)
        #expect(problem?.line == 5)
    }

    @Test func aCutEndIsSeenOnlyAgainstAKnownRecord() throws {
        let log = try TestLog.small()
        let head = try #require(try log.verify().head)
        try log.write(lines: Array(log.lines.dropLast(3)))
        #expect(try log.verify().problem == nil)
        #expect(try log.verify(expecting: head).problem?.kind == .withoutExpected(seq: head.seq))
        let wrong = AuditReceipt(seq: 2, hash: .genesis)
        #expect(try log.verify(expecting: wrong).problem?.kind == .withoutExpected(seq: 2))
    }

    @Test(arguments: [
        "", " ", "{}", "[]", "null", "{\"seq\":1}", "not JSON", "\u{FEFF}", "{\"seq\":01}",
    ]) func whatIsNoRecordIsFound(_ text: String) throws {
        let log = try TestLog.small()
        var lines = log.lines
        lines.insert(text, at: 4)
        try log.write(lines: lines)
        let problem = try log.verify().problem
        #expect(problem?.kind == .notARecord)
        #expect(problem?.line == 5)
    }

    @Test func anotherSpellingOfTheSameRecordIsNoRecord() throws {
        let log = try TestLog.small()
        let lines = log.lines
        let spellings = [
            lines[2].replacing("\"seq\":3", with: "\"seq\": 3"), lines[2].replacing("\"seq\":3", with: "\"seq\":03"),
            lines[2].replacing("deploy", with: "\\u0064eploy"), lines[2] + " ", " " + lines[2],
            lines[2].replacing("}", with: ",\"x\":1}"), lines[2].replacing("\"prev\"", with: "\"ref\":1,\"prev\""),
            lines[2] + "\r",
        ]
        for spelling in spellings {
            var changed = lines
            changed[2] = spelling
            try log.write(lines: changed)
            let problem = try log.verify().problem
            #expect(problem?.line == 3)
            #expect(problem?.kind == .notARecord || problem?.kind == .changed)
        }
    }

    @Test(arguments: [64 * 1024 + 1, 100_000, 200_000, 3_000_000]) func aLongLineIsFound(_ length: Int) throws {
        let log = try TestLog.small()
        var lines = log.lines
        lines.insert(String(repeating: "x", count: length), at: 3)
        try log.write(lines: lines)
        let problem = try log.verify().problem
        #expect(problem?.kind == .tooLong)
        #expect(problem?.line == 4)
    }

    /// Random rubbish never crashes the reader or the check.
    @Test(arguments: 1...30 as ClosedRange<UInt64>) func mutatedLogsAreNeverIntact(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let log = try TestLog.small(4)
        let bytes = log.folder.bytes("audit.jsonl")
        for _ in 0..<20 {
            var changed = bytes
            let from = random.below(changed.count)
            let upTo = min(changed.count, from + random.below(40))
            changed.replaceSubrange(from..<upTo, with: random.bytes(1 + random.below(40)))
            if changed == bytes { continue }
            try log.folder.write(changed, to: "audit.jsonl")
            #expect(try log.verify().problem != nil)
            _ = try AuditReader(folder: log.path).tail(100)
        }
    }

    @Test func checkpointsAreChecked() throws {
        let log = try TestLog()
        let audit = try log.open()
        for index in 0..<3 {
            try audit.append(.sample(index), durable: false)
            try audit.checkpoint()
        }
        let good = try log.verify()
        #expect(good.checkpoints == 3 && good.unknownKeys.isEmpty && good.unsigned == 0 && good.isIntact)
        let unknown = try AuditVerifier.verify(folder: log.path)
        #expect(unknown.checkpoints == 0 && unknown.unknownKeys == ["audit-1": 3] && unknown.isIntact)
        let other = [UInt8](TestLog.otherKey)
        let bad = try AuditVerifier.verify(folder: log.path, keys: ["audit-1": other])
        #expect(bad.problem?.kind == .badSignature(key: "audit-1"))
        #expect(bad.problem?.line == 3)
        let short = try AuditVerifier.verify(folder: log.path, keys: ["audit-1": [1, 2, 3]])
        #expect(short.problem?.kind == .badSignature(key: "audit-1"))
    }

    @Test func aLogWithoutAKeySaysSo() throws {
        let log = try TestLog()
        let audit = try log.open(signed: false)
        try audit.close()
        let report = try log.verify()
        #expect(report.unsigned == 1 && report.checkpoints == 0 && report.isIntact)
    }

    /// A forger without the key who writes the whole chain anew cannot sign it.
    @Test func awholeNewChainHasNoSignature() throws {
        let log = try TestLog()
        let forged = try AuditLog.open(
            folder: log.path, signer: { _ in ("audit-1", [UInt8](repeating: 7, count: 64)) })
        try forged.append(.sample(0), durable: false)
        try forged.close()
        #expect(try log.verify().problem?.kind == .badSignature(key: "audit-1"))
    }

    @Test func everyRecordsDueBringsACheckpoint() throws {
        let log = try TestLog()
        let audit = try log.open()
        for index in 0..<600 { try audit.append(.sample(index), durable: false) }
        let report = try log.verify()
        #expect(report.checkpoints == 2)
        #expect(report.records == 603)
    }
}
