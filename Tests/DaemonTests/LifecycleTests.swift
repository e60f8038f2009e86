import Foundation
import Linux
import Model
import Repository
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// Start, reload, end and crash of the daemon's process.
@Suite(.timeLimit(.minutes(10))) struct LifecycleTests {
    private static func names(_ daemon: TestDaemon) throws -> [String] {
        try daemon.client().ask(2, .list(.init())).list.schedulers.map(\.name)
    }

    /// Sends SIGHUP and waits for the event that follows the reload.
    private static func reload(_ daemon: TestDaemon) throws {
        let client = try daemon.client()
        var after: UInt64 = 0
        try client.send(2, .events(.init()))
        while let event = try client.receive(), case .event(let it) = event.result { after = it.sequence }
        try client.send(
            3,
            .events(
                WireEventsRequest.with {
                    $0.after = after
                    $0.follow = true
                }))
        daemon.process.signal(SIGHUP)
        #expect(try client.receive()?.event.kind == "reloaded")
    }

    @Test func aReloadFindsNewAndChangedAndMissingSchedulers() async throws {
        let daemon = try await TestDaemon.start()
        #expect(try Self.names(daemon) == Checkout.schedulers)
        let copy = daemon.folder.text("schedulers/fifo.toml").replacingOccurrences(of: "\"fifo\"", with: "\"copy\"")
        try daemon.folder.write(copy, to: "schedulers/copy.toml")
        #expect(try Self.names(daemon) == Checkout.schedulers)
        try Self.reload(daemon)
        #expect(try Self.names(daemon) == (["copy"] + Checkout.schedulers).sorted())
        try daemon.folder.write("not TOML at all [", to: "schedulers/ljf.toml")
        try daemon.folder.remove("schedulers/vtime.toml")
        try Self.reload(daemon)
        let left = Checkout.schedulers.filter { $0 != "ljf" && $0 != "vtime" }
        #expect(try Self.names(daemon) == (left + ["copy"]).sorted())
        #expect(daemon.process.errors.contains("ljf.toml"))
    }

    @Test(arguments: [SIGTERM, SIGINT]) func aSignalEndsItWithStatusZero(_ signal: Int32) async throws {
        let daemon = try await TestDaemon.start()
        let client = try daemon.client()
        try client.send(2, .events(WireEventsRequest.with { $0.follow = true }))
        #expect(try client.ask(3, .status(.init())).id == 3)
        let unfinished = try daemon.client()
        try unfinished.send([0, 0])
        daemon.process.signal(signal)
        #expect(await daemon.process.ending() == .status(0))
        _ = try client.receiveAll()
    }

    @Test func itsEndEndsEveryStreamInGoodOrder() async throws {
        let daemon = try await TestDaemon.start()
        let clients = try (0..<20).map { _ in try daemon.client() }
        for client in clients {
            try client.send(2, .events(WireEventsRequest.with { $0.follow = true }))
            #expect(try client.ask(3, .status(.init())).id == 3)
        }
        daemon.process.signal(SIGTERM)
        for client in clients {
            #expect(try client.receive()?.result == .done(WireDone()))
            #expect(try client.receive() == nil)
        }
        #expect(await daemon.process.ending() == .status(0))
    }

    @Test func itTellsTheServiceManager() async throws {
        let folder = try await TestDaemon.folder()
        let manager = try DatagramSocket(folder.path("notify"))
        let environment = ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "900000"]
        let daemon = try await TestDaemon.start(in: folder, environment: environment)
        let ready = try manager.receive { $0 == "READY=1" }
        #expect(ready.contains { $0.hasPrefix("STATUS=") })
        _ = try manager.receive { $0 == "WATCHDOG=1" }
        _ = try manager.receive { $0 == "WATCHDOG=1" }
        daemon.process.signal(SIGHUP)
        let reloading = try manager.receive { $0 == "RELOADING=1" }
        #expect(reloading.contains { $0.hasPrefix("MONOTONIC_USEC=") })
        _ = try manager.receive { $0 == "READY=1" }
        daemon.process.signal(SIGTERM)
        _ = try manager.receive { $0 == "STOPPING=1" }
        #expect(await daemon.process.ending() == .status(0))
    }

    @Test func whatWasRecordedSurvivesAKill() async throws {
        let folder = try await TestDaemon.folder()
        let actor = Actor(uid: 1000, gid: 1000, pid: 1, groups: [], user: "somebody")
        var records: [DeploymentRecord] = []
        do {
            let journal = try SQLiteJournal(path: folder.path("state/schedcp.sqlite"))
            for number in 0..<5 {
                let spec = DeploymentSpec(
                    scheduler: "old\(number)", artifact: "", parameters: [], hints: [], actor: actor,
                    authority: .unverified(reason: "a test"))
                records.append(try await journal.begin(spec, at: Int64(number + 1)))
            }
            try records[0].move(to: .active, reason: "", at: 10)
            try await journal.update(records[0])
        }
        var seen: [[WireDeployment]] = []
        for _ in 0..<3 {
            let daemon = try await TestDaemon.start(in: folder)
            let history = try daemon.client().ask(2, .history(.init())).history.deployments
            seen.append(history)
            daemon.process.signal(SIGKILL)
            #expect(await daemon.process.ending() == .signal(SIGKILL))
        }
        #expect(seen[0].map(\.scheduler) == ["old4", "old3", "old2", "old1", "old0"])
        #expect(seen[0].map(\.state) == ["failed", "failed", "failed", "failed", "released"])
        #expect(seen[0].allSatisfy { $0.endedAt > 0 && !$0.reason.isEmpty && $0.actorUser == "somebody" })
        #expect(seen[1] == seen[0])
        #expect(seen[2] == seen[0])
    }

    @Test(.enabled(if: Checkout.isRoot, "only root has something to give up"))
    func everyThreadHasGivenUpRoot() async throws {
        let daemon = try await TestDaemon.start()
        #expect(daemon.answers())
        let nobody = try #require(Accounts.user(named: "nobody"))
        let threads = daemon.facts.privileges
        #expect(threads.count > 1)
        for thread in threads {
            let thread = try #require(thread)
            #expect(thread.uids == [nobody.uid])
            #expect(thread.gids == [nobody.gid])
            #expect(thread.effective.rawValue == 0xC0_0000_0000)
            #expect(thread.permitted.rawValue == 0xC0_0000_0000)
            #expect(thread.bounding.rawValue == 0xC0_0000_0000)
            #expect(thread.inheritable.isEmpty)
            #expect(thread.ambient.isEmpty)
            #expect(thread.noNewPrivileges)
        }
        #expect(daemon.facts.status.contains("\nGroups:\t \n") || daemon.facts.status.contains("\nGroups:\t\n"))
    }

    /// Descriptors as systemd passes them, from 3 on, here by a shell. Sockets are told from what the descriptor store kept.
    @Test(
        .enabled(if: Checkout.isRoot, "only root may be started without --socket"),
        arguments: [
            ("", 0), ("schedcpd.socket:other", 2), ("scheduler-1-link:scheduler-1-ops", 0),
            ("scheduler-1-link:other", 1),
            ("scheduler-0-link:scheduler-x-link", 2),
        ])
    func passedDescriptorsAreKnownByTheirNames(_ names: String, _ sockets: Int) async throws {
        let folder = try await TestDaemon.folder()
        let nobody = try #require(Accounts.user(named: "nobody"))
        try folder.give("state", to: nobody.uid, nobody.gid)
        let listen = names.isEmpty ? "" : "export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=\(names);"
        let program = try Checkout.program("schedcpd")
        let script =
            "\(listen) exec '\(program)' --user nobody --state '\(folder.path("state"))' --audit '\(folder.path("state/audit"))' 3</dev/null 4</dev/null"
        let result = try await Command.run("/bin/sh", ["-c", script])
        #expect(result.status == 1)
        // One that is no socket cannot be listened on; any other number is said.
        if sockets != 1 { #expect(result.errors.contains("passed \(sockets) sockets"), "\(result.errors)") }
    }

    @Test func aCorruptDatabaseIsSaidAndNotServed() async throws {
        let folder = try await TestDaemon.folder()
        try folder.write([UInt8](repeating: 0x5A, count: 8192), to: "state/schedcp.sqlite")
        await #expect(throws: Lacking.self) { _ = try await TestDaemon.start(in: folder) }
        let kept = folder.bytes("state/schedcp.sqlite")
        #expect(kept == [UInt8](repeating: 0x5A, count: 8192), "the evidence is left alone")
    }

    @Test func badArgumentsAreRefused() async throws {
        let program = try Checkout.program("schedcpd")
        #expect(try await Command.run(program, ["--log-level", "loud"]).status == 64)
        #expect(try await Command.run(program, ["--no-such-option"]).status == 64)
        let help = try await Command.run(program, ["--help"])
        #expect(help.status == 0)
        #expect(help.output.contains("--socket"))
        if Checkout.isRoot {
            let unknown = try await Command.run(program, ["--socket", "/nonexistent/s", "--user", "no-such-user"])
            #expect(unknown.status == 67)
            #expect(unknown.errors.contains("no-such-user"))
        }
    }
}
