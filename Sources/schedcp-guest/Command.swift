import Glibc
import GuestProtocol
import Linux

/// One running command: its process group, its pipes or terminal, and the windows in both directions.
///
/// Output is taken from the pipes only within the host's window, so a command that writes faster than the host reads
/// blocks in its own write(2). When the process has ended, what is in the pipes is still delivered; processes it left
/// behind live on, but what they write later goes nowhere.
final class Command {
    let channel: UInt32
    let process: Int32
    /// When the whole group is killed, on the monotonic clock in nanoseconds.
    private(set) var deadline: Int64?

    private let spawned: SpawnedProcess
    private var input: InputStream
    private var outputs: [OutputStream]
    private let isTerminal: Bool
    private var window = GuestProtocol.window
    private var status: CInt?
    private var timedOut = false

    init(channel: UInt32, _ request: CommandRequest) throws(GuestFailure) {
        self.channel = channel
        isTerminal = request.terminal != nil
        let path = request.environment.first { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) }
        do throws(SystemError) {
            func start(_ streams: SpawnedProcess.Streams) throws(SystemError) -> SpawnedProcess {
                try SpawnedProcess.start(
                    arguments: request.arguments, environment: request.environment,
                    path: path ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    folder: request.folder, streams: streams)
            }
            if let size = request.terminal {
                let (ours, theirs) = try GuestStream.terminal(rows: size.rows, columns: size.columns)
                let second = SharedDescriptor(try Descriptor.duplicating(ours.raw))
                defer { withExtendedLifetime(theirs) {} }
                spawned = try start(.terminal(theirs.raw))
                input = InputStream(second)
                outputs = [OutputStream(ours, isErrors: false, limit: request.outputLimit)]
            } else {
                let (stdin, ourInput) = try GuestStream.pipe(readerStays: false)
                let (ourOutput, stdout) = try GuestStream.pipe(readerStays: true)
                let (ourErrors, stderr) = try GuestStream.pipe(readerStays: true)
                // Our copies of the command's ends are closed when it has its own.
                defer { withExtendedLifetime((stdin, stdout, stderr)) {} }
                spawned = try start(.descriptors(input: stdin.raw, output: stdout.raw, errors: stderr.raw))
                input = InputStream(ourInput)
                outputs = [
                    OutputStream(ourOutput, isErrors: false, limit: request.outputLimit),
                    OutputStream(ourErrors, isErrors: true, limit: request.outputLimit),
                ]
            }
        } catch {
            throw GuestFailure(.system, error.description)
        }
        process = spawned.process
        if request.timeout > 0 {
            deadline = Linux.Clock.monotonic() + Int64(request.timeout) * 1_000_000
        }
    }

    func register(with poller: inout Poller, reading: Bool) {
        if let fd = input.waitingDescriptor { poller.add(fd, reads: false, writes: true) }
        guard reading, status == nil else { return }
        poller.add(spawned.handle.raw, reads: true, writes: false)
        guard window > 0 else { return }
        for stream in outputs {
            if let fd = stream.descriptor { poller.add(fd, reads: true, writes: false) }
        }
    }

    /// It has ended, and some of its last words are left to be sent.
    var canSend: Bool { status != nil && window > 0 && outputs.contains { $0.descriptor != nil } }

    /// Throws when the host breaks the rules; the command is then to be abandoned.
    func handle(_ message: Message) throws(GuestFailure) {
        switch message {
        case .input(_, let data):
            guard input.append(data) else { throw GuestFailure(.overrun, "more input than the window allows") }
        case .inputEnd: input.end(isTerminal: isTerminal)
        case .signal(_, let number): kill(CInt(number))
        case .resize(_, let size):
            if isTerminal, let fd = outputs.first?.descriptor {
                GuestStream.resize(fd, rows: size.rows, columns: size.columns)
            }
        default: break
        }
    }

    /// The host has consumed output.
    func grant(_ count: Int) { window = min(GuestProtocol.window, window + count) }

    func expire(now: Int64) {
        guard let deadline, now >= deadline else { return }
        self.deadline = nil
        timedOut = status == nil
        kill(SIGKILL)
    }

    /// The host has gone: nobody waits for this command.
    func abandon() {
        kill(SIGKILL)
        // A kill cannot be refused; who is in the middle of a slow device stays a zombie of ours until we end.
        for _ in 0..<1000 where status == nil {
            status = spawned.collect()
            if status == nil { GuestSystem.pause(milliseconds: 1) }
        }
    }

    /// Moves input into the command and says how much of the window is free again.
    func feed(_ send: (Message) -> Void) {
        let consumed = input.flush()
        if consumed > 0 { send(.credit(channel: channel, count: UInt32(consumed))) }
    }

    /// The next piece of output that is there now and fits into the window.
    func output() -> Message? {
        // Ask for the end first: what was written before it is then surely in the pipes.
        if status == nil { status = spawned.collect() }
        for index in outputs.indices {
            let limit = min(window, GuestProtocol.maximumChunk)
            guard limit > 0 else { return nil }
            if let data = outputs[index].read(limit: limit, ended: status != nil) {
                window -= data.count
                return outputs[index].isErrors
                    ? .errorOutput(channel: channel, data) : .output(channel: channel, data)
            }
        }
        return nil
    }

    /// How it ended, once that is so and everything it wrote has been handed out.
    var finished: CommandExit? {
        guard let status, outputs.allSatisfy({ $0.descriptor == nil }) else { return nil }
        let signal = status & 0x7F
        return CommandExit(
            signal == 0 ? .status(UInt8(truncatingIfNeeded: status >> 8)) : .signal(UInt8(signal)),
            timedOut: timedOut, outputTruncated: outputs.contains { !$0.isErrors && $0.isTruncated },
            errorTruncated: outputs.contains { $0.isErrors && $0.isTruncated })
    }

    private func kill(_ number: CInt) {
        // Once collected, the number may belong to somebody else.
        if status == nil { spawned.signal(number) }
    }
}
