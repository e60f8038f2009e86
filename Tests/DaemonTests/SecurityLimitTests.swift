import Daemon
import Deployment
import Foundation
import Linux
import Model
import NIOCore
import NIOEmbedded
import Repository
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// How much one user may have: over the limit it is refused or waits, and nobody else feels it.
@Suite(.timeLimit(.minutes(10))) struct SecurityLimitTests {
    @Test func theRateRefillsAndHoldsOverConnections() {
        let account = UserAccount()
        let rate = RequestRate(perSecond: 10, burst: 5)
        let second: Int64 = 1_000_000_000
        for _ in 0..<5 { #expect(account.take(rate, now: second) == 0) }
        let wait = account.take(rate, now: second)
        #expect(wait > 90_000_000 && wait <= 100_000_001)
        #expect(account.take(rate, now: second + wait) == 0)
        #expect(account.take(rate, now: second + wait) > 0)
        // Never more than the burst, however long nobody asked, and a clock that goes back gives nothing.
        for _ in 0..<5 { #expect(account.take(rate, now: 1000 * second) == 0) }
        #expect(account.take(rate, now: 1000 * second) > 0)
        #expect(account.take(rate, now: 0) > 0)
    }

    @Test func whoAsksTooOftenWaitsAndLosesNothing() async throws {
        let folder = try TemporaryFolder()
        try await Checkout.install(into: folder)
        let slow = try Embedded.rules().replacingOccurrences(
            of: "requests-per-second 100 burst 400", with: "requests-per-second 1 burst 10")
        let backend = try Embedded.Backend(schedulers: folder, rules: slow)
        let flooder = try Embedded(Embedded.ordinary, backend)
        try flooder.greet()
        for id in 2..<300 as Range<UInt64> { try flooder.send(id, .status(.init())) }
        let atOnce = try flooder.answers().count
        #expect(atOnce < 12, "\(atOnce) answers")
        // Another user is answered at once meanwhile.
        let other = try Embedded(Embedded.agent, backend)
        try other.greet()
        try other.send(2, .status(.init()))
        #expect(try other.answers().count == 1)
        // A second connection of the same user gets no rate of its own.
        let second = try Embedded(Embedded.ordinary, backend)
        try second.send(1, .hello(RawClient.hello))
        #expect(try second.answers().isEmpty)
        Attacks.report("quota", tried: 300 - atOnce, refused: 300 - atOnce)
    }

    @Test func memoryForLargeFramesIsBoundedForOneUserAndForAll() async throws {
        let backend = try Embedded.Backend()
        var (held, refused) = (0, 0)
        var connections: [Embedded] = []
        for _ in 0..<40 {
            let connection = try Embedded(Embedded.agent, backend)
            try connection.greet()
            // One MiB announced, and a few bytes of it sent.
            try connection.send([0x00, 0x10, 0x00, 0x00] + [UInt8](repeating: 0, count: 100))
            if let answer = try connection.answers().first {
                #expect(answer.failure.asFailure.code == .tooMany)
                refused += 1
            } else {
                held += 1
                connections.append(connection)
            }
        }
        #expect(held == 16 && refused == 24)
        // They go away, and the memory is there again.
        for connection in connections { connection.channel.pipeline.fireChannelInactive() }
        let again = try Embedded(Embedded.agent, backend)
        try again.greet()
        try again.send([0x00, 0x10, 0x00, 0x00])
        #expect(try again.answers().isEmpty)
        Attacks.report("quota", tried: 24, refused: 24)
    }

    @Test func connectionsAndStreamsOfAUserAreCounted() throws {
        let rules = try Embedded.rules().replacingOccurrences(
            of: "  connections 64\n  streams 16", with: "  connections 5\n  streams 2")
        let backend = try Embedded.Backend(rules: rules)
        var connections: [Embedded] = []
        for _ in 0..<5 { connections.append(try Embedded(Embedded.agent, backend)) }
        let refused = #expect(throws: Failure.self) { _ = try Embedded(Embedded.agent, backend) }
        #expect(refused?.code == .tooMany)
        _ = try Embedded(Embedded.ordinary, backend)
        var streams = 0
        for connection in connections {
            try connection.greet()
            try connection.send(9, .events(.with { $0.follow = true }))
            if let failure = try connection.answers().first?.failure {
                #expect(failure.asFailure.code == .tooMany)
            } else {
                streams += 1
            }
        }
        #expect(streams == 2)
        Attacks.report("quota", tried: 4, refused: 4)
    }

    @Test func aBudgetThatIsUsedUpRefuses() async throws {
        let folder = try TemporaryFolder()
        try await Checkout.install(into: folder)
        let backend = try Embedded.Backend(schedulers: folder)
        try await backend.journal.charge(Embedded.agent.uid, cpu: 601_000_000_000, cost: 0, at: Clock.realtime())
        let answer = try await Embedded.ask(Embedded.agent, backend, .attest(.with { $0.name = "fifo" }))
        #expect(answer.failure.asFailure.code == .tooMany)
        let me = try await Embedded.ask(Embedded.agent, backend, .whoami(.init())).whoami
        #expect(me.you.role == "agent" && me.cpuSecondsUsed == 601 && me.operations.contains("attest"))
        Attacks.report("quota", tried: 1, refused: 1)
    }
}
