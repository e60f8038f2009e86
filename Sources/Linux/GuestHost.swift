import Glibc

/// Files and folders of the computer that runs a virtual machine.
package enum HostFile {
    /// Creates a file, or empties it.
    package static func create(_ path: String) throws(SystemError) -> Descriptor {
        let flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
        return Descriptor(owning: try retryingInterrupts("create \(path)") { open(path, flags, 0o644) })
    }

    /// Writes all of it.
    package static func write(_ bytes: ArraySlice<UInt8>, to fd: CInt) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            // SAFETY: the pointer is only used within the call, for as many bytes as it covers.
            let put = try retryingInterrupts("write") {
                rest.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
            }
            rest = rest.dropFirst(put)
        }
    }

    /// Reads what comes next, at most `limit` bytes; empty at the end.
    package static func read(_ fd: CInt, limit: Int) throws(SystemError) -> [UInt8] {
        var got = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            repeat {
                // SAFETY: the buffer has `limit` bytes.
                got = Glibc.read(fd, buffer.baseAddress, limit)
            } while got < 0 && errno == EINTR
            count = max(got, 0)
        }
        guard got >= 0 else { throw SystemError("read") }
        return bytes
    }

    /// A new folder that only this user can enter, in `TMPDIR` where that leaves room for the path of a socket, else in
    /// /tmp. `prefix` names what it is for.
    package static func privateFolder(_ prefix: String) throws(SystemError) -> String {
        var parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        // sockaddr_un holds 107 bytes; leave 40 for the socket's own name and our suffix.
        if parent.utf8.count + prefix.utf8.count > 60 || !parent.hasPrefix("/") { parent = "/tmp" }
        var template = Array("\(parent)/\(prefix)-XXXXXX".utf8CString)
        // SAFETY: the template ends with NUL and is changed in place.
        guard let made = mkdtemp(&template) else { throw SystemError("make a folder in \(parent)") }
        return String(cString: made)
    }

    package static func makeFolders(_ path: String) throws(SystemError) {
        var partial = ""
        for part in path.split(separator: "/") {
            partial += "/" + part
            if mkdir(partial, 0o755) != 0 && errno != EEXIST {
                throw SystemError("make the folder \(partial)")
            }
        }
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
    package static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }
    package static func isWritable(_ path: String) -> Bool { access(path, W_OK) == 0 }

    /// A program's path, found in `PATH` and in the folders of the system's own programs; nil where there is none.
    package static func program(_ name: String) -> String? {
        let path =
            (getenv("PATH").map { String(cString: $0) } ?? "")
            + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// A variable of this process's environment.
    package static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    package static func rename(_ from: String, to: String) throws(SystemError) {
        _ = try retryingInterrupts("rename to \(to)") { Glibc.rename(from, to) }
    }

    package static func remove(_ path: String) { unlink(path) }

    /// Writes a small file that gets its name when it is whole.
    package static func write(_ text: String, to path: String) throws(SystemError) {
        let part = "\(path).\(getpid()).part"
        let file = SharedDescriptor(try create(part))
        let written = Result { () throws(SystemError) in try write(Array(text.utf8)[...], to: file.raw) }
        withExtendedLifetime(file) {}
        if case .failure(let error) = written {
            remove(part)
            throw error
        }
        try rename(part, to: path)
    }

    package static var isRoot: Bool { geteuid() == 0 }
}

extension HostFile {
    /// What a symbolic link points to; nil where it is none.
    package static func target(ofLink path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        // SAFETY: readlink writes at most the array's size.
        let length = readlink(path, &bytes, bytes.count)
        guard length > 0 else { return nil }
        return String(decoding: bytes[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes a folder that is empty.
    package static func removeFolder(_ path: String) { rmdir(path) }

    /// Waits until something can be read, or the other side is gone; false after `milliseconds` without.
    package static func waitReadable(_ fd: CInt, milliseconds: CInt) -> Bool {
        var set = [pollfd(fd: fd, events: Int16(POLLIN), revents: 0)]
        // SAFETY: one entry.
        return Glibc.poll(&set, 1, milliseconds) > 0
    }
}

extension HostFile {
    /// Lets the owner, and nobody else, run it.
    package static func makeExecutable(_ path: String) throws(SystemError) {
        _ = try retryingInterrupts("chmod \(path)") { chmod(path, 0o700) }
    }

    /// Kills a process at once.
    package static func kill(_ process: Int32) { _ = Glibc.kill(process, SIGKILL) }

    /// This program's process.
    package static var process: Int32 { getpid() }
}
