package import GuestProtocol
import Synchronization

/// A command that runs in a machine. Its output is read by one task at a time; anything else may be called from many.
///
/// Output that nobody reads makes the command wait, as with a pipe: read it, or ``collect(limit:)`` it.
package final class GuestProcess: Sendable {
    package enum Event: Hashable, Sendable {
        case stdout([UInt8])
        case stderr([UInt8])
        /// The last one.
        case exited(CommandExit)
    }

    /// The number in the guest.
    package let identifier: UInt32

    private let channel: GuestChannel
    private let seen = Mutex(Seen())

    /// What was read of the command and not given to the caller yet.
    private struct Seen {
        var text: [UInt8] = []
        var errors: [UInt8] = []
        var exit: CommandExit?
    }

    init(identifier: UInt32, channel: GuestChannel) {
        self.identifier = identifier
        self.channel = channel
    }

    /// The next thing that happens; nil after ``Event/exited(_:)``. Throws ``MachineError`` when the machine ends.
    package func next() async throws -> Event? {
        if seen.withLock({ $0.exit }) != nil { return nil }
        while let message = try await channel.receive() {
            switch message {
            case .output(_, let data): return .stdout(data)
            case .errorOutput(_, let data): return .stderr(data)
            case .exited(_, let exit):
                seen.withLock { $0.exit = exit }
                return .exited(exit)
            case .failed(_, let failure): throw MachineError(.refused, failure.description)
            default: continue
            }
        }
        return nil
    }

    /// Everything the command says until it ends, with ``line(timeout:)``'s leftovers before it. What exceeds `limit`
    /// bytes of either stream is dropped, and the result says so.
    package func collect(limit: Int = MicroVMDefaults.outputLimit) async throws -> CommandResult {
        var (output, errors) = seen.withLock { seen in
            defer { (seen.text, seen.errors) = ([], []) }
            return (seen.text, seen.errors)
        }
        var cut = (output: false, errors: false)
        var exit = seen.withLock { $0.exit }
        while let event = try await next() {
            switch event {
            case .stdout(let data): cut.output = Self.append(data, to: &output, limit) || cut.output
            case .stderr(let data): cut.errors = Self.append(data, to: &errors, limit) || cut.errors
            case .exited(let how): exit = how
            }
        }
        guard var exit else { throw MachineError(.stopped, "the command's end never came") }
        exit.outputTruncated = exit.outputTruncated || cut.output
        exit.errorTruncated = exit.errorTruncated || cut.errors
        return CommandResult(exit: exit, stdoutBytes: output, stderrBytes: errors)
    }

    /// ``collect(limit:)`` with a time limit, after which the command is killed and an error thrown.
    package func finish(timeout: Duration = MicroVMDefaults.commandLimit) async throws -> CommandResult {
        do {
            return try await withDeadline(timeout, "the command") { try await self.collect() }
        } catch {
            try? await kill(9)
            throw error
        }
    }

    /// Reads standard output until `text` has been seen, and gives everything up to and with it. What the command says
    /// on standard error meanwhile is kept for ``collect(limit:)``.
    package func waitFor(_ text: String, timeout: Duration = MicroVMDefaults.commandLimit) async throws
        -> String
    {
        let wanted = Array(text.utf8)
        return try await withDeadline(timeout, "waiting for '\(text)'") {
            while true {
                if let found = self.take(through: wanted) { return found }
                switch try await self.next() {
                case .stdout(let data): self.seen.withLock { $0.text += data }
                case .stderr(let data): self.seen.withLock { $0.errors += data }
                case .exited(let exit):
                    let said = self.seen.withLock { String(decoding: $0.text + $0.errors, as: UTF8.self) }
                    throw MachineError(
                        .commandFailed, "the command ended (\(exit.reason)) before it said '\(text)': \(said)"
                    )
                case nil: throw MachineError(.commandFailed, "the command had ended before")
                }
            }
        }
    }

    /// The next line of standard output, without its end.
    package func line(timeout: Duration = MicroVMDefaults.commandLimit) async throws -> String {
        String(try await waitFor("\n", timeout: timeout).dropLast())
    }

    /// Writes to standard input; waits while the command does not read.
    package func write(_ bytes: [UInt8]) async throws { try await channel.sendData(bytes, Message.input) }

    package func write(_ text: String) async throws { try await write(Array(text.utf8)) }

    /// The end of standard input; in a terminal, Control-D.
    package func closeInput() async throws { try await channel.send(.inputEnd(channel: channel.number)) }

    /// Sends a signal to the command's process group.
    package func kill(_ signal: UInt8 = 15) async throws {
        try await channel.send(.signal(channel: channel.number, number: signal))
    }

    package func resize(_ size: TerminalSize) async throws {
        try await channel.send(.resize(channel: channel.number, size))
    }

    private func take(through wanted: [UInt8]) -> String? {
        seen.withLock { seen in
            guard let end = seen.text.end(of: wanted) else { return nil }
            defer { seen.text.removeFirst(end) }
            return String(decoding: seen.text[..<end], as: UTF8.self)
        }
    }

    /// True when something was dropped.
    private static func append(_ data: [UInt8], to bytes: inout [UInt8], _ limit: Int) -> Bool {
        let room = max(0, limit - bytes.count)
        bytes += data.prefix(room)
        return data.count > room
    }
}

extension [UInt8] {
    /// The index behind the first occurrence of `wanted`.
    func end(of wanted: [UInt8]) -> Int? {
        guard !wanted.isEmpty, count >= wanted.count else { return wanted.isEmpty ? 0 : nil }
        for start in 0...(count - wanted.count) where self[start] == wanted[0] {
            if self[start..<start + wanted.count].elementsEqual(wanted) { return start + wanted.count }
        }
        return nil
    }
}
