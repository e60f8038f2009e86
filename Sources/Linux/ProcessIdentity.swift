import Glibc

/// What /proc says of another process: for the record only, because all of it can change in the next moment.
package enum ProcessIdentity {
    /// The file that the process runs; empty where this process may not see it.
    package static func executable(of pid: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 1024)
        // SAFETY: readlink writes at most the buffer's count and tells how many bytes it wrote.
        let length = readlink("/proc/\(pid)/exe", &buffer, buffer.count)
        guard length > 0 else { return "" }
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
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
