import Model
import NIOCore
import NIOEmbedded
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// Time limits, at a time that the test sets.
@Suite struct DeadlineTests {
    private static func codes(_ connection: Embedded) throws -> [Failure.Code] {
        try connection.answers().map { $0.failure.asFailure.code }
    }

    @Test(arguments: [[], [0], [0, 0, 0, 9], [0, 0, 0, 9, 8, 1]] as [[UInt8]])
    func whoDoesNotGreetIsToldAndLeft(_ bytes: [UInt8]) throws {
        let connection = try Embedded()
        if !bytes.isEmpty { try connection.send(bytes) }
        connection.pass(.milliseconds(9999))
        #expect(try connection.answers().isEmpty)
        #expect(connection.channel.isActive)
        connection.pass(.milliseconds(1))
        #expect(try Self.codes(connection) == [.timedOut])
        #expect(!connection.channel.isActive)
    }

    @Test func aGreetingByteByByteGetsNoMoreTime() throws {
        let connection = try Embedded()
        let hello = try RawClient.frame(1, .hello(RawClient.hello))
        for byte in hello.dropLast() {
            try connection.send([byte])
            connection.pass(.nanoseconds(10_000_000_000 / Int64(hello.count)))
        }
        connection.pass(.seconds(1))
        #expect(try Self.codes(connection) == [.timedOut])
    }

    @Test func whoHasGreetedMayBeSilentForEver() throws {
        let connection = try Embedded()
        connection.pass(.seconds(9))
        try connection.greet()
        connection.pass(.hours(24))
        #expect(connection.channel.isActive)
        try connection.send(2, .status(.init()))
        #expect(try connection.answers().map(\.id) == [2])
    }

    @Test func aFrameThatIsNotCompletedEndsTheConnection() throws {
        let connection = try Embedded()
        try connection.greet()
        connection.pass(.seconds(100))
        try connection.send([0, 0])
        connection.pass(.milliseconds(9999))
        #expect(try connection.answers().isEmpty)
        connection.pass(.milliseconds(1))
        #expect(try Self.codes(connection) == [.timedOut])
        #expect(!connection.channel.isActive)
    }

    @Test func aDribbledFrameGetsNoMoreTime() throws {
        let connection = try Embedded()
        try connection.greet()
        for byte in [0, 0, 0, 100] + [UInt8](repeating: 0, count: 50) {
            guard connection.channel.isActive else { break }
            try connection.send([byte])
            connection.pass(.seconds(1))
        }
        #expect(try Self.codes(connection) == [.timedOut])
    }

    @Test func eachFrameHasItsOwnTime() throws {
        let connection = try Embedded()
        try connection.greet()
        let frame = try RawClient.frame(2, .status(.init()))
        // A busy client whose writes never end where a frame does.
        var pending = Array(frame.prefix(3))
        for _ in 0..<20 {
            try connection.send(pending)
            connection.pass(.seconds(6))
            pending = Array(frame.dropFirst(3)) + frame.prefix(3)
        }
        #expect(connection.channel.isActive)
        #expect(try connection.answers().map(\.id) == [UInt64](repeating: 2, count: 19))
    }

    @Test func aCompletedFrameStopsTheClock() throws {
        let connection = try Embedded()
        try connection.greet()
        let frame = try RawClient.frame(2, .status(.init()))
        try connection.send(Array(frame.prefix(2)))
        connection.pass(.seconds(9))
        try connection.send(Array(frame.dropFirst(2)))
        connection.pass(.seconds(100))
        #expect(connection.channel.isActive)
        #expect(try connection.answers().count == 1)
    }
}

/// What depends on who is at the other end.
@Suite struct ActorTests {
    @Test func theFrameLimitIsThatOfTheClient() throws {
        for (actor, limit) in [
            // An object as large as the role may send, and a mebibyte for the rest.
            (Embedded.ordinary, Frame.ordinaryLimit), (Embedded.admin, 2 << 20), (Embedded.root, 7 << 20),
        ] {
            let connection = try Embedded(actor)
            try connection.greet()
            // A frame that is just as long as it may be: an unknown field fills it.
            let head: [UInt8] = [0x08, 0x02, 0x22, 0x00, 0x9A, 0x06]
            var filler = limit - head.count - 4
            var length: [UInt8] = []
            let size = filler
            while filler > 0 {
                length.append(UInt8(filler & 0x7F) | (filler > 0x7F ? 0x80 : 0))
                filler >>= 7
            }
            let payload = head + length + [UInt8](repeating: 0, count: size)
            let exact = payload + [UInt8](repeating: 0, count: 0)
            #expect(exact.count <= limit)
            try connection.send(RawClient.frame(exact))
            #expect(try connection.answers().map(\.id) == [2])
            try connection.send(
                [UInt32(limit + 1)].flatMap { n in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: n >> $0) } })
            #expect(try connection.answers().map { $0.failure.asFailure.code } == [.frameTooLarge])
            #expect(!connection.channel.isActive)
        }
    }

    @Test(arguments: [
        (Embedded.ordinary, Failure.Code.denied), (Embedded.admin, .denied),
    ]) func anObjectWithoutAnAttestationIsRefused(actor: Actor, code: Failure.Code) async throws {
        let deploy = WireDeployRequest.with { $0.object = .init([1, 2, 3]) }
        let answer = try await Embedded.ask(actor, try Embedded.Backend(), .deploy(deploy))
        #expect(answer.failure.asFailure.code == code)
    }

    @Test func helloSaysWhoMayChange() throws {
        for (actor, mayChange) in [(Embedded.ordinary, false), (Embedded.admin, true), (Embedded.root, true)] {
            let connection = try Embedded(actor)
            try connection.send(1, .hello(RawClient.hello))
            let you = try connection.answers().first?.hello.you
            #expect(you?.mayChange == mayChange)
            #expect(you?.uid == actor.uid)
            #expect(you?.user == actor.user)
        }
    }

    @Test func whatAnOrdinaryUserMayNotDoIsRefusedEachTime() throws {
        let connection = try Embedded()
        try connection.greet()
        for id in 2..<50 as Range<UInt64> {
            let byName = WireDeployRequest.with { $0.name = "fifo" }
            try connection.send(id, id % 2 == 0 ? .rollback(.init()) : .deploy(byName))
            let answers = try connection.answers()
            #expect(answers.map(\.id) == [id])
            #expect(answers.first?.failure.asFailure.code == .denied)
        }
    }

    @Test func whoDoesNotReadIsNotServedFurther() async throws {
        let folder = try TemporaryFolder()
        try await Checkout.install(into: folder)
        let connection = try Embedded(Embedded.admin, schedulers: folder)
        try connection.greet()
        connection.channel.isWritable = false
        connection.channel.pipeline.fireChannelWritabilityChanged()
        var many: [UInt8] = []
        for id in 2..<500 { many += try RawClient.frame(UInt64(id), .show(WireShowRequest.with { $0.name = "ljf" })) }
        try connection.send(many)
        #expect(try connection.answers().isEmpty, "answers pile up for a client that does not read")
        connection.channel.isWritable = true
        connection.channel.pipeline.fireChannelWritabilityChanged()
        #expect(try connection.answers().map(\.id) == Array(2..<500))
    }
}
