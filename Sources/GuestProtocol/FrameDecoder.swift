/// Finds frames in a byte stream that may begin anywhere and hold anything.
///
/// After damage it looks for the next magic number *behind the beginning* of the damaged frame, so no intact frame that
/// follows is lost. Its memory is bounded by ``Frame/maximumSize`` plus one appended piece, as long as ``next()`` is
/// called until it gives nil after each append.
package struct FrameDecoder: Sendable {
    private var buffer: [UInt8] = []
    private var start = 0

    /// Bytes thrown away so far because they belonged to no intact frame.
    package private(set) var discarded = 0

    package init() {}

    /// Bytes that wait for the rest of their frame.
    package var pending: Int { buffer.count - start }

    package mutating func append(_ bytes: some Sequence<UInt8>) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next intact frame; nil when more bytes are needed.
    package mutating func next() -> Frame? {
        while true {
            seekMagic()
            guard pending >= Frame.headerSize else { return nil }
            guard let header = validHeader() else {
                skip(1)
                continue
            }
            let size = Frame.headerSize + header.length + Frame.trailerSize
            guard pending >= size else { return nil }
            let payload = buffer[start + Frame.headerSize..<start + Frame.headerSize + header.length]
            let trailer = integer(at: size - Frame.trailerSize)
            guard trailer == Checksum.of(payload, after: header.checksum),
                let frame = try? Frame(
                    operation: header.operation, channel: header.channel, payload: Array(payload))
            else {
                skip(1)
                continue
            }
            start += size
            return frame
        }
    }

    private struct Header {
        let operation: UInt16
        let channel: UInt32
        let length: Int
        let checksum: UInt32
    }

    /// Moves to the first byte that can begin a frame; keeps a magic number that is cut off at the end.
    private mutating func seekMagic() {
        var position = start
        while position < buffer.count {
            let rest = min(Frame.magic.count, buffer.count - position)
            if buffer[position] == Frame.magic[0]
                && buffer[position..<position + rest].elementsEqual(Frame.magic[..<rest])
            {
                break
            }
            position += 1
        }
        skip(position - start)
    }

    private func validHeader() -> Header? {
        let checksum = integer(at: 16)
        guard checksum == Checksum.of(buffer[start..<start + 16]),
            buffer[start + 4] == Frame.framing, buffer[start + 5] == 0
        else { return nil }
        let length = integer(at: 12)
        guard length <= GuestProtocol.maximumPayload else { return nil }
        return Header(
            operation: UInt16(buffer[start + 6]) | UInt16(buffer[start + 7]) << 8,
            channel: integer(at: 8), length: Int(length), checksum: checksum)
    }

    private func integer(at offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(buffer[start + offset + $1]) << (8 * $1) }
    }

    private mutating func skip(_ count: Int) {
        start += count
        discarded += count
    }
}
