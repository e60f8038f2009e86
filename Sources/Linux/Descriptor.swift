package import Glibc

/// A file descriptor with one owner; closed when the owner is done with it.
package struct Descriptor: ~Copyable, Sendable {
    package let raw: CInt

    /// Takes ownership of an open descriptor.
    package init(owning raw: CInt) { self.raw = raw }

    deinit { close(raw) }

    /// Gives up ownership: the caller closes it.
    package consuming func release() -> CInt {
        let raw = raw
        discard self
        return raw
    }

    /// A second descriptor for the same open file, close-on-exec.
    package borrowing func duplicate() throws(SystemError) -> Descriptor {
        try Descriptor.duplicating(raw)
    }

    package static func duplicating(_ raw: CInt) throws(SystemError) -> Descriptor {
        Descriptor(owning: try retryingInterrupts("dup") { fcntl(raw, F_DUPFD_CLOEXEC, 3) })
    }

    package static func open(_ path: String, _ flags: CInt = O_RDONLY) throws(SystemError) -> Descriptor {
        Descriptor(owning: try retryingInterrupts("open \(path)") { Glibc.open(path, flags | O_CLOEXEC) })
    }

    /// Up to `limit` bytes from `offset` on.
    package borrowing func read(at offset: off_t = 0, limit: Int) throws(SystemError) -> [UInt8] {
        let fd = raw
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            while count < limit {
                // SAFETY: the range count..<limit lies inside the buffer's capacity.
                let got = pread(fd, buffer.baseAddress.map { $0 + count }, limit - count, offset + off_t(count))
                if got < 0 && errno == EINTR { continue }
                if got < 0 { failure = SystemError("read") }
                if got <= 0 { return }
                count += got
            }
        }
        if let failure { throw failure }
        return bytes
    }
}

/// A descriptor that several values hold; closed when the last of them is gone.
package final class SharedDescriptor: Sendable {
    private let descriptor: Descriptor

    package init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    package var raw: CInt { descriptor.raw }
}

/// Whole small files: those of /proc and /sys, and our own metadata.
package enum TextFile {
    /// The content as text, refused when it is longer than `limit` bytes or not UTF-8.
    package static func read(_ path: String, limit: Int = 64 * 1024) throws(SystemError) -> String {
        let bytes = try readBytes(path, limit: limit)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw SystemError("read \(path)", code: EILSEQ)
        }
        return text
    }

    package static func readBytes(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let bytes = try Descriptor.open(path).readSequentially(limit: limit + 1, path: path)
        guard bytes.count <= limit else { throw SystemError("read \(path)", code: EFBIG) }
        return bytes
    }

    /// The first line without its end; nil where the file cannot be read.
    package static func firstLine(_ path: String) -> String? {
        guard let text = try? read(path) else { return nil }
        return String(text.prefix { $0 != "\n" })
    }
}

extension Descriptor {
    /// For files of /proc and /sys that do not take offsets well.
    fileprivate consuming func readSequentially(limit: Int, path: String) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(limit, 64 * 1024))
        while bytes.count < limit {
            let fd = raw
            let wanted = min(chunk.count, limit - bytes.count)
            let got = try retryingInterrupts("read \(path)") {
                // SAFETY: `wanted` is at most the chunk's count.
                chunk.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, wanted) }
            }
            if got == 0 { break }
            bytes += chunk[..<got]
        }
        return bytes
    }
}
