import Model
import NIOCore
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// What holds of every message, on random ones. The seed is the argument.
@Suite(.timeLimit(.minutes(5))) struct RoundTripTests {
    static let seeds: [UInt64] = [1, 2, 3, 4]

    private static func roundTrip<M: RandomMessage & Message & Equatable>(_ type: M.Type, _ random: inout Seeded) throws
    {
        let message = M.random(&random)
        var frame = try Frame.encode(message)
        let word = frame.readInteger(as: UInt32.self)
        let length = try #require(word)
        #expect(Int(length) == frame.readableBytes)
        #expect(try Frame.decode(M.self, from: frame) == message)
    }

    @Test(arguments: seeds) func everyRequestComesBackAsItWas(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<1000 { try Self.roundTrip(WireRequest.self, &random) }
    }

    @Test(arguments: seeds) func everyResponseComesBackAsItWas(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<1000 { try Self.roundTrip(WireResponse.self, &random) }
    }

    /// Status is put into its frame by hand, because it is asked for so often.
    @Test(arguments: seeds) func aStatusIsFramedAsEveryMessageIs(seed: UInt64) throws {
        var random = Seeded(seed)
        for round in 0..<500 {
            var response = WireResponse()
            response.id = max(1, random.number(UInt64.self))
            response.status = round == 0 ? WireStatus() : .random(&random)
            let status = try Frame.bytes(of: response.status)
            let framed = Frame.encode(status: status, id: response.id, allocator: ByteBufferAllocator())
            #expect(framed == (try Frame.encode(response)))
            #expect(Frame.size(of: response) == framed.readableBytes - Frame.headerBytes)
        }
    }

    @Test(arguments: seeds) func messagesComeBackThroughAStreamCutAnywhere(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<50 {
            let messages = (0..<20).map { _ in WireResponse.random(&random) }
            var stream = ByteBuffer()
            for message in messages { stream.writeImmutableBuffer(try Frame.encode(message)) }
            var payloads: [ByteBuffer] = []
            let processor = NIOSingleStepByteToMessageProcessor(FrameDecoder(limit: 1 << 20))
            while stream.readableBytes > 0 {
                let slice = stream.readSlice(length: min(stream.readableBytes, 1 + random.below(200)))
                let piece = try #require(slice)
                try processor.process(buffer: piece) { payloads.append($0) }
            }
            try processor.finishProcessing(seenEOF: true) { payloads.append($0) }
            #expect(try payloads.map { try Frame.decode(WireResponse.self, from: $0) } == messages)
        }
    }

    /// Either a message or the one failure, whatever comes.
    private static func decodesOrRefuses(_ bytes: [UInt8]) {
        do throws(Failure) {
            _ = try Frame.decode(WireRequest.self, from: ByteBuffer(bytes: bytes))
        } catch { #expect(error.code == .malformed) }
        do throws(Failure) {
            _ = try Frame.decode(WireResponse.self, from: ByteBuffer(bytes: bytes))
        } catch { #expect(error.code == .malformed) }
    }

    @Test(arguments: seeds) func randomBytesNeverCrash(seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<3000 { Self.decodesOrRefuses(random.bytes(random.below(120))) }
    }

    @Test(arguments: seeds) func flippedBitsAndCutsNeverCrash(seed: UInt64) throws {
        var random = Seeded(seed)
        for _ in 0..<1000 {
            let message: any Message = random.chance(2) ? WireRequest.random(&random) : WireResponse.random(&random)
            var bytes: [UInt8] = try message.serializedBytes()
            guard !bytes.isEmpty else { continue }
            for _ in 0...random.below(6) { bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8)) }
            if random.chance(3) { bytes.removeLast(random.below(bytes.count)) }
            Self.decodesOrRefuses(bytes)
        }
    }
}

/// The limits of one message.
@Suite struct MessageLimitTests {
    @Test(arguments: [100, 10_000, 1_000_000]) func nestedGroupsAreRefused(depth: Int) {
        let bytes = [0x08, 0x05] + [UInt8](repeating: 0x7B, count: depth)
        let closed = bytes + [UInt8](repeating: 0x7C, count: depth)
        for payload in [bytes, closed] {
            #expect(throws: Failure.self) { try Frame.decode(WireRequest.self, from: ByteBuffer(bytes: payload)) }
        }
    }

    @Test func theDeepestMessageOfTheContractFits() throws {
        // Response → status → deployment → hint.
        var response = WireResponse()
        response.id = 1
        var hint = WireHint()
        hint.kind = "process"
        response.status.deployment.hints = [hint]
        response.status.lastEnded.exit.dump = "dump"
        var frame = try Frame.encode(response)
        frame.moveReaderIndex(forwardBy: Frame.headerBytes)
        #expect(try Frame.decode(WireResponse.self, from: frame) == response)
    }

    @Test func unknownFieldsAreDropped() throws {
        let bytes: [UInt8] = [0x08, 0x05, 0x9A, 0x06, 0x02, 0x08, 0x01]
        let request = try Frame.decode(WireRequest.self, from: ByteBuffer(bytes: bytes))
        #expect(request.id == 5)
        #expect(request.operation == nil)
        #expect(try request.serializedBytes() == [UInt8]([0x08, 0x05]))
    }

    @Test func aBoundStringIsUTF8() {
        for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82]] {
            let show = [0x0A, UInt8(bad.count)] + bad
            let request = [0x08, 0x05, 0x32, UInt8(show.count)] + show
            #expect(throws: Failure.self) { try Frame.decode(WireRequest.self, from: ByteBuffer(bytes: request)) }
        }
    }
}
