import Glibc

/// A folder that others may write to as well: its files and folders are reached by name from an open descriptor, and never
/// through a symbolic link, so that nothing put there leads elsewhere.
package struct OpenFolder: ~Copyable, Sendable {
    private let descriptor: Descriptor
    /// For messages.
    package let path: String

    /// The folder itself may be named through links: whoever named it chose them.
    package init(_ path: String) throws(SystemError) {
        descriptor = try Descriptor.open(path, O_RDONLY | O_DIRECTORY)
        self.path = path
    }

    /// As above, and made with its parents where it is not there.
    package static func making(_ path: String) throws(SystemError) -> OpenFolder {
        var partial = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            partial += part + "/"
            if mkdir(partial, 0o755) != 0 && errno != EEXIST { throw SystemError("make the folder \(partial)") }
        }
        return try OpenFolder(path)
    }

    private init(_ descriptor: consuming Descriptor, _ path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// A folder in it.
    package func folder(_ name: String) throws(SystemError) -> OpenFolder {
        OpenFolder(try open(name, O_RDONLY | O_DIRECTORY), "\(path)/\(name)")
    }

    /// A folder in it, made where it is not there.
    package func makeFolder(_ name: String) throws(SystemError) -> OpenFolder {
        let parent = descriptor.raw
        try Self.check(name, in: path)
        if mkdirat(parent, name, 0o755) != 0 && errno != EEXIST { throw SystemError("make the folder \(path)/\(name)") }
        return try folder(name)
    }

    /// The whole of a regular file of at most `limit` bytes; EFBIG for a longer one, ELOOP for a link, EINVAL for anything
    /// else that is no file. Waits for nobody at a FIFO.
    package func read(_ name: String, limit: Int) throws(SystemError) -> [UInt8] {
        let file = try open(name, O_RDONLY | O_NONBLOCK)
        let place = "\(path)/\(name)"
        guard try DurableFile.size(of: file, place) <= limit else { throw SystemError("read \(place)", code: EFBIG) }
        let bytes = try file.read(limit: limit + 1)
        guard bytes.count <= limit else { throw SystemError("read \(place)", code: EFBIG) }
        return bytes
    }

    /// Bytes of a regular file; nil where there is none of that name.
    package func size(_ name: String) throws(SystemError) -> Int? {
        do throws(SystemError) {
            return try DurableFile.size(of: open(name, O_RDONLY | O_NONBLOCK), "\(path)/\(name)")
        } catch {
            if error.code == ENOENT { return nil }
            throw error
        }
    }

    /// Replaces a file in one step, synced. A link of that name is replaced, not followed.
    package func write(_ name: String, _ bytes: [UInt8]) throws(SystemError) {
        try Self.check(name, in: path)
        let parent = descriptor.raw
        let temporary = ".\(String(UInt64.random(in: .min ... .max), radix: 16)).new"
        do throws(SystemError) {
            let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
            let file = Descriptor(
                owning: try retryingInterrupts("create a file in \(path)") { openat(parent, temporary, flags, 0o644) })
            let fd = file.raw
            try HostFile.write(bytes[...], to: fd)
            _ = try retryingInterrupts("sync \(path)/\(name)") { fsync(fd) }
            _ = try retryingInterrupts("name \(path)/\(name)") { renameat(parent, temporary, parent, name) }
        } catch {
            unlinkat(parent, temporary, 0)
            throw error
        }
    }

    /// Nothing but `.` and `..` is in it.
    package func isEmpty() throws(SystemError) -> Bool {
        try Folder.names("/proc/self/fd/\(descriptor.raw)", limit: 1).isEmpty
    }

    private func open(_ name: String, _ flags: CInt) throws(SystemError) -> Descriptor {
        try Self.check(name, in: path)
        let parent = descriptor.raw
        return Descriptor(
            owning: try retryingInterrupts("open \(path)/\(name)") {
                openat(parent, name, flags | O_NOFOLLOW | O_CLOEXEC)
            })
    }

    /// One part of a path, which leads nowhere else.
    private static func check(_ name: String, in path: String) throws(SystemError) {
        let isPlain = !name.isEmpty && name != "." && name != ".." && !name.utf8.contains { $0 == 0 || $0 == 0x2F }
        guard isPlain, name.utf8.count <= 255 else { throw SystemError("open a file in \(path)", code: EINVAL) }
    }
}
