import Foundation
import Linux

/// A Unix datagram socket that plays the service manager's end of sd_notify.
package final class DatagramSocket: Sendable {
    package let path: String
    private let socket: SharedDescriptor

    package init(_ path: String) throws {
        self.path = path
        let made = Descriptor(
            owning: try retryingInterrupts("socket") {
                Foundation.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC, 0)
            })
        var timeout = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(made.raw, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Lacking("the path is too long")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let fd = made.raw
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0, chmod(path, 0o666) == 0 else { throw SystemError("bind \(path)") }
        socket = SharedDescriptor(made)
    }

    /// The next datagram's lines.
    package func receive() throws -> [String] {
        var bytes = [UInt8](repeating: 0, count: 65536)
        let got = try retryingInterrupts("receive") { recv(socket.raw, &bytes, bytes.count, 0) }
        return String(decoding: bytes[..<got], as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Reads on until a line comes for which `wanted` holds, at most 200 datagrams.
    package func receive(until wanted: (String) -> Bool) throws -> [String] {
        for _ in 0..<200 {
            let lines = try receive()
            if lines.contains(where: wanted) { return lines }
        }
        throw Lacking("no such notification came")
    }
}
