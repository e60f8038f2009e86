import FoundationEssentials
import NIOCore

/// QEMU's control socket (the QEMU Machine Protocol: JSON, one object a line). A connection per command: commands are
/// rare, and a broken connection then concerns nobody else.
struct QMP: Sendable {
    /// The Unix socket.
    let socket: String

    /// The longest line that is accepted, bytes.
    static let longestLine = 1024 * 1024

    /// Runs a command without arguments, as `system_powerdown` or `quit`, and waits until QEMU has taken it.
    func execute(_ command: String, timeout: Duration = .seconds(10)) async throws {
        try await withDeadline(timeout, "QEMU's answer to \(command)") {
            let channel = try await UnixSocket.connect(socket, limit: timeout)
            try await channel.executeThenClose { inbound, outbound in
                var replies = Replies(inbound.makeAsyncIterator())
                // The greeting comes first, and every connection begins by agreeing on capabilities.
                _ = try await replies.next { $0.isGreeting }
                for name in ["qmp_capabilities", command] {
                    try await outbound.write(ByteBuffer(string: "{\"execute\":\"\(name)\"}\n"))
                    let reply = try await replies.next { !$0.isGreeting }
                    if let error = reply.error {
                        throw MachineError(.system, "QEMU does not do \(name): \(error.desc)")
                    }
                }
            }
        }
    }

    /// One line from QEMU.
    struct Reply: Decodable {
        struct Failure: Decodable {
            let desc: String
        }

        let error: Failure?
        let event: String?
        let isGreeting: Bool

        private enum Keys: String, CodingKey {
            case greeting = "QMP"
            case error, event
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: Keys.self)
            isGreeting = values.contains(.greeting)
            error = try values.decodeIfPresent(Failure.self, forKey: .error)
            event = try values.decodeIfPresent(String.self, forKey: .event)
        }

        init(line: [UInt8]) throws {
            self = try JSONDecoder().decode(Reply.self, from: Data(line))
        }
    }

    /// The lines of a connection; events, which come at any time, are passed over.
    private struct Replies {
        private var source: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        private var bytes: [UInt8] = []

        init(_ source: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator) { self.source = source }

        mutating func next(_ isWanted: (Reply) -> Bool) async throws -> Reply {
            while true {
                while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                    let reply = try Reply(line: Array(bytes[..<end]))
                    bytes.removeFirst(end + 1)
                    if reply.event == nil, isWanted(reply) { return reply }
                }
                guard bytes.count < QMP.longestLine, let more = try await source.next() else {
                    throw MachineError(.stopped, "QEMU closed its control socket")
                }
                bytes += more.readableBytesView
            }
        }
    }
}
