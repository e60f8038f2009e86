/// Everything that is said. `channel` is a number chosen by the host for one command or transfer, free again after the
/// message that ends it: exited, fileStored, fileEnd from the guest, or failed.
package enum Message: Hashable, Sendable {
    /// Both ways.
    case hello(Hello)
    /// Both ways; the answer is a pong with the same token.
    case ping(token: UInt64)
    /// `monotonic` is nanoseconds since the sender's boot, `realtime` nanoseconds since the epoch.
    case pong(token: UInt64, monotonic: UInt64, realtime: UInt64)
    /// Guest to host: the operation on this channel is over without its result. Channel 0: no operation in particular.
    case failed(channel: UInt32, GuestFailure)
    /// Both ways: so many data bytes of this channel were consumed.
    case credit(channel: UInt32, count: UInt32)

    /// Host to guest.
    case execute(channel: UInt32, CommandRequest)
    /// Guest to host: the program runs, as this process.
    case started(channel: UInt32, process: UInt32)
    /// Host to guest: bytes for standard input, within the window.
    case input(channel: UInt32, [UInt8])
    case inputEnd(channel: UInt32)
    /// Guest to host, within one window for both.
    case output(channel: UInt32, [UInt8])
    case errorOutput(channel: UInt32, [UInt8])
    /// Host to guest: a signal for the command's process group.
    case signal(channel: UInt32, number: UInt8)
    case resize(channel: UInt32, TerminalSize)
    case exited(channel: UInt32, CommandExit)

    /// Host to guest: fileData messages and a fileEnd follow; the file appears whole, or not at all.
    case putFile(channel: UInt32, path: String, mode: UInt32)
    /// Host to guest: the guest answers with fileData messages and a fileEnd.
    case getFile(channel: UInt32, path: String, limit: UInt64)
    case fileData(channel: UInt32, [UInt8])
    case fileEnd(channel: UInt32)
    case fileStored(channel: UInt32, size: UInt64)
}

extension Message {
    package var operation: Operation {
        switch self {
        case .hello: .hello
        case .ping: .ping
        case .pong: .pong
        case .failed: .failed
        case .credit: .credit
        case .execute: .execute
        case .started: .started
        case .input: .input
        case .inputEnd: .inputEnd
        case .output: .output
        case .errorOutput: .errorOutput
        case .signal: .signal
        case .resize: .resize
        case .exited: .exited
        case .putFile: .putFile
        case .getFile: .getFile
        case .fileData: .fileData
        case .fileEnd: .fileEnd
        case .fileStored: .fileStored
        }
    }

    /// 0 for what concerns the connection.
    package var channel: UInt32 {
        switch self {
        case .hello, .ping, .pong: 0
        case .failed(let channel, _), .credit(let channel, _), .execute(let channel, _),
            .started(let channel, _),
            .input(let channel, _), .inputEnd(let channel), .output(let channel, _),
            .errorOutput(let channel, _),
            .signal(let channel, _), .resize(let channel, _), .exited(let channel, _),
            .putFile(let channel, _, _), .getFile(let channel, _, _), .fileData(let channel, _),
            .fileEnd(let channel), .fileStored(let channel, _):
            channel
        }
    }

    /// Throws ``ProtocolError/Code/tooLong`` when texts, arguments or data exceed one frame.
    package func frame() throws(ProtocolError) -> Frame {
        var writer = ByteWriter()
        switch self {
        case .hello(let hello): hello.write(to: &writer)
        case .ping(let token): writer.integer(token)
        case .pong(let token, let monotonic, let realtime):
            for value in [token, monotonic, realtime] { writer.integer(value) }
        case .failed(_, let failure):
            writer.integer(failure.code.rawValue)
            writer.string(failure.description)
        case .credit(_, let count): writer.integer(count)
        case .execute(_, let request): request.write(to: &writer)
        case .started(_, let process): writer.integer(process)
        case .input(_, let data), .output(_, let data), .errorOutput(_, let data), .fileData(_, let data):
            guard data.count <= GuestProtocol.maximumChunk else {
                throw ProtocolError(.tooLong, "\(data.count) data bytes do not fit into one message")
            }
            writer.raw(data)
        case .inputEnd, .fileEnd: break
        case .signal(_, let number): writer.integer(number)
        case .resize(_, let size): size.write(to: &writer)
        case .exited(_, let exit): exit.write(to: &writer)
        case .putFile(_, let path, let mode):
            writer.string(path)
            writer.integer(mode)
        case .getFile(_, let path, let limit):
            writer.string(path)
            writer.integer(limit)
        case .fileStored(_, let size): writer.integer(size)
        }
        return try Frame(operation: operation.rawValue, channel: channel, payload: writer.bytes)
    }
}
