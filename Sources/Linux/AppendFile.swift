import Glibc

/// A file that only grows: each append is there whole or not at all. One writer at a time; the caller locks.
package final class AppendFile: Sendable {
    private let descriptor: Descriptor
    package let path: String

    /// Opens or creates it. A symbolic link is refused with ELOOP. A new file gets exactly `mode`, and its name is
    /// durable when this returns.
    package init(_ path: String, mode: UInt32) throws(SystemError) {
        let flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK
        self.path = path
        if let file = try? Descriptor.open(path, flags) {
            descriptor = file
            return
        }
        let creating = flags | O_CREAT | O_CLOEXEC
        let file = Descriptor(owning: try retryingInterrupts("open \(path)") { Glibc.open(path, creating, mode) })
        let fd = file.raw
        _ = try retryingInterrupts("set the mode of \(path)") { fchmod(fd, mode) }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        try DurableFile.syncFolder(folder)
        descriptor = file
    }

    /// In bytes; 0 for a device.
    package func size() throws(SystemError) -> Int {
        let fd = descriptor.raw
        var facts = stat()
        _ = try retryingInterrupts("look at \(path)") { fstat(fd, &facts) }
        return Int(facts.st_size)
    }

    /// Adds all the bytes or, when it throws, none: what was written of them is cut off again. Should the cut fail too,
    /// a torn end stays, which the reader of the file has to expect after a crash anyway.
    package func append(_ bytes: [UInt8]) throws(SystemError) {
        let before = try size()
        let fd = descriptor.raw
        var written = 0
        do throws(SystemError) {
            while written < bytes.count {
                let put = try retryingInterrupts("write \(path)") {
                    // SAFETY: the pointer is used within the call only; `written` is below the buffer's count.
                    bytes.withUnsafeBytes {
                        Glibc.write(fd, $0.baseAddress.map { $0 + written }, $0.count - written)
                    }
                }
                guard put > 0 else { throw SystemError("write \(path)", code: EIO) }
                written += put
            }
        } catch {
            if written > 0 { try? truncate(to: before) }
            throw error
        }
    }

    /// Makes the content durable. After it throws nobody knows what of it the disk has: the kernel reports a failed
    /// write-back once and then takes the pages for clean. Open the file again and look; never just try again.
    package func sync() throws(SystemError) {
        let fd = descriptor.raw
        _ = try retryingInterrupts("sync \(path)") { fdatasync(fd) }
    }

    package func truncate(to size: Int) throws(SystemError) {
        let fd = descriptor.raw
        _ = try retryingInterrupts("truncate \(path)") { ftruncate(fd, off_t(size)) }
    }

    package func read(at offset: Int, limit: Int) throws(SystemError) -> [UInt8] {
        try descriptor.read(at: off_t(offset), limit: limit)
    }
}
