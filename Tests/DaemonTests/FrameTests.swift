import Model
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// Bytes that are no frames, and frames that are no requests.
@Suite(.timeLimit(.minutes(10))) struct FrameTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let code: Failure.Code
    }

    static let bad = [
        Bad(testDescription: "a frame of no bytes", bytes: [0, 0, 0, 0], code: .malformed),
        Bad(testDescription: "a frame of 4 GiB", bytes: [0xFF, 0xFF, 0xFF, 0xFF], code: .frameTooLarge),
        Bad(testDescription: "one byte over any limit", bytes: [0, 0x80, 0, 1], code: .frameTooLarge),
        Bad(testDescription: "HTTP", bytes: Array("GET / HTTP/1.1\r\n\r\n".utf8), code: .frameTooLarge),
        Bad(testDescription: "TLS", bytes: [0x16, 0x03, 0x01, 0x02, 0x00, 0x01], code: .frameTooLarge),
        Bad(testDescription: "no protobuf", bytes: [0, 0, 0, 3, 0xFF, 0xFF, 0xFF], code: .malformed),
        Bad(testDescription: "a cut varint", bytes: [0, 0, 0, 2, 0x08, 0x80], code: .malformed),
        Bad(testDescription: "a length past the end", bytes: [0, 0, 0, 4, 0x08, 0x05, 0x22, 0x7F], code: .malformed),
        Bad(testDescription: "request 0", bytes: [0, 0, 0, 2, 0x22, 0x00], code: .malformed),
        Bad(testDescription: "request 0 in words", bytes: [0, 0, 0, 4, 0x08, 0x00, 0x22, 0x00], code: .malformed),
        Bad(
            testDescription: "text that is not UTF-8", bytes: [0, 0, 0, 7, 0x08, 5, 0x32, 3, 0x0A, 1, 0xFF],
            code: .malformed),
    ]

    @Test(arguments: bad) func aBadFrameIsAnsweredAndEndsTheConnection(_ bad: Bad) async throws {
        let daemon = try await TestDaemon.start()
        // Both before and after hello.
        for client in [try daemon.connect(), try daemon.client()] {
            try client.send(bad.bytes)
            let failure = try client.receiveFailure()
            #expect(failure?.code == bad.code)
            #expect(failure?.id == 0)
            #expect(try client.receive() == nil)
        }
        #expect(daemon.answers())
    }

    @Test(arguments: [1, 2, 3, 4, 5, 8]) func aFrameCutByHalfCloseIsTruncated(_ length: Int) async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        let whole = try RawClient.frame(2, .show(WireShowRequest.with { $0.name = "fifo" }))
        try client.send(Array(whole.prefix(length)))
        client.endSending()
        let failure = try client.receiveFailure()
        #expect(failure?.code == .truncated)
        #expect(failure?.id == 0)
        #expect(try client.receive() == nil)
        #expect(daemon.answers())
    }

    @Test func whatCameBeforeAHalfCloseIsStillAnswered() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        try client.send(RawClient.frame(2, .history(.init())) + RawClient.frame(3, .status(.init())))
        client.endSending()
        var answered: Set<UInt64> = []
        while let response = try client.receive() { answered.insert(response.id) }
        #expect(answered == [2, 3])
    }

    @Test func aClientThatVanishesInTheMiddleHarmsNobody() async throws {
        let daemon = try await TestDaemon.start()
        let quiet = await daemon.quietDescriptors()
        for length in 0..<20 {
            let client = try daemon.client()
            let whole = try RawClient.frame(2, .show(WireShowRequest.with { $0.name = "no-such-scheduler" }))
            try client.send(Array(whole.prefix(length)))
            client.close()
        }
        #expect(daemon.answers())
        #expect(await daemon.quietDescriptors() == quiet)
    }

    @Test func anUnknownOperationIsAnsweredAndTheConnectionGoesOn() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        // Request 5 with field 99, then with no operation at all.
        for payload: [UInt8] in [[0x08, 0x05, 0x9A, 0x06, 0x02, 0x08, 0x01], [0x08, 0x05]] {
            try client.send(RawClient.frame(payload))
            let failure = try client.receiveFailure()
            #expect(failure?.code == .unknownOperation)
            #expect(failure?.id == 5)
        }
        #expect(try client.ask(6, .status(.init())).id == 6)
    }

    @Test func anUnknownFieldOfAKnownOperationIsIgnored() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        try client.send(RawClient.frame([0x08, 0x05, 0x22, 0x03, 0x98, 0x06, 0x07]))
        #expect(try client.receive()?.status.kernel.release.isEmpty == false)
    }

    @Test func manyFramesInOneWriteAndOneFrameInManyWrites() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        var many: [UInt8] = []
        for id in 2..<102 { many += try RawClient.frame(UInt64(id), .status(.init())) }
        try client.send(many)
        for id in 2..<102 { #expect(try client.receive()?.id == UInt64(id)) }
        for byte in try RawClient.frame(200, .list(.init())) { try client.send([byte]) }
        #expect(try client.receive()?.id == 200)
    }

    @Test func nestedGroupsDoNotExhaustTheStack() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        // 60,000 starts of an unknown group, one inside the other.
        try client.send(RawClient.frame([0x08, 0x05] + [UInt8](repeating: 0x7B, count: 60_000)))
        #expect(try client.receiveFailure()?.code == .malformed)
        #expect(daemon.answers())
    }
}
