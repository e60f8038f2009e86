import Linux
package import Model

extension AuditRecord {
    /// One line without its line end; nil unless it is spelled exactly as the log spells it. The hash is not checked.
    package init?(line: [UInt8]) {
        guard let record = RecordDecoder.decode(line[...]) else { return nil }
        self = record
    }
}

/// Reads records for display, beside the writer. It does not check the chain (AuditVerifier does); lines that are not
/// records are passed over.
package struct AuditReader: Sendable {
    /// More records are never given at once.
    package static let limit = 1000

    private let folder: AuditFolder

    package init(folder: String) { self.folder = AuditFolder(path: folder) }

    /// The records that follow `seq`, the oldest first, at most `limit` of them: the next page begins after the last.
    package func records(after seq: UInt64, limit: Int) throws(Failure) -> [AuditRecord] {
        try reading { () throws(SystemError) in
            var found: [AuditRecord] = []
            var last = seq
            for reader in try readers(after: seq) {
                while found.count < min(limit, Self.limit), let line = try reader.next() {
                    guard line.isWhole, let record = RecordDecoder.decode(line.bytes), record.seq > last else {
                        continue
                    }
                    found.append(record)
                    last = record.seq
                }
            }
            return found
        }
    }

    /// The newest `count` records, the oldest of them first.
    package func tail(_ count: Int) throws(Failure) -> [AuditRecord] {
        try reading { () throws(SystemError) in
            let count = min(count, Self.limit)
            var found: [AuditRecord] = []
            for path in try paths().reversed() where found.count < count {
                guard let file = try open(path) else { continue }
                let older = try lastRecords(of: file, count - found.count)
                // A file that was renamed between two looks is seen twice.
                found = older.filter { $0.seq < found.first?.seq ?? .max } + found
            }
            return found
        }
    }

    /// The newest record that can be read, in a log that may be broken.
    func lastReadable() -> AuditRecord? { (try? tail(1))?.last }

    private func reading<Result>(_ body: () throws(SystemError) -> Result) throws(Failure) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            throw error.asFailure(.storage, hint: "The audit log is for root and those in its folder's group")
        }
    }

    private func paths() throws(SystemError) -> [String] {
        try folder.numbers().map(folder.rotated) + [folder.current]
    }

    /// nil where a rotation has just removed or renamed it.
    private func open(_ path: String) throws(SystemError) -> Descriptor? {
        do throws(SystemError) {
            return try DurableFile.open(path)
        } catch {
            if error.isNoSuchFile { return nil }
            throw error
        }
    }

    /// From the newest file that begins at or before `seq` on. The current one is opened before the others are listed,
    /// so that a rotation in between loses nothing.
    private func readers(after seq: UInt64) throws(SystemError) -> [LineReader] {
        var readers: [LineReader] = []
        if let current = try open(folder.current) { readers.append(LineReader(current)) }
        if try firstSeq(folder.current) ?? .max <= seq { return readers }
        for number in try folder.numbers().reversed() {
            guard let file = try open(folder.rotated(number)) else { continue }
            readers.insert(LineReader(file), at: 0)
            if try firstSeq(folder.rotated(number)) ?? .max <= seq { break }
        }
        return readers
    }

    private func firstSeq(_ path: String) throws(SystemError) -> UInt64? {
        guard let file = try open(path), let line = try LineReader(file).next() else { return nil }
        return RecordDecoder.decode(line.bytes)?.seq
    }

    /// Reads backwards, in steps that grow, until there are enough lines.
    private func lastRecords(of file: borrowing Descriptor, _ count: Int) throws(SystemError) -> [AuditRecord] {
        let size = try DurableFile.size(of: file)
        var window = min(size, 64 * 1024)
        while true {
            let bytes = try file.read(at: .init(size - window), limit: window)
            let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
            // The first is a part of a line unless the window is the whole file; the last is empty or torn.
            let whole = lines.dropLast().dropFirst(window < size ? 1 : 0)
            if whole.count >= count || window == size || window >= Self.tailBytes {
                return whole.suffix(count).compactMap(RecordDecoder.decode)
            }
            window = min(size, window * 4)
        }
    }

    /// The most that is read at the end of one file.
    private static let tailBytes = 16 * 1024 * 1024
}

extension AuditLog {
    /// As AuditReader.
    package func records(after seq: UInt64, limit: Int) throws(Failure) -> [AuditRecord] {
        try AuditReader(folder: folder).records(after: seq, limit: limit)
    }

    package func tail(_ count: Int) throws(Failure) -> [AuditRecord] {
        try AuditReader(folder: folder).tail(count)
    }
}
