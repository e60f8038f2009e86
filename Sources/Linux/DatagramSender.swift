import Glibc

/// One datagram to a Unix socket, without ever waiting.
package enum DatagramSender {
    /// - Parameter place: a path, or `@` and an abstract name, as in `NOTIFY_SOCKET`.
    /// - Throws: EAGAIN where the receiver has no room.
    package static func send(_ bytes: [UInt8], to place: String) throws(SystemError) {
        let name = Array(place.utf8)
        var address = sockaddr_un()
        // An abstract name has no NUL at its end, a path may have one.
        guard let first = name.first, name.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("send to \(place)", code: EINVAL)
        }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            // SAFETY: `name` is shorter than the field, as was just checked.
            path.copyBytes(from: name)
            if first == UInt8(ascii: "@") { path[0] = 0 }
        }
        let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map { $0 + name.count } ?? 0
        let socket = Descriptor(
            owning: try retryingInterrupts("socket") {
                Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0)
            })
        _ = try retryingInterrupts("send to \(place)") {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                    // SAFETY: `length` bytes of the address are initialised; the bytes live for the call.
                    bytes.withUnsafeBytes {
                        sendto(
                            socket.raw, $0.baseAddress, bytes.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL), target,
                            socklen_t(length))
                    }
                }
            }
        }
    }
}
