import Foundation
import Model
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// What runs, seen and changed over the socket. On this machine nothing of ours runs: that it does is shown by the end-to-end tests.
@Suite(.timeLimit(.minutes(10))) struct LiveTests {
    private static func view(every milliseconds: UInt32) -> WireRequest.OneOf_Operation {
        .view(WireViewRequest.with { $0.intervalMilliseconds = milliseconds })
    }

    @Test func oneViewIsTheOnlyAnswer() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        let view = try client.ask(2, Self.view(every: 0)).view
        #expect(!view.cpus.isEmpty && view.cpus.allSatisfy { (0...1).contains($0.busy) })
        #expect(view.intervalNanoseconds > 0 && view.at > 0)
        #expect(!view.hasDeployment && view.counters.isEmpty && view.queues.isEmpty)
        // It is over: the next answer is that of the next request.
        #expect(try client.ask(3, .status(.init())).id == 3)
    }

    @Test func viewsComeUntilTheyAreCancelled() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        try client.send(2, Self.view(every: 200))
        var last: Int64 = 0
        for _ in 0..<3 {
            let answer = try client.receive()
            #expect(answer?.id == 2 && answer?.view.at ?? 0 > last)
            last = answer?.view.at ?? 0
        }
        try client.send(3, .cancel(WireCancel.with { $0.requestID = 2 }))
        var ended: Set<UInt64> = []
        while ended.count < 2, let answer = try client.receive() {
            if case .done = answer.result { ended.insert(answer.id) } else { #expect(answer.id == 2) }
        }
        #expect(ended == [2, 3])
        #expect(try client.ask(4, .status(.init())).id == 4)
    }

    @Test(arguments: [UInt32(1), 50, 199]) func noViewComesMoreOftenThanThereIs(milliseconds: UInt32) async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        #expect(try client.ask(2, Self.view(every: milliseconds)).failure.code == .invalidArgument)
        #expect(try client.ask(3, .status(.init())).id == 3)
    }

    /// Views are streams like others: four on a connection.
    @Test func aFifthStreamIsRefused() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        for id in UInt64(2)...5 { try client.send(id, Self.view(every: 60000)) }
        #expect(try client.ask(6, Self.view(every: 60000)).failure.code == .tooMany)
        // Its going away ends them.
        let other = try daemon.client()
        #expect(try other.ask(2, Self.view(every: 0)).view.cpus.isEmpty == false)
    }

    @Test func whereNothingRunsThereIsNothingToChange() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        #expect(try client.ask(2, .tuning(.init())).failure.code == .nothingDeployed)
        let tune = WireTuneRequest.with { $0.settings = [.with { ($0.name, $0.value) = ("slice_us", "1") }] }
        let answer = try client.ask(3, .tune(tune)).failure
        // As root it is asked and finds nothing; everyone else may not.
        #expect(answer.code == (Checkout.isRoot ? .nothingDeployed : .denied))
        if Checkout.isRoot {
            #expect(try client.ask(4, .tune(.init())).failure.code == .invalidArgument)
        }
    }
}
