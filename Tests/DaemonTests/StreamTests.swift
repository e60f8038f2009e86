import Foundation
import Model
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// Requests that last: in flight together, streamed, cancelled.
@Suite(.timeLimit(.minutes(10))) struct StreamTests {
    private static func follow(after: UInt64 = 0) -> WireRequest.OneOf_Operation {
        .events(
            WireEventsRequest.with {
                $0.follow = true
                $0.after = after
            })
    }

    private static func cancel(_ id: UInt64) -> WireRequest.OneOf_Operation {
        .cancel(WireCancel.with { $0.requestID = id })
    }

    private static func join(_ requests: [(UInt64, WireRequest.OneOf_Operation)]) throws -> [UInt8] {
        try requests.reduce(into: []) { $0 += try RawClient.frame($1.0, $1.1) }
    }

    /// Reads `count` answers: the code of a failure, or "done", "event" or "answer".
    private static func kinds(_ count: Int, from client: RawClient) throws -> [UInt64: [String]] {
        var kinds: [UInt64: [String]] = [:]
        for _ in 0..<count {
            guard let response = try client.receive() else { break }
            let kind =
                switch response.result {
                case .failure(let failure): failure.asFailure.code.rawValue
                case .done: "done"
                case .event: "event"
                default: "answer"
                }
            kinds[response.id, default: []].append(kind)
        }
        return kinds
    }

    @Test func eventsThatAreKeptComeAndTheStreamEnds() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        #expect(try client.ask(2, .events(.init())).result == .done(WireDone()))
        daemon.process.signal(SIGHUP)
        let reloaded = try await eventually {
            try client.send(3, .events(.init()))
            let first = try client.receive()
            guard case .event(let event) = first?.result else { return false }
            #expect(event.kind == "reloaded")
            #expect(event.sequence == 1)
            #expect(event.skipped == 0)
            #expect(try client.receive()?.result == .done(WireDone()))
            return true
        }
        #expect(reloaded)
        #expect(try client.ask(4, .events(WireEventsRequest.with { $0.after = 1 })).result == .done(WireDone()))
    }

    @Test func aFollowedStreamGetsNewEventsUntilCancelled() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        try client.send(2, Self.follow())
        for sequence in 1...3 {
            daemon.process.signal(SIGHUP)
            let event = try client.receive()
            #expect(event?.id == 2)
            #expect(event?.event.sequence == UInt64(sequence))
        }
        try client.send(3, Self.cancel(2))
        #expect(try Self.kinds(2, from: client) == [2: ["done"], 3: ["done"]])
        // Its number is free again, and it is not in flight any more.
        try client.send(4, Self.cancel(2))
        #expect(try client.receiveFailure()?.code == .notFound)
        #expect(try client.ask(2, .status(.init())).id == 2)
    }

    @Test(arguments: [UInt64.max, 1 << 40, 2, 1])
    func aPositionThatDoesNotExistYetHarmsNobody(_ after: UInt64) async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        try client.send(2, Self.follow(after: after))
        #expect(try client.ask(3, .status(.init())).id == 3)
        daemon.process.signal(SIGHUP)
        let event = try client.receive()
        #expect(event?.event.sequence == 1)
        #expect(event?.event.skipped == 0)
        daemon.process.signal(SIGHUP)
        #expect(try client.receive()?.event.sequence == 2)
        #expect(daemon.answers())
    }

    @Test func aRequestInFlightKeepsItsNumber() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        try client.send(Self.join([(5, .history(.init())), (5, .history(.init()))]))
        let kinds = try Self.kinds(2, from: client)
        #expect(kinds[5]?.sorted() == ["answer", "invalidArgument"])
        try client.send(Self.join([(6, Self.follow()), (6, .status(.init()))]))
        #expect(try client.receiveFailure()?.code == .invalidArgument)
    }

    @Test func whatCannotBeCancelledSaysSo() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        try client.send(Self.join([(2, .history(.init())), (3, Self.cancel(2)), (4, Self.cancel(99))]))
        let kinds = try Self.kinds(3, from: client)
        #expect(kinds == [2: ["answer"], 3: ["invalidArgument"], 4: ["notFound"]])
    }

    @Test func aFifthStreamIsRefused() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        try client.send(Self.join((2...6).map { ($0, Self.follow()) }))
        let failure = try client.receiveFailure()
        #expect(failure?.code == .tooMany)
        #expect(failure?.id == 6)
        // One less is one more.
        try client.send(7, Self.cancel(2))
        #expect(try Self.kinds(2, from: client) == [2: ["done"], 7: ["done"]])
        try client.send(Self.join([(8, Self.follow()), (9, Self.cancel(8))]))
        #expect(try Self.kinds(2, from: client) == [8: ["done"], 9: ["done"]])
    }

    @Test func aSeventeenthRequestInFlightIsRefused() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        try client.send(Self.join((2...21).map { ($0, .history(.init())) }))
        let kinds = try Self.kinds(20, from: client)
        #expect(kinds.count { $0.value == ["answer"] } == 16)
        #expect((18...21).allSatisfy { kinds[$0] == ["tooMany"] })
        #expect(try client.ask(30, .history(.init())).id == 30)
    }

    @Test func aStreamCanBeCancelledWhenNothingElseFits() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        var requests: [(UInt64, WireRequest.OneOf_Operation)] = (2...5).map { ($0, Self.follow()) }
        requests += (6...17).map { ($0, .history(.init())) }
        requests.append((18, Self.cancel(3)))
        try client.send(Self.join(requests))
        let kinds = try Self.kinds(14, from: client)
        #expect(kinds[18] == ["done"])
        #expect(kinds[3] == ["done"])
    }

    @Test func streamsEndWithTheirClient() async throws {
        let daemon = try await TestDaemon.start()
        let quiet = await daemon.quietDescriptors()
        for _ in 0..<20 {
            let client = try daemon.client()
            try client.send(2, Self.follow())
            #expect(try client.ask(3, .status(.init())).id == 3)
            client.close()
        }
        #expect(await daemon.quietDescriptors() == quiet)
        daemon.process.signal(SIGHUP)
        #expect(daemon.answers())
    }

    @Test func aHalfClosedStreamEnds() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        try client.send(2, Self.follow())
        client.endSending()
        #expect(try client.receive()?.result == .done(WireDone()))
        #expect(try client.receive() == nil)
    }
}
