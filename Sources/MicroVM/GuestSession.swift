import GuestProtocol
import NIOCore
import NIOPosix
import Synchronization

/// The host's end of the protocol with one machine's agent.
final class GuestSession: Sendable {
    private typealias Writer = NIOAsyncChannelOutboundWriter<ByteBuffer>

    private struct State {
        var writer: Writer?
        var channels: [UInt32: GuestChannel] = [:]
        var next: UInt32 = 1
        var pings: [UInt64: Promise<GuestClock>] = [:]
        var end: MachineError?
    }

    /// The agent's greeting, once it came.
    let greeting = Promise<Hello>()
    private let session = UInt64.random(in: 1...UInt64.max)
    private let state = Mutex(State())

    /// Talks over the socket until it closes or the task is cancelled; gives the reason. The caller then ends the
    /// session, with that reason or a better one.
    func serve(socket path: String, startLimit: Duration) async -> MachineError {
        do {
            let channel = try await UnixSocket.connect(path, limit: startLimit)
            try await channel.executeThenClose { inbound, outbound in
                state.withLock { $0.writer = outbound }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await self.greet(outbound) }
                    var decoder = FrameDecoder()
                    for try await buffer in inbound {
                        decoder.append(buffer.readableBytesView)
                        while let frame = decoder.next() { receive(frame) }
                    }
                    group.cancelAll()
                }
            }
            return MachineError(.stopped, "the machine has ended")
        } catch let error as MachineError {
            return error
        } catch {
            return MachineError(.stopped, "the connection to the machine's agent is gone (\(error))")
        }
    }

    /// Ends everything that waits. Later errors are ignored.
    func end(_ error: MachineError) {
        let (channels, pings) = state.withLock { state -> ([GuestChannel], [Promise<GuestClock>]) in
            guard state.end == nil else { return ([], []) }
            state.end = error
            state.writer = nil
            defer { (state.channels, state.pings) = ([:], [:]) }
            return (Array(state.channels.values), Array(state.pings.values))
        }
        greeting.fulfil(.failure(error))
        for channel in channels { channel.finish(throwing: error) }
        for ping in pings { ping.fulfil(.failure(error)) }
    }

    func send(_ message: Message) async throws {
        let writer = try state.withLock { state throws(MachineError) -> Writer? in
            if let end = state.end { throw end }
            return state.writer
        }
        guard let writer else { throw MachineError(.startFailed, "the machine's agent is not connected yet") }
        do {
            try await writer.write(ByteBuffer(bytes: try message.frame().encoded))
        } catch let error as ProtocolError {
            throw MachineError(.invalid, error.description)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw MachineError(.stopped, "the machine has ended (\(error))")
        }
    }

    /// Opens a channel with its first message.
    func open(_ first: (UInt32) -> Message) async throws -> GuestChannel {
        let channel = try state.withLock { state throws(MachineError) -> GuestChannel in
            if let end = state.end { throw end }
            guard state.channels.count < GuestProtocol.maximumChannels else {
                throw MachineError(
                    .refused, "\(GuestProtocol.maximumChannels) commands and transfers are under way")
            }
            // The numbers wrap after four thousand million channels; then those of long commands may still be in use.
            while state.channels[state.next] != nil || state.next == 0 { state.next &+= 1 }
            let channel = GuestChannel(number: state.next, session: self)
            state.channels[state.next] = channel
            state.next &+= 1
            return channel
        }
        do {
            try await send(first(channel.number))
        } catch {
            close(channel)
            throw error
        }
        return channel
    }

    /// Forgets a channel. What the guest still says on it is ignored.
    func close(_ channel: GuestChannel) {
        state.withLock { _ = $0.channels.removeValue(forKey: channel.number) }
    }

    func ping() async throws -> GuestClock {
        let token = UInt64.random(in: .min ... .max)
        let promise = Promise<GuestClock>()
        try state.withLock { state throws(MachineError) in
            if let end = state.end { throw end }
            state.pings[token] = promise
        }
        try await send(.ping(token: token))
        return try await promise.value()
    }

    /// The agent starts long after us, and the port loses what nobody reads: greet until it answers.
    private func greet(_ outbound: Writer) async throws {
        let hello = try Message.hello(Hello(session: session)).frame().encoded
        try await outbound.write(ByteBuffer(bytes: Frame.preamble))
        while greeting.current == nil {
            try await outbound.write(ByteBuffer(bytes: hello))
            try await Task.sleep(for: .milliseconds(250))
        }
    }

    private func receive(_ frame: Frame) {
        // What a newer agent says beyond our version is not for us; damaged messages do not pass their checksum.
        guard let message = try? Message(frame) else { return }
        switch message {
        case .hello(let hello): greeted(hello)
        case .pong(let token, let monotonic, let realtime):
            let promise = state.withLock { $0.pings.removeValue(forKey: token) }
            promise?.fulfil(.success(GuestClock(sinceBoot: monotonic, sinceEpoch: realtime)))
        case .failed(0, let failure): greeting.fulfil(.failure(MachineError(.refused, failure.description)))
        default:
            let ends =
                switch message {
                case .exited, .failed, .fileStored, .fileEnd: true
                default: false
                }
            let channel = state.withLock { state in
                ends ? state.channels.removeValue(forKey: message.channel) : state.channels[message.channel]
            }
            channel?.deliver(message)
        }
    }

    private func greeted(_ hello: Hello) {
        guard GuestProtocol.version(with: hello.versions) != nil else {
            return greeting.fulfil(
                .failure(
                    MachineError(
                        .protocolViolation,
                        "the agent speaks versions \(hello.versions) of the protocol, this program "
                            + "\(GuestProtocol.versions)")))
        }
        // An agent that has just started does not know our session yet; its answer to our next hello comes with it.
        if hello.session == session {
            greeting.fulfil(.success(hello))
        } else if greeting.current != nil {
            end(MachineError(.stopped, "the agent in the machine has been restarted"))
        }
    }
}
