/// What the check of a log found.
package struct AuditReport: Hashable, Sendable {
    /// The files that were looked at, the oldest first.
    package var files: [String] = []
    /// The records up to the first problem.
    package var records = 0
    /// The chain begins with this record: 1, or a later one when older files were removed.
    package var first: UInt64?
    /// The last record that is right.
    package var head: AuditReceipt?
    /// Checkpoints whose signature is right.
    package var checkpoints = 0
    /// Checkpoints by keys that were not given.
    package var unknownKeys: [String: Int] = [:]
    package var unsigned = 0
    package var problem: AuditProblem?

    package var isIntact: Bool { problem == nil }
}

/// The first thing that is wrong in a log.
package struct AuditProblem: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// The line is not what its hash was made of.
        case changed
        /// It is whole and follows another line than the one before it.
        case replaced
        case dropped(from: UInt64, through: UInt64)
        case reordered, duplicate, inserted, notARecord, tooLong
        /// The last line has no end: a crash, or a cut.
        case torn
        case badSignature(key: String)
        /// Files with these numbers are not there.
        case missingFiles(from: Int, through: Int)
        /// The first record is neither number 1 nor the beginning of a file.
        case beginsLate
        /// The record that was expected is not in the log: its end was cut off, or it is another log.
        case withoutExpected(seq: UInt64)
    }

    package let kind: Kind
    package let file: String
    /// From 1; 0 where it is about the whole file.
    package let line: Int

    package var description: String {
        let place = line > 0 ? "\(file), line \(line)" : file
        return "\(place): \(sentence)"
    }

    private var sentence: String {
        switch kind {
        case .changed: "this line was changed"
        case .replaced: "this line does not follow the one before it: one of the two was replaced"
        case .dropped(let from, let through):
            from == through
                ? "record \(from) is missing before it" : "records \(from) to \(through) are missing before it"
        case .reordered: "this line stands before lines that it follows"
        case .duplicate: "this line was there before"
        case .inserted: "this line was put in"
        case .notARecord: "this line is not a record"
        case .tooLong: "this line is longer than any record"
        case .torn: "the last line is torn off"
        case .badSignature(let key): "the checkpoint's signature by key \(key) is wrong"
        case .missingFiles(let from, let through):
            from == through ? "the file number \(from) is missing" : "the files \(from) to \(through) are missing"
        case .beginsLate: "the log's beginning is cut off"
        case .withoutExpected(let seq): "record \(seq) with the expected hash is not in the log"
        }
    }
}
