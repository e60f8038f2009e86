import Model
import NIOCore
import TestSupport
import Testing
import Wire

/// The cutting of a stream into frames.
@Suite struct FrameDecoderTests {
    private static func frame(_ payload: [UInt8]) -> [UInt8] { RawClient.frame(payload) }

    /// Feeds pieces, and gives the payloads and the failure at the end.
    private static func feed(
        _ pieces: [[UInt8]], limit: Int = 1024, endsThere: Bool = true
    ) -> (payloads: [[UInt8]], failure: Failure.Code?) {
        let processor = NIOSingleStepByteToMessageProcessor(FrameDecoder(limit: limit))
        var payloads: [[UInt8]] = []
        do {
            for piece in pieces {
                try processor.process(buffer: ByteBuffer(bytes: piece)) { payloads.append(Array($0.readableBytesView)) }
            }
            if endsThere {
                try processor.finishProcessing(seenEOF: true) { payloads.append(Array($0.readableBytesView)) }
            }
            return (payloads, nil)
        } catch { return (payloads, (error as? Failure)?.code ?? .internal) }
    }

    static let payloads: [[UInt8]] = [[1, 2, 3], [], [0xFF], [0, 0, 0, 0], Array(0..<100)]
    static let stream: [UInt8] = payloads.flatMap(frame)

    @Test func wholeByteByByteAndCutAtEveryPlace() {
        #expect(Self.feed([Self.stream]).payloads == Self.payloads)
        #expect(Self.feed(Self.stream.map { [$0] }).payloads == Self.payloads)
        for cut in 0...Self.stream.count {
            let (payloads, failure) = Self.feed([Array(Self.stream[..<cut]), Array(Self.stream[cut...])])
            #expect(payloads == Self.payloads, "cut at \(cut)")
            #expect(failure == nil)
        }
    }

    @Test func everyPairOfCuts() {
        for first in 0...Self.stream.count {
            for second in first...Self.stream.count {
                let pieces = [Self.stream[..<first], Self.stream[first..<second], Self.stream[second...]].map(
                    Array.init)
                if Self.feed(pieces).payloads != Self.payloads { Issue.record("cuts at \(first) and \(second)") }
            }
        }
    }

    @Test func anEndAtEveryPlace() {
        let ends = Self.payloads.reduce(into: [0]) { $0.append($0[$0.count - 1] + 4 + $1.count) }
        for end in 0...Self.stream.count {
            let (payloads, failure) = Self.feed([Array(Self.stream[..<end])])
            let whole = ends.count { $0 <= end } - 1
            #expect(payloads == Array(Self.payloads.prefix(whole)))
            #expect(failure == (ends.contains(end) ? nil : .truncated), "end at \(end)")
        }
    }

    @Test(arguments: [0, 1, 2, 100, 65_536]) func exactlyTheLimitAndOneOver(limit: Int) {
        let fits = [UInt8](repeating: 7, count: limit)
        #expect(Self.feed([Self.frame(fits)], limit: limit).payloads == [fits])
        let over = Self.feed([Self.frame(fits + [7])], limit: limit)
        #expect(over.payloads.isEmpty)
        #expect(over.failure == .frameTooLarge)
    }

    @Test(
        arguments: [[0xFF, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0], [0x7F, 0xFF, 0xFF, 0xFF], [0, 0, 4, 1]] as [[UInt8]])
    func aHeaderOverTheLimitIsRefusedBeforeItsFrameComes(_ header: [UInt8]) {
        #expect(Self.feed([header], endsThere: false).failure == .frameTooLarge)
        #expect(Self.feed(header.map { [$0] }, endsThere: false).failure == .frameTooLarge)
    }

    @Test func framesBeforeABadOneAreGiven() {
        let result = Self.feed([Self.frame([1]) + Self.frame([2, 2]) + [0xFF, 0xFF, 0xFF, 0xFF, 9, 9]])
        #expect(result.payloads == [[1], [2, 2]])
        #expect(result.failure == .frameTooLarge)
    }

    @Test func aHeaderOf4GiBReservesNothing() throws {
        // The decoder sees the header only; nothing asks for memory by its word.
        var buffer = ByteBuffer(bytes: [0, 0, 3, 0xFF])
        var decoder = FrameDecoder(limit: 1024)
        let payload = try decoder.decode(buffer: &buffer)
        #expect(payload == nil)
        #expect(buffer.capacity < 1024)
        #expect(buffer.readableBytes == 4)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func randomFramesCutAtRandom(seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<300 {
            let payloads = (0..<random.below(12)).map { _ in random.bytes(random.below(60)) }
            var rest = payloads.flatMap(Self.frame)[...]
            var pieces: [[UInt8]] = []
            while !rest.isEmpty {
                let piece = rest.prefix(random.below(40))
                pieces.append(Array(piece))
                rest = rest.dropFirst(piece.count)
            }
            #expect(Self.feed(pieces).payloads == payloads)
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func randomBytesAreFramesOrAFailure(seed: UInt64) {
        var random = Seeded(seed)
        for _ in 0..<1000 {
            let bytes = random.bytes(random.below(64)).map { random.chance(2) ? 0 : $0 }
            let (payloads, failure) = Self.feed([bytes], limit: 16)
            let taken = payloads.reduce(0) { $0 + 4 + $1.count }
            #expect(taken <= bytes.count)
            #expect(payloads.allSatisfy { $0.count <= 16 })
            if taken == bytes.count { #expect(failure == nil) } else { #expect(failure != nil) }
        }
    }
}
