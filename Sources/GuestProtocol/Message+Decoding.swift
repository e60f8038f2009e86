extension Message {
    /// Throws ``ProtocolError``: unknownOperation for what a later version may mean, malformed for what none does.
    package init(_ frame: Frame) throws(ProtocolError) {
        guard let operation = Operation(rawValue: frame.operation) else {
            throw ProtocolError(.unknownOperation, "operation \(frame.operation) is not known here")
        }
        var reader = ByteReader(frame.payload)
        switch operation.rawValue >> 8 {
        case 1: self = try Self.command(operation, frame.channel, &reader)
        case 2: self = try Self.file(operation, frame.channel, &reader)
        default: self = try Self.connection(operation, frame.channel, &reader)
        }
        try reader.finish()
    }

    private static func connection(
        _ operation: Operation, _ channel: UInt32, _ reader: inout ByteReader
    ) throws(ProtocolError) -> Message {
        switch operation {
        case .hello: return .hello(try Hello(from: &reader))
        case .ping: return .ping(token: try reader.integer())
        case .pong:
            return .pong(
                token: try reader.integer(), monotonic: try reader.integer(), realtime: try reader.integer())
        case .credit: return .credit(channel: channel, count: try reader.integer())
        case .failed:
            let code: UInt16 = try reader.integer()
            // A code of a later version is still a failure, and its text says which.
            let known = GuestFailure.Code(rawValue: code) ?? .system
            return .failed(channel: channel, GuestFailure(known, try reader.string()))
        default: throw ProtocolError(.unknownOperation, "operation \(operation) is not of the connection")
        }
    }

    private static func command(
        _ operation: Operation, _ channel: UInt32, _ reader: inout ByteReader
    ) throws(ProtocolError) -> Message {
        switch operation {
        case .execute: return .execute(channel: channel, try CommandRequest(from: &reader))
        case .started: return .started(channel: channel, process: try reader.integer())
        case .input: return .input(channel: channel, try data(&reader))
        case .inputEnd: return .inputEnd(channel: channel)
        case .output: return .output(channel: channel, try data(&reader))
        case .errorOutput: return .errorOutput(channel: channel, try data(&reader))
        case .signal:
            let number: UInt8 = try reader.integer()
            guard (1...64).contains(number) else { throw ProtocolError(.malformed, "\(number) is no signal") }
            return .signal(channel: channel, number: number)
        case .resize: return .resize(channel: channel, try TerminalSize(from: &reader))
        case .exited: return .exited(channel: channel, try CommandExit(from: &reader))
        default: throw ProtocolError(.unknownOperation, "operation \(operation) is not of commands")
        }
    }

    private static func file(
        _ operation: Operation, _ channel: UInt32, _ reader: inout ByteReader
    ) throws(ProtocolError) -> Message {
        switch operation {
        case .putFile: return .putFile(channel: channel, path: try path(&reader), mode: try reader.integer())
        case .getFile: return .getFile(channel: channel, path: try path(&reader), limit: try reader.integer())
        case .fileData: return .fileData(channel: channel, try data(&reader))
        case .fileEnd: return .fileEnd(channel: channel)
        case .fileStored: return .fileStored(channel: channel, size: try reader.integer())
        default: throw ProtocolError(.unknownOperation, "operation \(operation) is not of files")
        }
    }

    private static func data(_ reader: inout ByteReader) throws(ProtocolError) -> [UInt8] {
        let bytes = reader.remainder()
        guard bytes.count <= GuestProtocol.maximumChunk else {
            throw ProtocolError(.malformed, "\(bytes.count) data bytes in one message")
        }
        return bytes
    }

    private static func path(_ reader: inout ByteReader) throws(ProtocolError) -> String {
        let path = try reader.string()
        guard path.utf8.first == UInt8(ascii: "/"), !path.utf8.contains(0) else {
            throw ProtocolError(.malformed, "a file's path is not absolute")
        }
        return path
    }
}
