import Model
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// Random bytes and damaged requests in great number. The seed is the argument.
@Suite(.timeLimit(.minutes(10))) struct StormTests {
    @Test(arguments: [1, 2, 3]) func theDaemonSurvives(seed: UInt64) async throws {
        var random = Seeded(seed)
        let daemon = try await TestDaemon.start()
        let quiet = await daemon.quietDescriptors()
        for _ in 0..<250 {
            // Not every one is greeted.
            let client = random.chance(3) ? try daemon.connect() : try daemon.client()
            for _ in 0..<(1 + random.below(4)) {
                // The daemon may have closed already.
                try? client.send(try Self.burst(&random))
            }
            if random.chance(3) {
                client.endSending()
                _ = try client.receiveAll()
            }
            client.close()
        }
        #expect(daemon.answers())
        #expect(await daemon.quietDescriptors() == quiet)
    }

    private static func burst(_ random: inout Seeded) throws -> [UInt8] {
        switch random.below(4) {
        case 0: return random.bytes(random.below(2000))
        case 1: return RawClient.frame(random.bytes(random.below(300)))
        case 2:
            var frame = try valid(&random)
            for _ in 0...random.below(4) { frame[random.below(frame.count)] ^= 1 << UInt8(random.below(8)) }
            return frame
        default: return try valid(&random) + valid(&random)
        }
    }

    /// Nothing in it can become a deployment of an existing scheduler by a flipped bit.
    private static func valid(_ random: inout Seeded) throws -> [UInt8] {
        let id = UInt64(1 + random.below(5))
        let operation: WireRequest.OneOf_Operation =
            switch random.below(8) {
            case 0: .hello(RawClient.hello)
            case 1: .cancel(WireCancel.with { $0.requestID = UInt64(1 + random.below(5)) })
            case 2: .status(.init())
            case 3: .list(.init())
            case 4: .show(WireShowRequest.with { $0.name = "none-such" })
            case 5: .history(WireHistoryRequest.with { $0.limit = UInt32(random.below(2000)) })
            case 6:
                .events(
                    WireEventsRequest.with {
                        $0.after = random.next() >> UInt64(random.below(64))
                        $0.follow = random.chance(2)
                    })
            default: .doctor(.init())
            }
        return try RawClient.frame(id, operation)
    }
}
