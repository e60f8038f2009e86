import Foundation
import Model
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// Many clients, and clients that do not do their part. One test at a time: they measure.
@Suite(.serialized, .timeLimit(.minutes(10))) struct CrowdTests {
    @Test func threeHundredClientsAtOnceAreAnswered() async throws {
        let daemon = try await TestDaemon.start()
        let quiet = await daemon.quietDescriptors()
        var clients: [RawClient] = []
        for _ in 0..<300 { clients.append(try daemon.connect()) }
        for client in clients { try client.send(1, .hello(RawClient.hello)) }
        for client in clients { try client.send(2, .status(.init())) }
        for client in clients {
            #expect(try client.receive()?.hello.protocol == ProtocolVersion.newest)
            #expect(try client.receive()?.status.kernel.release.isEmpty == false)
        }
        #expect(daemon.connections == 300)
        clients.forEach { $0.close() }
        #expect(await daemon.quietDescriptors() == quiet)
    }

    @Test func silentClientsDisturbNobody() async throws {
        let daemon = try await TestDaemon.start()
        var silent: [RawClient] = []
        for number in 0..<40 {
            // Some never greet, some stop in the middle of a frame.
            let client = number % 2 == 0 ? try daemon.connect() : try daemon.client()
            if number % 4 < 2 { try client.send([0]) }
            silent.append(client)
        }
        for _ in 0..<50 { #expect(daemon.answers()) }
        // They are not forgotten either: those that greeted may go on.
        try silent[1].send(Array(try RawClient.frame(9, .status(.init())).dropFirst()))
        #expect(try silent[1].receive()?.id == 9)
    }

    /// A description that makes every answer to `show` some 60 KiB long.
    private static func addLongDescription(to folder: TemporaryFolder) throws {
        let line = "\"" + String(repeating: "long ", count: 1600) + "\""
        try folder.write(
            """
            name = "long"
            version = "1"
            summary = "much text"
            description = \(line)
            algorithm = \(line)
            license = "GPL-2.0-only"
            object_file = "fifo.bpf.o"
            kernel_minimum = "6.12"
            target_workloads = [\(line), \(line), \(line)]
            not_for = [\(line)]
            """, to: "schedulers/long.toml")
    }

    @Test(arguments: ["status", "show"])
    func aClientThatNeverReadsCostsOnlyItself(_ operation: String) async throws {
        let folder = try await TestDaemon.folder()
        try Self.addLongDescription(to: folder)
        let daemon = try await TestDaemon.start(in: folder)
        for _ in 0..<20 { #expect(daemon.answers()) }
        let before = daemon.facts.residentKiB
        let client = try daemon.client()
        let request =
            operation == "status"
            ? try RawClient.frame(2, .status(.init()))
            : try RawClient.frame(2, .show(WireShowRequest.with { $0.name = "long" }))
        var block: [UInt8] = []
        while block.count < 60_000 { block += request }
        var pending = block[...]
        var refused = 0
        var sent = 0
        while refused < 50, sent < 16 << 20 {
            let accepted = client.sendWithoutWaiting(Array(pending))
            sent += accepted
            pending = pending.dropFirst(accepted)
            if pending.isEmpty { pending = block[...] }
            refused = accepted == 0 ? refused + 1 : 0
            // Others are answered meanwhile, which also gives the daemon the time to read.
            if accepted == 0 { #expect(daemon.answers()) }
        }
        #expect(refused == 50, "the daemon read \(sent) bytes of requests and never stopped")
        let growth = daemon.facts.residentKiB - before
        #expect(growth < 64 * 1024, "\(growth) KiB for one client")
        client.close()
        #expect(daemon.answers())
    }

    @Test func aClientThatReadsLateGetsEveryAnswer() async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        let count = 20_000
        let sender = Thread {
            for id in 0..<count {
                guard let frame = try? RawClient.frame(UInt64(id + 2), .status(.init())) else { return }
                try? client.send(frame)
            }
        }
        sender.start()
        // Until the daemon has stopped reading or has read everything.
        #expect(daemon.answers())
        for id in 0..<count {
            let response = try client.receive()
            if response?.id != UInt64(id + 2) {
                Issue.record("answer \(id) has the number \(response?.id ?? 0)")
                break
            }
        }
    }

    @Test func oneUserGetsAtMostFiveHundredAndTwelveConnections() async throws {
        let daemon = try await TestDaemon.start()
        _ = await daemon.quietDescriptors()
        var clients: [RawClient] = []
        for _ in 0..<512 { clients.append(try daemon.connect()) }
        for client in clients { try client.greet() }
        let tooMany = try daemon.connect()
        #expect(try tooMany.receiveFailure()?.code == .tooMany)
        #expect(try tooMany.receive() == nil)
        // Those who are in are served, and one that leaves makes room.
        #expect(try clients[511].ask(2, .status(.init())).id == 2)
        clients.removeLast().close()
        #expect(await eventually { daemon.answers() })
    }
}
