import CLinux
import Glibc

/// The files of a confined program's work folder, and who it may be.
package enum SandboxFiles {
    /// The user without any right, in place of root.
    package static let nobody: UInt32 = 65534

    /// Whether any user can get there and read it: the last part and every folder on the way.
    package static func isOpenToEveryone(_ path: String) -> Bool {
        // SAFETY: realpath allocates its answer, which is copied and freed.
        guard let resolved = realpath(path, nil) else { return false }
        defer { free(resolved) }
        let parts = String(cString: resolved).split(separator: "/")
        var partial = ""
        for (index, part) in parts.enumerated() {
            partial += "/" + part
            var facts = stat()
            guard stat(partial, &facts) == 0 else { return false }
            let isFolder = facts.st_mode & S_IFMT == S_IFDIR
            if isFolder && facts.st_mode & S_IXOTH == 0 { return false }
            if index == parts.count - 1 && facts.st_mode & S_IROTH == 0 { return false }
        }
        return true
    }

    /// The path without links and `..`; nil where it does not exist.
    package static func resolved(_ path: String) -> String? {
        // SAFETY: as above.
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Makes a folder another user's.
    package static func give(_ path: String, to user: UInt32) throws(SystemError) {
        _ = try retryingInterrupts("chown \(path)") { clinux_give(path, user, user) }
    }

    /// Writes a new file that everyone who gets there can read and nobody can write, whatever the umask.
    package static func create(_ path: String, _ bytes: [UInt8]) throws(SystemError) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW
        let file = Descriptor(owning: try retryingInterrupts("create \(path)") { open(path, flags, 0o600) })
        let fd = file.raw
        _ = try retryingInterrupts("chmod \(path)") { fchmod(fd, 0o444) }
        try HostFile.write(bytes[...], to: fd)
        withExtendedLifetime(file) {}
    }

    /// Makes a folder that everyone can enter, whatever the umask.
    package static func makeFolder(_ path: String) throws(SystemError) {
        _ = try retryingInterrupts("make the folder \(path)") { mkdir(path, 0o755) }
        _ = try retryingInterrupts("chmod \(path)") { chmod(path, 0o755) }
    }

    /// Device, inode, size and time of change: the same as long as the content is. nil where there is no file.
    package static func facts(_ path: String) -> String? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        return "\(facts.st_dev) \(facts.st_ino) \(facts.st_size) \(facts.st_mtim.tv_sec) \(facts.st_mtim.tv_nsec) "
            + "\(facts.st_ctim.tv_sec) \(facts.st_ctim.tv_nsec)"
    }

    /// The first bytes of a file, at most `limit`.
    package static func head(_ path: String, limit: Int) throws(SystemError) -> [UInt8] {
        try Descriptor.open(path).read(limit: limit)
    }

    package static func isFolder(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }
}
