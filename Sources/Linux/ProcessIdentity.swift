import Glibc

/// What /proc says of another process: for the record only, because all of it can change in the next moment.
package enum ProcessIdentity {
    /// What the kernel calls the process, at most 15 bytes; empty where it has ended. At first that is the beginning of the file's
    /// name, but a process may call itself what it likes. The file itself is for those to see who may trace the process.
    package static func comm(of pid: Int32) -> String {
        // Bytes that are not UTF-8 are shown as such: nobody makes the name disappear by them.
        guard let bytes = try? TextFile.readBytes("/proc/\(pid)/comm", limit: 64) else { return "" }
        return String(decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...], as: UTF8.self)
    }

    /// Its cgroup of the v2 hierarchy, as `/system.slice/x.service`; empty where it cannot be read.
    package static func cgroup(of pid: Int32) -> String {
        guard let text = try? TextFile.read("/proc/\(pid)/cgroup", limit: 16 * 1024) else { return "" }
        return text.split(separator: "\n").first { $0.hasPrefix("0::") }.map { String($0.dropFirst(3)) } ?? ""
    }

    /// Is this still the process behind a pidfd? (A pid may have been given to another meanwhile.)
    package static func isAlive(_ pidfd: borrowing Descriptor) -> Bool {
        var poll = pollfd(fd: pidfd.raw, events: Int16(POLLIN), revents: 0)
        // A pidfd becomes readable when its process has ended.
        return Glibc.poll(&poll, 1, 0) == 0
    }
}
