import Foundation
import Linux
import TestSupport

/// A Unix socket that a test listens on.
final class ListeningSocket: Sendable {
    private let socket: SharedDescriptor
    let path: String

    init(_ path: String) throws {
        self.path = path
        let made = Descriptor(
            owning: try retryingInterrupts("socket") {
                Foundation.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
            })
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw Lacking("the path is too long")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let fd = made.raw
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(fd, 16) == 0 else { throw SystemError("listen on \(path)") }
        socket = SharedDescriptor(made)
    }

    /// Takes one connection, reads it to its end, answers, closes.
    func answerOnce(_ reply: String) throws -> String {
        let peer = Descriptor(owning: try retryingInterrupts("accept") { accept(socket.raw, nil, nil) })
        var question: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let got = try retryingInterrupts("recv") { recv(peer.raw, &chunk, chunk.count, 0) }
            if got == 0 { break }
            question += chunk[..<got]
        }
        var rest = Array(reply.utf8)[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { send(peer.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            // A peer that has read enough has gone.
            if sent <= 0 { break }
            rest = rest.dropFirst(sent)
        }
        return String(decoding: question, as: UTF8.self)
    }
}
