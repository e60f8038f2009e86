import Model
import Repository
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// The history of a daemon that has had many deployments.
@Suite(.timeLimit(.minutes(10))) struct HistoryTests {
    private static let actor = Actor(uid: 1000, gid: 1000, pid: 1, groups: [], user: "somebody")

    private static func daemon(_ count: Int, valueBytes: Int) async throws -> TestDaemon {
        let folder = try await TestDaemon.folder()
        let journal = try SQLiteJournal(path: folder.path("state/schedcp.sqlite"))
        let value = String(repeating: "v", count: valueBytes)
        for number in 1...count {
            let spec = DeploymentSpec(
                scheduler: "s\(number)", artifact: "", parameters: [Setting(name: "p", value: value)], hints: [],
                actor: actor, authority: .unverified(reason: "a test"))
            var record = try await journal.begin(spec, at: Int64(number))
            try record.move(to: .active, reason: "", at: Int64(number))
            try record.move(to: .ejected, reason: "stall", at: Int64(number))
            record.exit = ExitInfo(kind: .stall, reason: "watchdog", message: "bash[1]", dump: "the dump of \(number)")
            try await journal.update(record)
        }
        return try await TestDaemon.start(in: folder)
    }

    private static func history(_ client: RawClient, limit: UInt32 = 0, id: UInt64 = 0) throws -> WireResponse {
        let request = WireHistoryRequest.with {
            $0.limit = limit
            $0.id = id
        }
        return try client.ask(2, .history(request))
    }

    @Test func theNewestFirstAndAsManyAsAskedFor() async throws {
        let client = try await Self.daemon(30, valueBytes: 10).client()
        for (limit, expected) in [(0, 20), (1, 1), (5, 5), (30, 30), (31, 30), (UInt32.max, 30)] as [(UInt32, Int)] {
            let deployments = try Self.history(client, limit: limit).history.deployments
            #expect(deployments.map(\.id) == (0..<expected).map { UInt64(30 - $0) })
            #expect(deployments.allSatisfy { $0.exit.dump.isEmpty && $0.exit.reason == "watchdog" })
        }
    }

    @Test func oneDeploymentWithItsDump() async throws {
        let client = try await Self.daemon(3, valueBytes: 10).client()
        let deployments = try Self.history(client, id: 2).history.deployments
        #expect(deployments.map(\.scheduler) == ["s2"])
        // It shows what others run: for those who may change something.
        #expect(deployments.first?.exit.dump == (Checkout.isRoot ? "the dump of 2" : ""))
        for id in [4, UInt64(Int64.max), .max] {
            #expect(try Self.history(client, id: id).failure.asFailure.code == .notFound)
        }
    }

    /// 40 MiB of records: an answer has to fit into a frame, and does.
    @Test func aLongHistoryFitsIntoItsFrame() async throws {
        let daemon = try await Self.daemon(400, valueBytes: 100_000)
        let client = try daemon.client()
        let deployments = try Self.history(client, limit: 1000).history.deployments
        #expect(deployments.count > 50 && deployments.count < 400)
        #expect(deployments.map(\.id) == (0..<deployments.count).map { UInt64(400 - $0) })
        #expect(daemon.answers())
    }
}
