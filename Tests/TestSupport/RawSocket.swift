import Foundation
import Linux
import Synchronization

/// A connected Unix stream socket with plain blocking calls.
final class RawSocket: Sendable {
    private let descriptor: Mutex<SharedDescriptor?>

    init(_ path: String) throws {
        let made = Descriptor(
            owning: try retryingInterrupts("socket") { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) })
        var timeout = timeval(tv_sec: 30, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(made.raw, SOL_SOCKET, option, &timeout, socklen_t(MemoryLayout<timeval>.size))
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Lacking("the path is too long")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let fd = made.raw
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw SystemError("connect \(path)") }
        descriptor = Mutex(SharedDescriptor(made))
    }

    private func fd() throws -> SharedDescriptor {
        guard let fd = descriptor.withLock({ $0 }) else { throw Lacking("the client is closed") }
        return fd
    }

    func send(_ bytes: [UInt8]) throws {
        let fd = try fd()
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = try retryingInterrupts("send") {
                rest.withUnsafeBytes { Foundation.send(fd.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
            rest = rest.dropFirst(sent)
        }
    }

    func sendWithoutWaiting(_ bytes: [UInt8]) -> Int {
        guard let fd = try? fd() else { return 0 }
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        return max(0, bytes.withUnsafeBytes { Foundation.send(fd.raw, $0.baseAddress, $0.count, flags) })
    }

    /// Empty at the end of the stream, also where the other end closed without reading everything.
    func receive(_ limit: Int) throws -> [UInt8] {
        let fd = try fd()
        var bytes = [UInt8](repeating: 0, count: min(limit, 1 << 20))
        do {
            let got = try retryingInterrupts("receive") { recv(fd.raw, &bytes, bytes.count, 0) }
            return Array(bytes[..<got])
        } catch {
            if error.code == ECONNRESET { return [] }
            throw error
        }
    }

    func endSending() {
        if let fd = try? fd() { shutdown(fd.raw, Int32(SHUT_WR)) }
    }

    func close() { descriptor.withLock { $0 = nil } }
}
