import Glibc
import GuestProtocol
import Linux

/// A command's standard input: bytes of the host that wait for the command to read them, never more than the window.
struct InputStream {
    private var box: SharedDescriptor?
    private var waiting: [UInt8] = []
    private var written = 0
    private var ends = false

    init(_ descriptor: SharedDescriptor) { box = descriptor }

    /// The descriptor, while bytes wait.
    var waitingDescriptor: CInt? { written < waiting.count ? box?.raw : nil }

    /// False when the host sends more than it may.
    mutating func append(_ data: [UInt8]) -> Bool {
        guard waiting.count - written + data.count <= GuestProtocol.window else { return false }
        waiting.removeFirst(written)
        written = 0
        waiting += data
        return true
    }

    /// After the bytes that wait there are no more. A terminal stays open: its end is the character Control-D.
    mutating func end(isTerminal: Bool) {
        if isTerminal {
            waiting.append(4)
        } else {
            ends = true
        }
    }

    /// Writes what goes now; gives the number of bytes that are gone, also those that nobody will read.
    mutating func flush() -> Int {
        let before = written
        while written < waiting.count {
            guard let box, let result = try? GuestStream.write(box.raw, waiting[written...]) else {
                written = waiting.count
                break
            }
            if case .wait = result { break }
            if case .done(let count) = result {
                written += count
            } else {
                self.box = nil
            }
        }
        if ends && written == waiting.count { box = nil }
        return written - before
    }
}

/// A command's standard output or error.
struct OutputStream {
    let isErrors: Bool
    private(set) var isTruncated = false
    private var box: SharedDescriptor?
    private var left: UInt64?

    /// `limit` 0 means none.
    init(_ descriptor: SharedDescriptor, isErrors: Bool, limit: UInt64) {
        box = descriptor
        self.isErrors = isErrors
        left = limit == 0 ? nil : limit
    }

    /// nil once everything was read.
    var descriptor: CInt? { box?.raw }

    /// What is there now, at most `limit` bytes. When the command has ended, an empty pipe is a finished one.
    mutating func read(limit: Int, ended: Bool) -> [UInt8]? {
        while let box {
            guard let result = try? GuestStream.read(box.raw, limit: limit) else {
                self.box = nil
                return nil
            }
            switch result {
            case .wait:
                if ended { self.box = nil }
                return nil
            case .end:
                self.box = nil
                return nil
            case .done(let bytes):
                if let kept = keep(bytes) { return kept }
            }
        }
        return nil
    }

    /// The part within the limit; nil when nothing of it is.
    private mutating func keep(_ bytes: [UInt8]) -> [UInt8]? {
        guard let left else { return bytes }
        let kept = Int(min(left, UInt64(bytes.count)))
        self.left = left - UInt64(kept)
        if kept < bytes.count { isTruncated = true }
        return kept == 0 ? nil : Array(bytes[..<kept])
    }
}
