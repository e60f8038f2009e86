import GuestProtocol
import Synchronization

/// One command or transfer as the host sees it: what the guest said about it, and the windows in both directions.
final class GuestChannel: Sendable {
    let number: UInt32
    let mailbox = Mailbox<Message>()
    private let session: GuestSession
    private let window = Mutex(GuestProtocol.window)
    private let credits = Mailbox<Void>()

    init(number: UInt32, session: GuestSession) {
        self.number = number
        self.session = session
    }

    /// The session's reader gives us what came; never waits.
    func deliver(_ message: Message) {
        switch message {
        case .credit(_, let count):
            window.withLock { $0 = min(GuestProtocol.window, $0 + Int(count)) }
            credits.put(())
        case .exited, .failed, .fileStored, .fileEnd:
            mailbox.put(message)
            finish()
        default: mailbox.put(message)
        }
    }

    func finish(throwing error: MachineError? = nil) {
        mailbox.finish(throwing: error)
        credits.finish(throwing: error)
    }

    /// The next message; data in it is thereby consumed, and the guest may send as much again.
    func receive() async throws -> Message? {
        guard let message = try await mailbox.next() else { return nil }
        switch message {
        case .output(_, let data), .errorOutput(_, let data), .fileData(_, let data):
            // When the machine is gone the credit is of no use to anybody; the mailbox tells the reader.
            try? await session.send(.credit(channel: number, count: UInt32(data.count)))
        default: break
        }
        return message
    }

    func send(_ message: Message) async throws { try await session.send(message) }

    /// Sends bytes in pieces, as the window allows. Returns early when the other side has ended.
    func sendData(_ bytes: [UInt8], _ message: (UInt32, [UInt8]) -> Message) async throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let size = window.withLock { window in
                let size = min(window, rest.count, GuestProtocol.maximumChunk)
                window -= size
                return size
            }
            if size == 0 {
                guard try await credits.next() != nil else { return }
                continue
            }
            try await session.send(message(number, Array(rest.prefix(size))))
            rest = rest.dropFirst(size)
        }
    }
}
