import FoundationEssentials
import Linux
import Model
import Synchronization

/// The log of changes: every change that was acknowledged since the older of the two backups, one a line, synced before the
/// database commits it. With a backup it makes the database again.
///
/// A line is `NUMBER CHECKSUM JSON`. A segment of the log is a file named by the number of its first change; a new one is
/// begun at each backup.
final class ChangeLog: Sendable {
    /// What others may ask while a sync is going on.
    private struct Progress {
        var next: Int64
        var segmentBytes = 0
        /// After a failure whose extent nobody knows: nothing is written until the log was opened and read again.
        var isBroken = false
    }

    private let folder: RepositoryFolder
    private let current: Mutex<AppendFile?>
    private let progress: Mutex<Progress>

    /// - Parameters:
    ///   - next: the number of the next change.
    ///   - continuing: the segment to go on with; nil begins a new one.
    init(_ folder: RepositoryFolder, next: Int64, continuing segment: String?) throws(Failure) {
        self.folder = folder
        do throws(SystemError) {
            let file = try segment.map { path throws(SystemError) in try AppendFile(path, mode: 0o600) }
            progress = Mutex(Progress(next: next, segmentBytes: try file?.size() ?? 0))
            current = Mutex(file)
        } catch { throw error.asFailure(.storage) }
    }

    var next: Int64 { progress.withLock { $0.next } }
    var isBroken: Bool { progress.withLock { $0.isBroken } }
    /// Of the current segment.
    var bytes: Int { progress.withLock { $0.segmentBytes } }

    /// Writes and syncs lines, then lets the caller commit. When that throws, the lines are taken back.
    func append(_ changes: [(sequence: Int64, json: String)], then commit: () throws -> Void) throws {
        guard let first = changes.first else { return try commit() }
        try current.withLock { current in
            guard !isBroken else { throw Failure(.storage, "the log of changes failed before") }
            let file = try current ?? begin(first.sequence)
            current = file
            let bytes = changes.flatMap { Array(Self.line($0.sequence, $0.json).utf8) }
            let before = try file.size()
            do throws(SystemError) { try file.append(bytes) } catch {
                if (try? file.size()) != before { markBroken() }
                throw error.asFailure(.storage)
            }
            do throws(SystemError) { try file.sync() } catch {
                markBroken()
                try? file.truncate(to: before)
                throw error.asFailure(.storage)
            }
            do { try commit() } catch {
                takeBack(file, to: before)
                throw error
            }
            progress.withLock {
                $0.segmentBytes = before + bytes.count
                $0.next = first.sequence + Int64(changes.count)
            }
        }
    }

    private func begin(_ first: Int64) throws(Failure) -> AppendFile {
        do throws(SystemError) { return try AppendFile(folder.segment(first), mode: 0o600) } catch {
            throw error.asFailure(.storage)
        }
    }

    private func takeBack(_ file: AppendFile, to size: Int) {
        do throws(SystemError) {
            try file.truncate(to: size)
            try file.sync()
        } catch { markBroken() }
    }

    private func markBroken() { progress.withLock { $0.isBroken = true } }

    /// The next change begins a new segment.
    func rotate() {
        current.withLock { file in
            file = nil
            progress.withLock { $0.segmentBytes = 0 }
        }
    }

    static func line(_ sequence: Int64, _ json: String) -> String {
        "\(sequence) \(checksum(sequence, json)) \(json)\n"
    }

    static func checksum(_ sequence: Int64, _ json: String) -> String {
        String(ArtifactStore.digest(Array("\(sequence) \(json)".utf8)).prefix(16))
    }
}

/// Reads a segment of the log, line by line, in pieces.
struct SegmentReader {
    static let maxLineBytes = 16 << 20
    private static let pieceBytes = 1 << 20

    struct Report: Sendable {
        /// Up to here every line is whole; what follows is a torn tail unless `damaged` is above 0.
        var wholeBytes = 0
        var size = 0
        /// Lines that cannot be read and that others follow.
        var damaged = 0
        var last: Int64?
    }

    /// Calls `visit` for each whole line, in the order of the file.
    static func read(_ path: String, _ visit: (Int64, String) throws -> Void) throws -> Report {
        let file = try DurableFile.open(path)
        var report = Report()
        var rest: [UInt8] = []
        var bad = 0
        while true {
            let piece = try file.read(at: report.size, limit: pieceBytes)
            report.size += piece.count
            rest += piece
            var start = rest.startIndex
            while let end = rest[start...].firstIndex(of: 10) {
                let line = rest[start..<end]
                start = end + 1
                guard let (sequence, json) = parse(line) else {
                    bad += 1
                    continue
                }
                report.damaged += bad
                bad = 0
                report.last = sequence
                report.wholeBytes = report.size - (rest.endIndex - start)
                try visit(sequence, json)
            }
            rest.removeSubrange(..<start)
            // What is longer is no line of ours.
            if rest.count > maxLineBytes { rest.removeAll() }
            if piece.isEmpty { return report }
        }
    }

    static func parse(_ line: ArraySlice<UInt8>) -> (Int64, String)? {
        guard let text = String(validating: line, as: UTF8.self) else { return nil }
        let parts = text.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let sequence = Int64(parts[0]), sequence > 0 else { return nil }
        let json = String(parts[2])
        return ChangeLog.checksum(sequence, json) == parts[1] ? (sequence, json) : nil
    }
}
