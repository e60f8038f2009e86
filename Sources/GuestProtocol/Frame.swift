/// One unit on the wire: an operation on a channel, with a payload.
///
/// ```
///  0  4  magic F5 'S' 'C' 'G'
///  4  1  framing version, 1
///  5  1  zero
///  6  2  operation
///  8  4  channel
/// 12  4  payload length, at most GuestProtocol.maximumPayload
/// 16  4  CRC-32C of bytes 0 to 15
/// 20  n  payload
///     4  CRC-32C of the payload, continued from the header's
/// ```
/// All numbers are little-endian. The header has its own checksum so that a damaged length is never believed.
package struct Frame: Hashable, Sendable {
    package static let magic: [UInt8] = [0xF5, 0x53, 0x43, 0x47]
    package static let framing: UInt8 = 1
    package static let headerSize = 20
    package static let trailerSize = 4
    package static let maximumSize = headerSize + GuestProtocol.maximumPayload + trailerSize

    package let operation: UInt16
    package let channel: UInt32
    package let payload: [UInt8]

    /// Throws ``ProtocolError/Code/tooLong`` when the payload is longer than a frame can carry.
    package init(operation: UInt16, channel: UInt32, payload: [UInt8] = []) throws(ProtocolError) {
        guard payload.count <= GuestProtocol.maximumPayload else {
            throw ProtocolError(.tooLong, "\(payload.count) bytes do not fit into one frame")
        }
        self.operation = operation
        self.channel = channel
        self.payload = payload
    }

    package var encoded: [UInt8] {
        var writer = ByteWriter(capacity: Self.headerSize + payload.count + Self.trailerSize)
        writer.raw(Self.magic)
        writer.integer(Self.framing)
        writer.integer(UInt8(0))
        writer.integer(operation)
        writer.integer(channel)
        writer.integer(UInt32(payload.count))
        let header = Checksum.of(writer.bytes)
        writer.integer(header)
        writer.raw(payload)
        writer.integer(Checksum.of(payload, after: header))
        return writer.bytes
    }

    /// What a side writes before its first frame: as many zero bytes as a frame can have, so that a reader which waits
    /// for the rest of a torn frame gets it, sees that it is damaged, and finds the next one.
    package static var preamble: [UInt8] { [UInt8](repeating: 0, count: maximumSize) }
}
