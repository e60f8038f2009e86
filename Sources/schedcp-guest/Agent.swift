import Glibc
import GuestProtocol
import Linux

/// Serves one host after the other on one port.
final class Agent {
    /// A port is there for the next host when one has left; a connection is not.
    private let isPort: Bool
    /// As the first process of a machine: for how long it waits for a host, nanoseconds; it then is also the parent of
    /// everybody's orphans. nil: an ordinary program, which waits for ever.
    private let patience: Int64?
    private var link: Link
    private var session: UInt64?
    private var commands: [UInt32: Command] = [:]
    private var transfers: [UInt32: FileTransfer] = [:]

    /// Waits for the port to appear.
    init(portName: String, patience: Int64? = nil) throws(SystemError) {
        isPort = true
        self.patience = patience
        let begin = Linux.Clock.monotonic()
        while true {
            if let patience, Linux.Clock.monotonic() - begin > patience {
                throw SystemError("open the port \(portName)", code: ENODEV)
            }
            if let port = try GuestSystem.openPort(portName) {
                link = Link(port: port)
                return
            }
            GuestSystem.pause(milliseconds: 10)
        }
    }

    init(connection: consuming Descriptor) {
        isPort = false
        patience = nil
        link = Link(port: connection)
    }

    /// Serves until the port fails, the connection ends, or patience does.
    func run() throws(SystemError) {
        link.send(.hello(greeting))
        while true {
            var poller = Poller()
            let port = poller.add(link.port.raw, reads: link.acceptsMore, writes: link.waiting > 0)
            for command in commands.values { command.register(with: &poller, reading: link.hasRoom) }
            let now = Linux.Clock.monotonic()
            // What only waited for room on the link needs no further event.
            let isWaiting = transfers.values.contains { $0.canSend } || commands.values.contains { $0.canSend }
            let busy = link.hasRoom && isWaiting
            let deadlines = commands.values.compactMap { $0.deadline }
            try poller.wait(until: busy ? now : deadlines.min(), now: now)

            let isThere = poller.isReadable(port) ? try link.fill() : !poller.isHungUp(port)
            if !isThere {
                reset()
                guard isPort, try waitForHost() else { return }
                continue
            }
            if patience != nil { Orphans.reap { process in self.commands.values.contains { $0.process == process } } }
            receive()
            serve()
            try link.flush()
        }
    }

    private var greeting: Hello {
        Hello(
            session: session ?? 0, features: [.commands, .terminals, .files],
            kernelRelease: GuestSystem.kernelRelease)
    }

    /// The port tells of a host only when asked, so ask ten times a second. False when patience is over.
    private func waitForHost() throws(SystemError) -> Bool {
        let begin = Linux.Clock.monotonic()
        while true {
            if let patience, Linux.Clock.monotonic() - begin > patience { return false }
            GuestSystem.pause(milliseconds: 100)
            var poller = Poller()
            let port = poller.add(link.port.raw, reads: true, writes: false)
            try poller.wait(until: 0, now: 0)
            if !poller.isHungUp(port) { break }
        }
        link.begin()
        link.send(.hello(greeting))
        return true
    }

    /// What the last host began ends with it.
    private func reset() {
        for command in commands.values { command.abandon() }
        commands = [:]
        for transfer in transfers.values { transfer.abandon() }
        transfers = [:]
        session = nil
    }

    private func receive() {
        while link.acceptsMore, let frame = link.next() {
            do throws(ProtocolError) {
                handle(try Message(frame))
            } catch {
                let code: GuestFailure.Code = error.code == .unknownOperation ? .unsupported : .badRequest
                link.send(.failed(channel: frame.channel, GuestFailure(code, error.description)))
            }
        }
    }

    private func handle(_ message: Message) {
        let channel = message.channel
        switch message {
        case .hello(let hello): welcome(hello)
        case .ping(let token):
            link.send(
                .pong(
                    token: token, monotonic: UInt64(clamping: Linux.Clock.monotonic()),
                    realtime: UInt64(clamping: Linux.Clock.realtime())))
        case .execute(_, let request):
            open(channel) { () throws(GuestFailure) in
                let command = try Command(channel: channel, request)
                self.commands[channel] = command
                self.link.send(.started(channel: channel, process: UInt32(command.process)))
            }
        case .putFile(_, let path, let mode):
            open(channel) { () throws(GuestFailure) in
                self.transfers[channel] = try FileTransfer(receiving: path, mode: mode)
            }
        case .getFile(_, let path, let limit):
            open(channel) { () throws(GuestFailure) in
                self.transfers[channel] = try FileTransfer(sending: path, limit: limit)
            }
        case .input, .inputEnd, .signal, .resize:
            // A command that has ended meanwhile needs no answer: its end is on its way to the host.
            guard let command = commands[channel] else { return }
            do throws(GuestFailure) {
                try command.handle(message)
            } catch {
                commands[channel] = nil
                command.abandon()
                link.send(.failed(channel: channel, error))
            }
        case .credit(_, let count):
            commands[channel]?.grant(Int(count))
            transfers[channel]?.grant(Int(count))
        case .fileData, .fileEnd: receive(message)
        case .pong, .failed, .started, .output, .errorOutput, .exited, .fileStored:
            link.send(
                .failed(
                    channel: channel,
                    GuestFailure(.badRequest, "\(message.operation) is for the guest to say")))
        }
    }

    private func welcome(_ hello: Hello) {
        if session != hello.session {
            reset()
            session = hello.session
        }
        guard GuestProtocol.version(with: hello.versions) != nil else {
            link.send(
                .failed(
                    channel: 0,
                    GuestFailure(
                        .unsupported,
                        "this guest speaks versions \(GuestProtocol.versions), not \(hello.versions)")))
            return
        }
        link.send(.hello(greeting))
    }

    private func open(_ channel: UInt32, _ begin: () throws(GuestFailure) -> Void) {
        do throws(GuestFailure) {
            guard session != nil else { throw GuestFailure(.badRequest, "say hello first") }
            guard commands[channel] == nil, transfers[channel] == nil else {
                throw GuestFailure(.badRequest, "channel \(channel) is in use")
            }
            guard commands.count + transfers.count < GuestProtocol.maximumChannels else {
                throw GuestFailure(
                    .busy, "\(GuestProtocol.maximumChannels) commands and transfers at once are enough")
            }
            try begin()
        } catch {
            link.send(.failed(channel: channel, error))
        }
    }

    private func receive(_ message: Message) {
        guard let transfer = transfers[message.channel] else { return }
        do throws(GuestFailure) {
            guard let answer = try transfer.receive(message) else { return }
            if case .fileStored = answer { transfers[message.channel] = nil }
            link.send(answer)
        } catch {
            transfers[message.channel] = nil
            transfer.abandon()
            link.send(.failed(channel: message.channel, error))
        }
    }

    /// Moves what commands and transfers have to say onto the link, in turn, while there is room.
    private func serve() {
        let now = Linux.Clock.monotonic()
        for (channel, command) in commands {
            command.expire(now: now)
            command.feed { self.link.send($0) }
            while link.hasRoom, let message = command.output() { link.send(message) }
            if let exit = command.finished {
                link.send(.exited(channel: channel, exit))
                commands[channel] = nil
            }
        }
        for (channel, transfer) in transfers where transfer.canSend && link.hasRoom {
            do throws(GuestFailure) {
                let message = try transfer.send(on: channel)
                link.send(message)
                if case .fileEnd = message { transfers[channel] = nil }
            } catch {
                transfers[channel] = nil
                link.send(.failed(channel: channel, error))
            }
        }
    }
}
