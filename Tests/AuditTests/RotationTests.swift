import Audit
import Foundation
import Model
import TestSupport
import Testing

/// Many files, one chain.
@Suite(.timeLimit(.minutes(10))) struct RotationTests {
    let small = AuditLimits(maxFileBytes: 4096, maxFiles: 1000)

    private func rotated(_ records: Int = 60, later: Int64 = 0) throws -> TestLog {
        let log = try TestLog(later: later)
        let audit = try log.open(small)
        for index in 0..<records { try audit.append(.sample(index), durable: false) }
        try audit.close()
        return log
    }

    @Test func theChainGoesThroughAllFiles() throws {
        let log = try rotated()
        let names = log.folder.names()
        #expect(names.count > 4)
        #expect(names[0] == "audit.jsonl" && names[1] == "audit.jsonl.000001")
        let report = try log.verify()
        #expect(report.isIntact && report.first == 1)
        #expect(report.files.count == names.count)
        #expect(report.files.last?.hasSuffix("/audit.jsonl") == true)
        // Each closed file ends with a record of the rotation and a signed checkpoint.
        #expect(report.checkpoints == names.count)
        for name in names.dropFirst() {
            let lines = log.folder.text(name).split(separator: "\n")
            #expect(lines.suffix(2).first?.contains("\"kind\":\"rotation\"") == true)
            #expect(lines.last?.contains("\"kind\":\"checkpoint\"") == true)
            #expect(log.folder.bytes(name).count < 4096 + 2048)
        }
        let again = try AuditVerifier.verify(files: report.files, keys: TestLog.keys)
        #expect(again == report)
    }

    @Test func oldFilesAreRemoved() throws {
        let log = try TestLog()
        let audit = try log.open(AuditLimits(maxFileBytes: 4096, maxFiles: 3))
        for index in 0..<100 { try audit.append(.sample(index), durable: false) }
        #expect(log.folder.names().count == 4)
        let report = try log.verify()
        #expect(report.isIntact)
        #expect(report.first ?? 0 > 1)
        #expect(!report.files.contains { $0.hasSuffix("000001") })
    }

    @Test func aMissingFileIsNamed() throws {
        let log = try rotated()
        try log.folder.remove("audit.jsonl.000002")
        let problem = try log.verify().problem
        #expect(problem?.kind == .missingFiles(from: 2, through: 2))
        try log.folder.remove("audit.jsonl.000003")
        #expect(try log.verify().problem?.kind == .missingFiles(from: 2, through: 3))
    }

    /// The last rotated file, where no later number tells.
    @Test func theLastFileMissingIsFound() throws {
        let log = try rotated()
        let last = try #require(log.folder.names().last)
        try log.folder.remove(last)
        guard case .dropped = try log.verify().problem?.kind else {
            Issue.record("not found")
            return
        }
    }

    @Test func aCutBeginningIsFound() throws {
        let log = try TestLog()
        let audit = try log.open(AuditLimits(maxFileBytes: 4096, maxFiles: 2))
        for index in 0..<60 { try audit.append(.sample(index), durable: false) }
        let oldest = log.folder.names()[1]
        let lines = log.folder.text(oldest).split(separator: "\n")
        try log.folder.write(lines.dropFirst(2).joined(separator: "\n") + "\n", to: oldest)
        #expect(try log.verify().problem?.kind == .beginsLate)
    }

    @Test func aFileOfAnotherLogIsFound() throws {
        let log = try rotated()
        let other = try rotated(later: 9)
        try log.folder.write(other.folder.bytes("audit.jsonl.000002"), to: "audit.jsonl.000002")
        let problem = try log.verify().problem
        #expect(problem?.kind == .replaced)
        #expect(problem?.file.hasSuffix("000002") == true && problem?.line == 1)
    }

    @Test func otherNamesAreNoFilesOfTheLog() throws {
        let log = try rotated()
        for name in [
            "audit.jsonl.1", "audit.jsonl.0000010", "audit.jsonl.000000", "audit.jsonl.-00001", "x",
            "audit.jsonl.000001.gz", "audit.jsonl.+00001",
        ] {
            try log.folder.write("rubbish", to: name)
        }
        #expect(try log.verify().isIntact)
        #expect(try log.open(small).head.seq > 60)
    }

    /// Each step of a rotation may be the last before a crash.
    @Test(arguments: [AuditFaultPoint.rename, .create, .write, .sync]) func aRotationThatFailsGoesOn(
        _ point: AuditFaultPoint
    ) throws {
        for reopened in [false, true] {
            let log = try TestLog()
            var audit: AuditLog? = try log.open(small)
            while log.folder.bytes("audit.jsonl").count < 3700 { try audit?.append(.sample(0), durable: false) }
            log.fail(point)
            for _ in 0..<3 {
                #expect(throws: Failure.self) {
                    for _ in 0..<4 { try audit?.append(.sample(0), durable: true) }
                }
            }
            log.fail(point, nil)
            if reopened {
                audit = nil
                audit = try log.open(small)
            }
            for index in 0..<30 { try audit?.append(.sample(index), durable: false) }
            let report = try log.verify()
            #expect(report.problem == nil)
            #expect(report.files.count > 2)
        }
    }

    enum State: CaseIterable {
        case rotationWritten, closed, renamed, created, torn, begun, oldStillThere
    }

    @Test(arguments: State.allCases) func everyStateOfARotationIsRecovered(_ state: State) throws {
        let log = try rotated()
        // The newest two files, as they were around the last rotation.
        let newest = try #require(log.folder.names().last)
        let closed = log.folder.text(newest)
        let current = log.folder.text("audit.jsonl").split(separator: "\n").map { String($0) + "\n" }
        switch state {
        case .rotationWritten:
            let lines = closed.split(separator: "\n").dropLast()
            try log.folder.write(lines.joined(separator: "\n") + "\n", to: "audit.jsonl")
            try log.folder.remove(newest)
        case .closed:
            try log.folder.write(closed, to: "audit.jsonl")
            try log.folder.remove(newest)
        case .renamed: try log.folder.remove("audit.jsonl")
        case .created: try log.folder.write("", to: "audit.jsonl")
        case .torn: try log.folder.write(String(current[0].dropLast(20)), to: "audit.jsonl")
        case .begun, .oldStillThere: try log.folder.write(current[0], to: "audit.jsonl")
        }
        if state != .torn { #expect(try log.verify().problem == nil) }
        let limits = state == .oldStillThere ? AuditLimits(maxFileBytes: 4096, maxFiles: 2) : small
        let audit = try log.open(limits)
        for index in 0..<20 { try audit.append(.sample(index), durable: false) }
        try audit.close()
        let report = try log.verify()
        #expect(report.problem == nil)
        if state == .oldStillThere { #expect(log.folder.names().count == 3) } else { #expect(report.first == 1) }
    }

    @Test func aRotatedFileThatIsTornIsRefused() throws {
        let log = try rotated()
        let newest = try #require(log.folder.names().last)
        try log.folder.write(Array(log.folder.bytes(newest).dropLast(5)), to: newest)
        try log.folder.remove("audit.jsonl")
        let failure = #expect(throws: Failure.self) { _ = try log.open(small) }
        #expect(failure?.message.contains("ends in the middle of a line") == true)
    }

    @Test func allFilesGoAside() throws {
        let log = try rotated()
        let count = log.folder.names().count
        try log.write(lines: ["rubbish"])
        let refusal = try #require(#expect(throws: Failure.self) { _ = try log.open(small) })
        _ = try log.openAside(because: refusal)
        #expect(log.folder.names().count { $0.hasSuffix(".broken-1") } == count)
        #expect(log.folder.names().count == count + 1)
        #expect(try log.verify().first == 1)
    }

    @Test func readingGoesThroughAllFiles() throws {
        let log = try rotated(200)
        let reader = AuditReader(folder: log.path)
        let all = try reader.records(after: 0, limit: 1000)
        let head = try #require(try log.verify().head)
        #expect(all.map(\.seq) == Array(1...head.seq))
        for seq in stride(from: 0, through: head.seq + 2, by: 7) {
            let page = try reader.records(after: seq, limit: 5)
            #expect(page == Array(all.drop { $0.seq <= seq }.prefix(5)))
        }
        for count in [0, 1, 2, 10, 50, 150, 1000] { #expect(try reader.tail(count) == Array(all.suffix(count))) }
    }
}
