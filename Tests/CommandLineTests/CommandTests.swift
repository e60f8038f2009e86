import Foundation
import Linux
import TestSupport
import Testing

/// What schedctl prints and how it ends.
@Suite(.timeLimit(.minutes(10))) struct CommandTests {
    static let asking = [["status"], ["list"], ["show", "fifo"], ["history"], ["events"]]
    static let commands = [
        "deploy", "status", "rollback", "list", "show", "history", "events", "search", "tune", "top", "doctor", "lab",
    ]

    @Test func whatAsksEndsWithZeroAndIsPlain() async throws {
        let daemon = try await TestDaemon.start()
        for arguments in Self.asking {
            let result = try await CommandLine.run(arguments, socket: daemon.socket)
            #expect(result.status == 0, "\(arguments): \(result.errors)")
            #expect(result.controls.isEmpty, "\(arguments)")
            #expect(result.errors.isEmpty)
        }
    }

    @Test func everyAnswerIsAlsoJSON() async throws {
        let daemon = try await TestDaemon.start()
        for arguments in Self.asking + [["doctor"], ["rollback"], ["show", "none-such"], ["deploy", "none-such"]] {
            let result = try await CommandLine.run(arguments + ["--json"], socket: daemon.socket)
            if arguments == ["events"] && result.output.isEmpty { continue }
            #expect(result.json != nil, "\(arguments): \(result.output)")
            #expect(result.controls.isEmpty)
        }
        let status = try await CommandLine.run(["status", "--json"], socket: daemon.socket)
        let kernel = status.json?["kernel"] as? [String: Any]
        #expect(kernel?["release"] as? String == KernelConfig.release)
        let list = try await CommandLine.run(["list", "--json"], socket: daemon.socket)
        let names = (list.json?["schedulers"] as? [[String: Any]])?.compactMap { $0["name"] as? String }
        #expect(names == Checkout.schedulers)
        let show = try await CommandLine.run(["show", "ljf", "--json"], socket: daemon.socket)
        #expect((show.json?["parameters"] as? [[String: Any]])?.count == 2)
        let failure = try await CommandLine.run(["show", "none-such", "--json"], socket: daemon.socket)
        #expect(failure.json?["code"] as? String == "NOT_FOUND")
        #expect(failure.status == 1)
    }

    @Test func eventsAreALineOfJSONEach() async throws {
        let daemon = try await TestDaemon.start()
        daemon.process.signal(SIGHUP)
        let came = try await eventually {
            try await CommandLine.run(["events"], socket: daemon.socket).output.contains("reloaded")
        }
        #expect(came)
        let lines = try await CommandLine.run(["events", "--json"], socket: daemon.socket).output.split(separator: "\n")
        #expect(lines.count == 1)
        for line in lines {
            let event = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(event?["kind"] as? String == "reloaded")
        }
    }

    @Test func followedEventsReachAPipeAtOnce() async throws {
        let daemon = try await TestDaemon.start()
        let follower = try ChildProcess(
            try Checkout.program("schedctl"), ["events", "--follow", "--socket", daemon.socket])
        let came = await eventually {
            daemon.process.signal(SIGHUP)
            return follower.output.contains("reloaded")
        }
        #expect(came)
        #expect(follower.isRunning)
        // The daemon's end is its end, and said.
        await daemon.stop()
        guard case .status = await follower.ending() else {
            Issue.record("it did not end by itself")
            return
        }
    }

    @Test(arguments: [["status"], ["list"], ["show", "x"], ["history"], ["events"], ["rollback"], ["deploy", "fifo"]])
    func anUnreachableDaemonIsTwoAndSaysWhatToDo(_ arguments: [String]) async throws {
        let result = try await CommandLine.run(arguments, socket: "/nonexistent/schedcp.sock")
        #expect(result.status == 2)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("error: "))
        #expect(result.errors.contains("systemctl start"))
        #expect(result.controls.isEmpty)
        let json = try await CommandLine.run(arguments + ["--json"], socket: "/nonexistent/schedcp.sock")
        #expect(json.status == 2)
        #expect(json.json != nil)
    }

    static let wrongUsage: [[String]] = [
        ["frobnicate"], ["deploy"], ["show"], ["status", "extra"], ["status", "--no-such-flag"],
        ["history", "--limit", "many"],
        ["history", "--limit", "-1"], ["deploy", "fifo", "--param", "slice_us"],
        ["deploy", "fifo", "--hint", "make=5s"],
        ["deploy", "fifo", "--hint", "process:make"], ["deploy", "fifo", "--hint", "process:make=fast"],
        ["deploy", "fifo", "--hint", "user:make=5s"], ["deploy", "fifo", "--hint", "process:=5s"],
        ["deploy", "fifo", "--hint", "process:sixteen-bytes-xx=5s"], ["deploy", "fifo", "--hint", "cgroup:../x=5s"],
        ["deploy", "fifo", "--hint", "process:make=-5s"], ["deploy", "fifo", "--hint", "process:make=1e30s"],
        ["deploy", "fifo", "--hint", "process:make=nans"], ["deploy", "fifo", "--hint", "process:make=infs"],
        ["deploy", "/nonexistent/x.bpf.o"], ["deploy", "./none.o"],
    ]

    @Test(arguments: wrongUsage) func wrongUsageIsSixtyFour(_ arguments: [String]) async throws {
        let result = try await CommandLine.run(arguments, socket: "/nonexistent/schedcp.sock")
        #expect(result.status == 64)
        #expect(!result.errors.isEmpty)
        #expect(result.controls.isEmpty)
    }

    @Test(.disabled(if: HostProbe.missingForDeployment().isEmpty, "this machine has what is needed"))
    func aMissingKernelIsThree() async throws {
        let daemon = try await TestDaemon.start()
        let result = try await CommandLine.run(["deploy", "fifo", "--param", "slice_us=5000"], socket: daemon.socket)
        #expect(result.status == (Checkout.isRoot ? 3 : 4))
        guard Checkout.isRoot else { return }
        #expect(result.errors.contains("sched_ext"))
        #expect(result.errors.contains("schedctl doctor"))
        let status = try await CommandLine.run(["status"], socket: daemon.socket)
        #expect(status.output.contains("without sched_ext"))
        let doctor = try await CommandLine.run(["doctor"], socket: daemon.socket)
        #expect(doctor.status == 1)
        #expect(doctor.output.contains("missing  sched_ext"))
        #expect(doctor.output.contains("→"))
        #expect(doctor.errors.contains("sched_ext"))
    }

    @Test func anOrdinaryUserMayLookAndNotChange() async throws {
        let daemon = try await TestDaemon.start()
        let socket = ["--socket", daemon.socket]
        for arguments in Self.asking {
            #expect(try await CommandLine.asNobody(arguments + socket, in: daemon.folder).status == 0)
        }
        let object = try daemon.folder.write("no object", to: "mine.bpf.o")
        for arguments in [["deploy", "fifo"], ["deploy", "none-such"], ["rollback"], ["deploy", object]] {
            let result = try await CommandLine.asNobody(arguments + socket, in: daemon.folder)
            #expect(result.status == 4, "\(arguments): \(result.errors)")
            #expect(result.errors.contains("may not") || result.errors.contains("access rules"), "\(result.errors)")
        }
        // Also one that is larger than such a user's frames may be.
        let large = try daemon.folder.write([UInt8](repeating: 0, count: 100_000), to: "large.bpf.o")
        #expect(try await CommandLine.asNobody(["deploy", large] + socket, in: daemon.folder).status == 4)
        #expect(daemon.folder.text("state/audit/audit.jsonl").contains("\"denied\""))
        #expect(daemon.answers())
    }

    @Test(.enabled(if: Checkout.isRoot, "an ordinary user is refused before"))
    func anObjectThatIsTooLargeIsSaidBeforeItIsSent() async throws {
        let daemon = try await TestDaemon.start()
        let object = try daemon.folder.write([UInt8](repeating: 0, count: (6 << 20) + 1), to: "large.bpf.o")
        let result = try await CommandLine.run(["deploy", object], socket: daemon.socket)
        #expect(result.status == 1)
        #expect(result.errors.contains("larger"))
        #expect(daemon.answers())
    }
}
