import Linux
import Model

/// The end of one file of the log, checked.
struct AuditTail {
    /// How far back the check goes, in bytes.
    static let window = 256 * 1024

    /// The last record; nil in a file without a whole line.
    var last: AuditRecord?
    /// Where the last whole line ends. What follows was torn by a crash.
    var end = 0
    var size = 0

    var receipt: AuditReceipt? { last.map { AuditReceipt(seq: $0.seq, hash: $0.hash) } }

    /// Throws `.malformed` with the number of the line where a line is not a record or does not follow the one before.
    static func read(_ path: String) throws(Failure) -> AuditTail {
        let (bytes, start) = try load(path)
        var tail = AuditTail(last: nil, end: start, size: start + bytes.count)
        var rest = bytes[...]
        // A window that begins within a file begins within a line.
        if start > 0 {
            guard let newline = rest.firstIndex(of: 10) else { throw broken(path, line: nil) }
            rest = rest[(newline + 1)...]
        }
        while let newline = rest.firstIndex(of: 10) {
            let line = rest[..<newline]
            guard let record = RecordDecoder.decode(line), RecordDecoder.isSealed(record, line), tail.isNext(record)
            else { throw broken(path, line: lineNumber(path, start + line.startIndex)) }
            tail.last = record
            tail.end = start + newline + 1
            rest = rest[(newline + 1)...]
        }
        if start > 0 && tail.last == nil { throw broken(path, line: nil) }
        return tail
    }

    private func isNext(_ record: AuditRecord) -> Bool {
        guard let last else { return true }
        return record.prev == last.hash && record.seq == last.seq + 1
    }

    private static func load(_ path: String) throws(Failure) -> (bytes: [UInt8], start: Int) {
        do throws(SystemError) {
            let file = try DurableFile.open(path)
            let size = try DurableFile.size(of: file, path)
            let start = max(0, size - window)
            return (try file.read(at: .init(start), limit: size - start), start)
        } catch {
            throw error.asFailure(.storage, hint: "Look at the audit log's folder and the disk below it")
        }
    }

    private static func broken(_ path: String, line: Int?) -> Failure {
        let place = line.map { "line \($0)" } ?? "a line near the end"
        return Failure(
            .malformed, "the audit log \(path) is broken at \(place): it does not follow the line before it",
            hint: "Run schedctl audit verify, and keep the file for whoever looks into it")
    }

    /// Of the line that begins at an offset, from 1; nil where it cannot be counted.
    private static func lineNumber(_ path: String, _ offset: Int) -> Int? {
        guard let file = try? DurableFile.open(path) else { return nil }
        var (at, lines) = (0, 1)
        while at < offset {
            guard let bytes = try? file.read(at: .init(at), limit: min(64 * 1024, offset - at)), !bytes.isEmpty else {
                return nil
            }
            lines += bytes.count { $0 == 10 }
            at += bytes.count
        }
        return lines
    }
}
