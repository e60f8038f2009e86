import Glibc

/// One question and one answer over a Unix stream socket: for the small helpers that systemd starts from a socket.
package enum UnixExchange {
    /// Connects, sends `message`, half-closes, and reads the answer to its end.
    /// - Parameters:
    ///   - seconds: how long each step may take, at least 1: for the kernel 0 would be for ever.
    ///   - limit: bytes of answer that are read at most.
    package static func ask(_ path: String, _ message: String, seconds: Int, limit: Int = 4096) throws(SystemError)
        -> String
    {
        let socket = Descriptor(
            owning: try retryingInterrupts("socket") {
                Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
            })
        var timeout = timeval(tv_sec: max(1, seconds), tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket.raw, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
        }
        try connect(socket.raw, path)
        let bytes = Array(message.utf8)
        var sent = 0
        while sent < bytes.count {
            sent += try retryingInterrupts("send to \(path)") {
                // SAFETY: the range sent..<count lies inside `bytes`.
                bytes.withUnsafeBytes {
                    send(socket.raw, $0.baseAddress.map { $0 + sent }, bytes.count - sent, CInt(MSG_NOSIGNAL))
                }
            }
        }
        shutdown(socket.raw, CInt(SHUT_WR))
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 512)
        while answer.count < limit {
            let got = try retryingInterrupts("read from \(path)") { recv(socket.raw, &chunk, chunk.count, 0) }
            if got == 0 { break }
            answer += chunk[..<got]
        }
        return String(decoding: answer.prefix(limit), as: UTF8.self)
    }

    static func connect(_ fd: CInt, _ path: String) throws(SystemError) {
        let result = try withAddress(path) { Glibc.connect(fd, $0, $1) }
        guard result == 0 else { throw SystemError("connect \(path)") }
    }

    static func bind(_ fd: CInt, _ path: String) throws(SystemError) {
        let result = try withAddress(path) { Glibc.bind(fd, $0, $1) }
        guard result == 0 else { throw SystemError("bind \(path)") }
    }

    // SAFETY: the address that `body` is lent lives as long as the call.
    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) throws(SystemError) -> CInt {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < capacity else { throw SystemError("address of \(path)", code: ENAMETOOLONG) }
        // SAFETY: the path and its NUL fit, as was just checked; the rest of the zeroed array stays.
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        // SAFETY: the address is only used within the call, with its own size.
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
