// Wire: the contract on the socket. schedcp.proto holds the messages and PROTOCOL.md the rules of their travel; both
// sides use this target, and nothing in it has state of its own but a decoder's position.

package import Model
package import NIOCore
package import SwiftProtobuf

/// A frame: a 4-byte big-endian length, then that many bytes, one message.
package enum Frame {
    package static let headerBytes = 4
    /// What any client may send in one frame. Large enough for every message but an object file.
    package static let ordinaryLimit = 64 * 1024
    /// What a client that may deploy an object file may send.
    package static let privilegedLimit = 8 * 1024 * 1024
    /// What the daemon may send: a whole verifier log fits.
    package static let answerLimit = 24 * 1024 * 1024

    /// A message as one frame.
    package static func encode(_ message: some Message, allocator: ByteBufferAllocator = .init()) throws(Failure)
        -> ByteBuffer
    {
        let bytes = try bytes(of: message)
        var buffer = allocator.buffer(capacity: headerBytes + bytes.count)
        buffer.writeInteger(UInt32(bytes.count))
        buffer.writeBytes(bytes)
        return buffer
    }

    /// The frame of an answer to `status` whose message is encoded already: the same bytes as `encode` gives.
    package static func encode(status: [UInt8], id: UInt64, allocator: ByteBufferAllocator) -> ByteBuffer {
        // Response: field 1 is the id (varint), field 4 the status (length-delimited).
        var buffer = allocator.buffer(capacity: status.count + 32)
        buffer.writeInteger(UInt32(0))
        buffer.writeInteger(UInt8(1 << 3))
        buffer.writeVarint(id)
        buffer.writeInteger(UInt8(4 << 3 | 2))
        buffer.writeVarint(UInt64(status.count))
        buffer.writeBytes(status)
        buffer.setInteger(UInt32(buffer.readableBytes - headerBytes), at: buffer.readerIndex)
        return buffer
    }

    /// Bytes that a message takes in a frame; 0 for one that cannot be encoded.
    package static func size(of message: some Message) -> Int {
        (try? bytes(of: message).count) ?? 0
    }

    /// A message without a frame around it.
    package static func bytes(of message: some Message) throws(Failure) -> [UInt8] {
        do { return try message.serializedBytes() } catch {
            throw Failure(.internal, "a message could not be encoded: \(error)")
        }
    }

    /// Reads the message of one frame's payload.
    package static func decode<M: Message>(_ type: M.Type, from payload: ByteBuffer) throws(Failure) -> M {
        try decode(type, from: Array(payload.readableBytesView))
    }

    package static func decode<M: Message>(_ type: M.Type, from payload: [UInt8]) throws(Failure) -> M {
        do {
            var options = BinaryDecodingOptions()
            // The contract nests eight deep; a deeper message is an attack on the stack.
            options.messageDepthLimit = 16
            options.discardUnknownFields = true
            return try M(serializedBytes: payload, options: options)
        } catch {
            throw Failure(.malformed, "the frame is not a valid message", hint: "see PROTOCOL.md for the contract")
        }
    }
}

/// Cuts a byte stream into the payloads of frames. It holds at most one frame, and refuses a longer one by its header.
package struct FrameDecoder: NIOSingleStepByteToMessageDecoder {
    package typealias InboundOut = ByteBuffer

    /// Bytes of payload. May be raised after the first frame, when it is known who sends.
    package var limit: Int
    /// Asked once for each frame that is larger than an ordinary one, before memory is taken for it.
    private let announce: ((Int) throws(Failure) -> Void)?
    private var isAnnounced = false

    package init(limit: Int, announce: ((Int) throws(Failure) -> Void)? = nil) {
        self.limit = limit
        self.announce = announce
    }

    package mutating func decode(buffer: inout ByteBuffer) throws -> ByteBuffer? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return nil }
        guard Int(length) <= limit else {
            throw Failure(
                .frameTooLarge, "a frame of \(length) bytes is over the limit of \(limit)",
                hint: "the limit is in the answer to hello")
        }
        if Int(length) > Frame.ordinaryLimit, !isAnnounced {
            try announce?(Int(length))
            isAnnounced = true
        }
        guard buffer.readableBytes >= Frame.headerBytes + Int(length) else { return nil }
        isAnnounced = false
        buffer.moveReaderIndex(forwardBy: Frame.headerBytes)
        return buffer.readSlice(length: Int(length))
    }

    package mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> ByteBuffer? {
        if let payload = try decode(buffer: &buffer) { return payload }
        guard buffer.readableBytes == 0 else {
            throw Failure(.truncated, "the stream ended in the middle of a frame")
        }
        return nil
    }
}

/// The protocol versions that this build speaks.
package enum ProtocolVersion {
    package static let oldest: UInt32 = 1
    package static let newest: UInt32 = 1

    /// The newest version that both sides speak.
    package static func agreed(clientMin: UInt32, clientMax: UInt32) throws(Failure) -> UInt32 {
        let version = min(clientMax, newest)
        guard clientMin <= clientMax, version >= clientMin, version >= oldest else {
            throw Failure(
                .unsupportedVersion,
                "the client speaks protocol \(clientMin) to \(clientMax), this daemon \(oldest) to \(newest)",
                hint: "install the same version of schedctl and schedcpd")
        }
        return version
    }
}

extension ByteBuffer {
    /// Seven bits a byte, the lowest first, the top bit set on all but the last (protobuf's encoding document).
    fileprivate mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        writeInteger(UInt8(rest))
    }
}
