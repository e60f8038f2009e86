import Glibc
import GuestProtocol
import Linux

/// One file on its way from the host or to it.
final class FileTransfer {
    private enum Direction {
        /// Into a temporary file beside the real one, which gets the name at the end.
        case receiving(temporary: String, path: String, mode: UInt32)
        case sending(limit: UInt64)
    }

    private let file: Descriptor
    private let direction: Direction
    private var moved: UInt64 = 0
    private var window = GuestProtocol.window

    init(receiving path: String, mode: UInt32) throws(GuestFailure) {
        let temporary = "\(path).\(UInt64.random(in: .min ... .max)).part"
        file = try Self.reporting { () throws(SystemError) in try GuestSystem.createFile(temporary) }
        direction = .receiving(temporary: temporary, path: path, mode: mode)
    }

    init(sending path: String, limit: UInt64) throws(GuestFailure) {
        file = try Self.reporting { () throws(SystemError) in try Descriptor.open(path, O_RDONLY | O_NONBLOCK)
        }
        direction = .sending(limit: limit)
    }

    func grant(_ count: Int) { window = min(GuestProtocol.window, window + count) }

    var canSend: Bool {
        if case .sending = direction { return window > 0 }
        return false
    }

    /// Takes data or the end; gives the answer, if there is one yet.
    func receive(_ message: Message) throws(GuestFailure) -> Message? {
        guard case .receiving(let temporary, let path, let mode) = direction else {
            throw GuestFailure(.badRequest, "this channel sends")
        }
        switch message {
        case .fileData(let channel, let data):
            try store(data[...])
            return .credit(channel: channel, count: UInt32(data.count))
        case .fileEnd(let channel):
            try Self.reporting { () throws(SystemError) in
                try GuestSystem.setMode(file.raw, mode)
                try GuestSystem.rename(temporary, to: path)
            }
            return .fileStored(channel: channel, size: moved)
        default: return nil
        }
    }

    private func store(_ data: ArraySlice<UInt8>) throws(GuestFailure) {
        var rest = data
        while !rest.isEmpty {
            let result = try Self.reporting { () throws(SystemError) in try GuestStream.write(file.raw, rest)
            }
            guard case .done(let count) = result else {
                throw GuestFailure(.system, "the file takes no more data")
            }
            rest = rest.dropFirst(count)
            moved += UInt64(count)
        }
    }

    /// The next piece, or the end.
    func send(on channel: UInt32) throws(GuestFailure) -> Message {
        guard case .sending(let limit) = direction else {
            throw GuestFailure(.badRequest, "this channel receives")
        }
        let size = min(window, GuestProtocol.maximumChunk)
        let result = try Self.reporting { () throws(SystemError) in
            try GuestStream.read(file.raw, limit: size)
        }
        guard case .done(let data) = result else { return .fileEnd(channel: channel) }
        moved += UInt64(data.count)
        guard moved <= limit else { throw GuestFailure(.tooLarge, "the file is longer than \(limit) bytes") }
        window -= data.count
        return .fileData(channel: channel, data)
    }

    /// Leaves nothing behind.
    func abandon() {
        if case .receiving(let temporary, _, _) = direction { GuestSystem.remove(temporary) }
    }

    private static func reporting<R: ~Copyable>(
        _ call: () throws(SystemError) -> R
    ) throws(GuestFailure) -> R {
        do throws(SystemError) {
            return try call()
        } catch {
            throw GuestFailure(.system, error.description)
        }
    }
}
