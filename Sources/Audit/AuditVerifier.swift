import Crypto
import Linux
package import Model

/// Checks a log from its first line to its last, in bounded memory and in one pass.
package struct AuditVerifier {
    private let keys: [String: [UInt8]]
    private let expected: AuditReceipt?
    private var report = AuditReport()
    private var foundExpected = false
    /// Hashes of the lines seen last, to tell a copied line from a new one.
    private var recent: [AuditHash] = []

    /// Every file of the log in a folder. `keys`: raw Ed25519 public keys (32 bytes) by their id. `expecting`: a record
    /// known from elsewhere, without which nobody can see that the log's end was cut off.
    /// Throws `.storage` when files cannot be read; what is wrong in them is in the report.
    package static func verify(
        folder: String, keys: [String: [UInt8]] = [:], expecting head: AuditReceipt? = nil
    ) throws(Failure) -> AuditReport {
        let files = AuditFolder(path: folder)
        do throws(SystemError) {
            // Beside a daemon that writes, a line may be half there and a file may be renamed: then it is looked at again.
            for _ in 0..<3 {
                let numbers = try files.numbers()
                let report = try verify(files, numbers, keys, head)
                let mayHaveMoved = try files.numbers() != numbers || report.problem?.kind == .torn
                if report.isIntact || !mayHaveMoved { return report }
            }
            return try verify(files, try files.numbers(), keys, head)
        } catch {
            throw unreadable(error)
        }
    }

    private static func verify(
        _ files: AuditFolder, _ numbers: [Int], _ keys: [String: [UInt8]], _ head: AuditReceipt?
    ) throws(SystemError) -> AuditReport {
        var verifier = AuditVerifier(keys: keys, expected: head)
        verifier.report.files = numbers.map(files.rotated)
        // A crash in the middle of a rotation leaves no current file.
        if numbers.isEmpty || HostFile.exists(files.current) { verifier.report.files.append(files.current) }
        for (number, next) in zip(numbers, numbers.dropFirst()) where next != number + 1 {
            verifier.report.problem = AuditProblem(
                kind: .missingFiles(from: number + 1, through: next - 1), file: files.rotated(next), line: 0)
            return verifier.report
        }
        return try verifier.run(isFromFirst: numbers.first == 1)
    }

    /// These files, the oldest first.
    package static func verify(
        files: [String], keys: [String: [UInt8]] = [:], expecting head: AuditReceipt? = nil
    ) throws(Failure) -> AuditReport {
        do throws(SystemError) {
            var verifier = AuditVerifier(keys: keys, expected: head)
            verifier.report.files = files
            return try verifier.run(isFromFirst: false)
        } catch {
            throw unreadable(error)
        }
    }

    private static func unreadable(_ error: SystemError) -> Failure {
        error.asFailure(.storage, hint: "The audit log is for root and those in its folder's group")
    }

    private init(keys: [String: [UInt8]], expected: AuditReceipt?) {
        self.keys = keys
        self.expected = expected
    }

    private mutating func run(isFromFirst: Bool) throws(SystemError) -> AuditReport {
        for (index, file) in report.files.enumerated() {
            let reader = LineReader(try DurableFile.open(file))
            while let line = try reader.next() {
                let mustBeFirst = isFromFirst && index == 0
                guard let kind = check(line, mustBeFirst: mustBeFirst) else { continue }
                report.problem = AuditProblem(
                    kind: try explain(kind, line, reader, index), file: file, line: line.number)
                return report
            }
        }
        if let expected, !foundExpected {
            report.problem = AuditProblem(
                kind: .withoutExpected(seq: expected.seq), file: report.files.last ?? "", line: 0)
        }
        return report
    }

    /// nil where the line is right.
    private mutating func check(_ line: LineReader.Line, mustBeFirst: Bool) -> AuditProblem.Kind? {
        if line.isTooLong { return .tooLong }
        guard line.isWhole else { return .torn }
        guard let record = RecordDecoder.decode(line.bytes) else { return .notARecord }
        guard RecordDecoder.isSealed(record, line.bytes) else { return .changed }
        if let problem = place(record, mustBeFirst: mustBeFirst) ?? signature(record) { return problem }
        let receipt = AuditReceipt(seq: record.seq, hash: record.hash)
        if receipt == expected { foundExpected = true }
        report.records += 1
        report.first = report.first ?? record.seq
        report.head = receipt
        if recent.count == 1024 { recent.removeFirst(512) }
        recent.append(record.hash)
        return nil
    }

    private func place(_ record: AuditRecord, mustBeFirst: Bool) -> AuditProblem.Kind? {
        guard let head = report.head else {
            if record.seq == 1 { return record.prev == .genesis ? nil : .replaced }
            let isContinued = record.entry.kind == .start && record.entry.operation == AuditChain.continued
            return isContinued && !mustBeFirst ? nil : .beginsLate
        }
        if record.seq == head.seq + 1 { return record.prev == head.hash ? nil : .replaced }
        if record.seq > head.seq { return .dropped(from: head.seq + 1, through: record.seq - 1) }
        return recent.contains(record.hash) ? .duplicate : .inserted
    }

    private mutating func signature(_ record: AuditRecord) -> AuditProblem.Kind? {
        guard record.entry.kind == .checkpoint else { return record.signature == nil ? nil : .inserted }
        guard let signature = record.signature else {
            report.unsigned += 1
            return nil
        }
        guard let raw = keys[signature.keyID] else {
            // The number of different ids is bounded; a log full of invented ones is not worth more.
            let isKnown = report.unknownKeys[signature.keyID] != nil || report.unknownKeys.count < 64
            report.unknownKeys[isKnown ? signature.keyID : "others", default: 0] += 1
            return nil
        }
        let message = AuditCheckpoint.message(seq: record.seq, prev: record.prev)
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: raw),
            key.isValidSignature(signature.bytes, for: message)
        else { return .badSignature(key: signature.keyID) }
        report.checkpoints += 1
        return nil
    }

    /// Missing lines that come later were not dropped but moved.
    private func explain(
        _ kind: AuditProblem.Kind, _ line: LineReader.Line, _ reader: LineReader, _ index: Int
    ) throws(SystemError) -> AuditProblem.Kind {
        guard case .dropped(let from, let through) = kind else { return kind }
        while let later = try reader.next() {
            if let record = RecordDecoder.decode(later.bytes), (from...through).contains(record.seq) {
                return .reordered
            }
        }
        for file in report.files.dropFirst(index + 1) {
            let reader = LineReader(try DurableFile.open(file))
            while let later = try reader.next() {
                if let record = RecordDecoder.decode(later.bytes), (from...through).contains(record.seq) {
                    return .reordered
                }
            }
        }
        return kind
    }
}
