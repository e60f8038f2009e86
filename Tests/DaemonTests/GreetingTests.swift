import Model
import TestSupport
import Testing
import Wire

/// The phases of a connection, over the real socket of a real daemon.
@Suite(.timeLimit(.minutes(10))) struct GreetingTests {
    @Test func helloTellsLimitsAndWhoTheClientIs() async throws {
        let daemon = try await TestDaemon.start()
        let reply = try daemon.connect().greet()
        #expect(reply.protocol == ProtocolVersion.newest)
        #expect(!reply.serverVersion.isEmpty)
        #expect(reply.you.uid == Checkout.userID)
        #expect(reply.you.gid == Checkout.groupID)
        #expect(reply.you.pid == Checkout.processID)
        #expect(reply.limits.maxFrameBytes == UInt32(Checkout.isRoot ? 7 << 20 : Frame.ordinaryLimit))
        #expect(reply.limits.maxRequestsInFlight == 16)
        #expect(reply.limits.maxStreams == 4)
        #expect(reply.limits.maxParameters == 64)
        #expect(reply.limits.maxHints == 1024)
        #expect(reply.limits.maxHistory == 1000)
        #expect(reply.limits.frameTimeoutSeconds == 10)
    }

    @Test func theNameInHelloIsNobodysIdentity() async throws {
        let daemon = try await TestDaemon.start()
        var hello = RawClient.hello
        hello.client = "root\u{1B}[31m\nadmin"
        let response = try daemon.connect().ask(1, .hello(hello))
        #expect(response.hello.you.uid == Checkout.userID)
    }

    @Test func aSecondHelloEndsTheConnection() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        try client.send(2, .hello(RawClient.hello))
        #expect(try client.receiveFailure()?.code == .outOfPhase)
        #expect(try client.receive() == nil)
        #expect(daemon.answers())
    }

    @Test func nothingIsServedBeforeHello() async throws {
        let daemon = try await TestDaemon.start()
        let operations: [WireRequest.OneOf_Operation] = [
            .status(.init()), .list(.init()), .show(.init()), .history(.init()), .events(.init()), .doctor(.init()),
            .cancel(.init()), .deploy(.init()), .rollback(.init()),
        ]
        for operation in operations {
            let client = try daemon.connect()
            try client.send(7, operation)
            #expect(try client.receiveFailure()?.code == .outOfPhase, "\(operation)")
            #expect(try client.receive() == nil)
        }
        #expect(daemon.answers())
    }

    @Test func anUnknownOperationBeforeHelloEndsTheConnection() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.connect()
        try client.send(RawClient.frame([0x08, 0x05, 0x9A, 0x06, 0x00]))
        #expect(try client.receiveFailure()?.code == .outOfPhase)
        #expect(try client.receive() == nil)
    }

    @Test(arguments: [(0, 0), (2, 3), (5, 1), (UInt32.max, UInt32.max)])
    func aVersionThatIsNotSpokenEndsTheConnection(low: UInt32, high: UInt32) async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.connect()
        var hello = RawClient.hello
        hello.protocolMin = low
        hello.protocolMax = high
        try client.send(1, .hello(hello))
        #expect(try client.receiveFailure()?.code == .unsupportedVersion)
        #expect(try client.receive() == nil)
        #expect(daemon.answers())
    }

    @Test func aNewerClientIsMetAtOurVersion() async throws {
        let daemon = try await TestDaemon.start()
        var hello = RawClient.hello
        hello.protocolMin = 0
        hello.protocolMax = 99
        #expect(try daemon.connect().ask(1, .hello(hello)).hello.protocol == ProtocolVersion.newest)
    }

    @Test func requestsMayFollowHelloInOneWrite() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.connect()
        var bytes = try RawClient.frame(1, .hello(RawClient.hello))
        bytes += try RawClient.frame(2, .status(.init()))
        bytes += try RawClient.frame(3, .list(.init()))
        try client.send(bytes)
        #expect(try client.receive()?.id == 1)
        #expect(try client.receive()?.status.kernel.release.isEmpty == false)
        #expect(try client.receive()?.list.schedulers.map(\.name) == Checkout.schedulers)
    }
}
