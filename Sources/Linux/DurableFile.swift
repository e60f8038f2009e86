import Glibc

/// Small files that a crash must leave whole: either the old content or the new one.
package enum DurableFile {
    /// Replaces the file in one step: a temporary file beside it is written, synced, renamed over it, and the folder is
    /// synced. When it throws, the temporary file is gone and the old file is as it was; only an error that names
    /// "sync the folder" comes after the rename, and then either content may be there after a crash.
    ///
    /// A symbolic link at `path` is replaced, not followed. `mode` is exact, whatever the umask.
    package static func write(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600) throws(SystemError) {
        let random = String(UInt64.random(in: .min ... .max), radix: 16)
        let temporary = "\(folder(of: path))/.\(name(of: path)).\(random).new"
        do throws(SystemError) {
            let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
            let file = Descriptor(
                owning: try retryingInterrupts("create \(temporary)") { Glibc.open(temporary, flags, 0o600) })
            let fd = file.raw
            _ = try retryingInterrupts("set the mode of \(temporary)") { fchmod(fd, mode) }
            try HostFile.write(bytes[...], to: fd)
            _ = try retryingInterrupts("sync \(temporary)") { fsync(fd) }
            _ = try retryingInterrupts("rename \(temporary) to \(path)") { Glibc.rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw error
        }
        try syncFolder(folder(of: path))
    }

    /// The whole content of a regular file of at most `limit` bytes; a symbolic link in the last part of the path is
    /// refused with ELOOP, a longer file with EFBIG, anything but a regular file with EINVAL.
    package static func read(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        let file = try open(path)
        guard try size(of: file) <= limit else { throw SystemError("read \(path)", code: EFBIG) }
        let bytes = try file.read(limit: limit + 1)
        guard bytes.count <= limit else { throw SystemError("read \(path)", code: EFBIG) }
        return bytes
    }

    /// A regular file for reading; refuses links and does not wait at a FIFO.
    package static func open(_ path: String) throws(SystemError) -> Descriptor {
        let file = try Descriptor.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        _ = try size(of: file, path)
        return file
    }

    /// In bytes. Anything but a regular file is refused with EINVAL.
    package static func size(of file: borrowing Descriptor, _ path: String = "the file") throws(SystemError) -> Int {
        let fd = file.raw
        var facts = stat()
        _ = try retryingInterrupts("look at \(path)") { fstat(fd, &facts) }
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw SystemError("\(path) is not a regular file", code: EINVAL)
        }
        return Int(facts.st_size)
    }

    /// Renames within a folder and syncs the folder. An existing file of that name is replaced.
    package static func rename(_ path: String, to new: String) throws(SystemError) {
        _ = try retryingInterrupts("rename \(path) to \(new)") { Glibc.rename(path, new) }
        try syncFolder(folder(of: new))
    }

    /// Removes a file and syncs its folder.
    package static func remove(_ path: String) throws(SystemError) {
        _ = try retryingInterrupts("remove \(path)") { unlink(path) }
        try syncFolder(folder(of: path))
    }

    /// Removes what crashes in the middle of `write` left beside `path`. Only for the one process that writes it.
    package static func removeLeftovers(of path: String) throws(SystemError) {
        let prefix = ".\(name(of: path))."
        for found in try Folder.names(folder(of: path)) where found.hasPrefix(prefix) && found.hasSuffix(".new") {
            try remove("\(folder(of: path))/\(found)")
        }
    }

    /// Makes the names in a folder durable.
    package static func syncFolder(_ path: String) throws(SystemError) {
        let file = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        let fd = file.raw
        _ = try retryingInterrupts("sync the folder \(path)") { fsync(fd) }
    }

    private static func name(of path: String) -> Substring {
        path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

/// A lock on a folder that one process at a time holds, until this value is gone. Readers do not need it.
package final class FolderLock: Sendable {
    private let descriptor: Descriptor

    /// Throws EWOULDBLOCK at once when another one holds it.
    package init(_ path: String) throws(SystemError) {
        let folder = try Descriptor.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        let fd = folder.raw
        _ = try retryingInterrupts("lock the folder \(path)") { flock(fd, LOCK_EX | LOCK_NB) }
        descriptor = folder
    }

    // Unlocked and not only closed: a child that was forked meanwhile has the same lock until it calls exec.
    deinit { _ = flock(descriptor.raw, LOCK_UN) }
}

extension SystemError {
    package var isNoSuchFile: Bool { code == ENOENT }
    package var isTooLarge: Bool { code == EFBIG }
    /// Of FolderLock: another one has it.
    package var isHeldByAnother: Bool { code == EWOULDBLOCK }
}
