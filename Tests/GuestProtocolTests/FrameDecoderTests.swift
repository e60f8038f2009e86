import Testing

@testable import GuestProtocol

@Suite struct FrameDecoderTests {
    private static func frames(seed: UInt64) throws -> [Frame] {
        var random = SeededGenerator(seed: seed)
        return try Samples.messages(&random).map { try $0.frame() }
    }

    @Test(arguments: [1, 2, 3, 7, 20, 64, 4096]) func framesAreFoundWhateverThePieces(size: Int) throws {
        let frames = try Self.frames(seed: 1)
        #expect(Samples.frames(in: frames.flatMap(\.encoded), pieces: size) == frames)
    }

    @Test(arguments: 0..<100 as Range<UInt64>) func noiseBetweenFramesIsPassedOver(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let frames = try Self.frames(seed: seed)
        var stream = Array("[    0.000000] Linux version 7.3.4\r\n".utf8) + Frame.magic.prefix(3)
        for frame in frames {
            stream += frame.encoded
            stream += random.bytes(Int.random(in: 0...40, using: &random))
            // Noise that looks like the beginning of a frame.
            if Bool.random(using: &random) {
                stream += Frame.magic.prefix(Int.random(in: 1...4, using: &random))
            }
        }
        #expect(Samples.frames(in: stream + [UInt8](repeating: 0, count: 32), pieces: 5) == frames)
    }

    @Test(arguments: 0..<20 as Range<UInt64>) func aReaderMayJoinAnywhere(seed: UInt64) throws {
        let frames = try Self.frames(seed: seed)
        let stream = frames.flatMap(\.encoded)
        var start = 0
        for (index, frame) in frames.enumerated() {
            let middle = start + frame.encoded.count / 2
            #expect(Samples.frames(in: Array(stream[middle...]), pieces: 9) == Array(frames[(index + 1)...]))
            start += frame.encoded.count
        }
    }

    @Test(arguments: 0..<300 as Range<UInt64>) func aFlippedBitCostsOneFrame(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let frames = try Self.frames(seed: seed)
        let hit = Int.random(in: 0..<frames.count, using: &random)
        var stream: [UInt8] = []
        for (index, frame) in frames.enumerated() {
            var bytes = frame.encoded
            if index == hit { bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << (seed % 8) }
            stream += bytes
        }
        var expected = frames
        expected.remove(at: hit)
        #expect(Samples.frames(in: stream, pieces: 11) == expected)
    }

    @Test func aTornFrameDoesNotHoldUpTheNextWriter() throws {
        let torn = try Frame(operation: 1, channel: 2, payload: .init(repeating: 3, count: 60000))
        let next = try Frame(operation: 4, channel: 5, payload: [6])
        let stream = Array(torn.encoded.prefix(100)) + Frame.preamble + next.encoded
        #expect(Samples.frames(in: stream, pieces: 1000) == [next])
    }

    @Test func aLengthOfFourGibibytesIsNotBelieved() throws {
        var writer = ByteWriter()
        writer.raw(Frame.magic)
        writer.raw([Frame.framing, 0, 1, 0, 0, 0, 0, 0])
        writer.integer(UInt32.max)
        writer.integer(Checksum.of(writer.bytes))
        let good = try Frame(operation: 1, channel: 2)
        #expect(Samples.frames(in: writer.bytes + good.encoded, pieces: 3) == [good])
    }

    @Test func memoryStaysBounded() {
        var random = SeededGenerator(seed: 8)
        var decoder = FrameDecoder()
        let piece = 4096
        for _ in 0..<300 {
            decoder.append(random.bytes(piece))
            while decoder.next() != nil {}
            #expect(decoder.pending <= Frame.maximumSize + piece)
        }
        #expect(decoder.discarded > 0)
    }

    @Test(arguments: 0..<300 as Range<UInt64>) func randomBytesNeverTrap(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for frame in Samples.frames(in: random.bytes(2000), pieces: 17) { _ = try? Message(frame) }
        // Intact frames around nonsense: every operation, known or not.
        for operation in Operation.allCases.map(\.rawValue) + [0, 0x0300, 0xFFFF] {
            let payload = random.bytes(Int.random(in: 0...80, using: &random))
            let frame = try Frame(operation: operation, channel: 1, payload: payload)
            _ = try? Message(frame)
        }
        // Sense with a few bytes changed.
        for message in Samples.messages(&random) {
            let frame = try message.frame()
            var payload = frame.payload
            guard !payload.isEmpty else { continue }
            for _ in 0..<3 {
                payload[Int.random(in: 0..<payload.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            _ = try? Message(Frame(operation: frame.operation, channel: 1, payload: payload))
        }
    }
}
