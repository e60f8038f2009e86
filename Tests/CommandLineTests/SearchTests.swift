import Foundation
import SwiftProtobuf
import Synchronization
import TestServer
import TestSupport
import Testing
import Wire

/// `schedctl search`: what is asked of the daemon, and what is printed of its answer.
@Suite(.timeLimit(.minutes(10))) struct SearchTests {
    /// Runs the command against a server with this answer. Gives what was asked, too.
    private static func run(_ arguments: [String], _ reply: WireSearchReply = .init(), input: String = "") async throws
        -> (command: Command, asked: WireSearchRequest?)
    {
        let asked = Mutex<WireSearchRequest?>(nil)
        let react = FakeServer.greeting { request in
            guard case .search(let search) = request.operation else { return .close }
            asked.withLock { $0 = search }
            return .answer([FakeServer.response(request.id, .search(reply))])
        }
        var command: Command?
        try await FakeServer.with(react) { server in
            command = try await Command.run(
                try Checkout.program("schedctl"), ["search"] + arguments + ["--socket", server.path],
                environment: CommandLine.environment, input: input)
        }
        return (try #require(command), asked.withLock { $0 })
    }

    static let hit = WireSearchHit.with { hit in
        (hit.name, hit.version, hit.score, hit.kind) = ("vtime", "1.0.0", 0.8125, "scheduler")
        (hit.status, hit.summary, hit.why) = ("proven", "Fair sharing", "the words fair, shares; near: equal shares")
        hit.measured = [
            .with { outcome in
                (outcome.metric, outcome.better, outcome.baseline) = ("makespan", "lower", "default")
                (outcome.ratio, outcome.low, outcome.high, outcome.runs) = (0.8, 0.76, 0.84, 12)
                (outcome.kernel, outcome.origin) = ("7.0.3", "lab")
                outcome.workload.workloadClass = "batch"
            }
        ]
    }

    @Test func aQuestionIsSentWithItsFilters() async throws {
        let (command, asked) = try await Self.run(
            [
                "low wakeup", "latency", "--limit", "3", "--kind", "scheduler", "--status", "proven", "--status",
                "verified",
                "--feature", "weights.nice", "--without-feature", "hints.process", "--kernel", "6.12", "--all-versions",
                "--means", "words",
            ], .with { $0.hits = [Self.hit] })
        #expect(command.status == 0, "\(command.errors)")
        let request = try #require(asked)
        #expect(request.text == "low wakeup latency")
        #expect(request.limit == 3)
        #expect(request.filter.kinds == ["scheduler"])
        #expect(request.filter.statuses == ["proven", "verified"])
        #expect(request.filter.features == ["weights.nice"])
        #expect(request.filter.withoutFeatures == ["hints.process"])
        #expect(request.filter.kernel == "6.12")
        #expect(request.filter.allVersions)
        #expect(request.means == "words")
        #expect(!request.hasProfile)
    }

    @Test func aHitSaysWhyAndWhatWasMeasured() async throws {
        let (command, _) = try await Self.run(
            ["fair"], .with { ($0.hits, $0.wordsOnly) = ([Self.hit], "there is no model") })
        for text in ["vtime@1.0.0", "proven", "0.812", "Fair sharing", "equal shares"] {
            #expect(command.output.contains(text), "\(text)")
        }
        #expect(command.output.contains("makespan -20 % (-24 to -16), better than default; batch, 12 runs each, lab"))
        #expect(command.errors == "only words were compared: there is no model\n")
        #expect(command.controls.isEmpty)
    }

    @Test func anEffectIsSaidAsWhatItIs() async throws {
        var (worse, unclear) = (Self.hit, Self.hit)
        (worse.measured[0].ratio, worse.measured[0].low, worse.measured[0].high) = (1.5, 1.2, 1.8)
        unclear.measured[0].better = "higher"
        (unclear.measured[0].ratio, unclear.measured[0].low, unclear.measured[0].high) = (1.001, 0.98, 1.02)
        let (command, _) = try await Self.run(["fair"], .with { $0.hits = [worse, unclear] })
        #expect(command.output.contains("makespan +50 % (+20 to +80), worse than default"))
        #expect(command.output.contains("makespan +0.1 % (-2.0 to +2.0), no clear difference to"))
    }

    @Test func jsonAlwaysHasHitsAndScores() async throws {
        let none = try await Self.run(["fair", "--json"]).command
        #expect(none.status == 0)
        #expect((none.json?["hits"] as? [Any])?.isEmpty == true, "\(none.output)")
        var zero = Self.hit
        zero.score = 0
        let some = try await Self.run(
            ["fair", "--json"], .with { ($0.hits, $0.wordsOnly) = ([Self.hit, zero], "why") }
        ).command
        let hits = try #require(some.json?["hits"] as? [[String: Any]])
        #expect(hits.map { $0["score"] as? Double } == [0.8125, 0])
        #expect(hits.map { $0["name"] as? String } == ["vtime", "vtime"])
        #expect((hits[0]["measured"] as? [[String: Any]])?.first?["ratio"] as? Double == 0.8)
        #expect(some.json?["words_only"] as? String == "why")
        #expect(some.errors.isEmpty)
        // And the same message comes out of it again.
        #expect(try WireSearchReply(jsonString: some.output).hits.first == Self.hit)
    }

    @Test func nothingFoundIsZeroAndSaid() async throws {
        let (command, _) = try await Self.run(["fair"])
        #expect(command.status == 0)
        #expect(command.output.isEmpty)
        #expect(command.errors == "nothing matches\n")
    }

    @Test func aWorkloadIsSentAsAProfile() async throws {
        let (command, asked) = try await Self.run([
            "--class", "batch", "--feature-value", "wakeups-per-second=1200", "--feature-value", "threads=40.5",
            "--machine", "cpus=64,llcs=8,threads-per-core=2,nodes=2,architecture=aarch64,virtual=yes",
        ])
        #expect(command.status == 0, "\(command.errors)")
        let request = try #require(asked)
        #expect(request.text.isEmpty)
        #expect(request.profile.workloadClass == "batch")
        #expect(request.profile.features.map(\.name) == ["wakeups-per-second", "threads"])
        #expect(request.profile.features.map(\.value) == [1200, 40.5])
        #expect(
            request.machine
                == .with {
                    ($0.cpus, $0.llcs, $0.threadsPerCore, $0.nodes) = (64, 8, 2, 2)
                    ($0.architecture, $0.virtual) = ("aarch64", true)
                })
    }

    @Test(arguments: [true, false]) func aProfileIsReadFromAFile(_ isStandardInput: Bool) async throws {
        let text =
            #"{"workload_class": "batch", "features": [{"name": "threads", "value": 40}], "goal": "be done soon"}"#
        let folder = try TemporaryFolder()
        let path = try isStandardInput ? "-" : folder.write(text, to: "p.json")
        let (command, asked) = try await Self.run(["--profile", path], input: text)
        #expect(command.status == 0, "\(command.errors)")
        #expect(asked?.profile == (try WireProfile(jsonString: text)))
        #expect(asked?.hasMachine == false)
        #expect(folder.exists("p.json") != isStandardInput)
    }

    static let wrong: [[String]] = [
        [], [""], ["   "], ["?!"], [String(repeating: "x ", count: 2049)], ["fair", "--limit", "0"],
        ["fair", "--limit", "-1"], ["fair", "--limit", "4294967296"], ["fair", "--kind", "thing"],
        ["fair", "--status", "good"],
        ["fair", "--means", "guessing"], ["fair", "--kernel", "new"], ["fair", "--feature", ""],
        ["fair", "--without-feature", String(repeating: "f", count: 129)], ["fair", "--class", "batch"],
        ["fair", "--machine", "cpus=4"], ["--feature-value", "threads=4"], ["--class", "Not A Word"], ["--class", ""],
        ["--class", "batch", "--feature-value", "threads"], ["--class", "batch", "--feature-value", "threads=many"],
        ["--class", "batch", "--feature-value", "threads=-1"], ["--class", "batch", "--feature-value", "threads=nan"],
        ["--class", "batch", "--feature-value", "a=1", "--feature-value", "a=2"],
        ["--class", "batch", "--means", "words"], ["--class", "batch", "--machine", ""],
        ["--class", "batch", "--machine", "llcs=1"], ["--class", "batch", "--machine", "cpus=0"],
        ["--class", "batch", "--machine", "cpus=2,llcs=4"], ["--class", "batch", "--machine", "cpus=99999999999"],
        ["--class", "batch", "--machine", "cpus=2,colour=red"],
        ["--class", "batch", "--machine", "cpus=2,virtual=maybe"],
        ["--profile", "/nonexistent.json"], ["--profile", "/"], ["--profile", "/dev/null"], ["--profile", "/dev/zero"],
        ["--profile", "/dev/null", "--class", "batch"],
    ]

    /// Nothing is sent: no daemon is there, and that would be status 2.
    @Test(arguments: wrong) func badInputIsSixtyFour(_ arguments: [String]) async throws {
        let result = try await CommandLine.run(["search"] + arguments, socket: "/nonexistent/schedcp.sock")
        #expect(result.status == 64, "\(arguments): \(result.output)\(result.errors)")
        #expect(!result.errors.isEmpty)
        #expect(result.output.isEmpty)
        #expect(result.controls.isEmpty)
    }

    @Test(arguments: [
        #"{"workload_class": "batch", "features": [{"name": "a", "value": "much"}]}"#, "[]", "{", "{\"colour\": 1}",
        #"{"workload_class": "batch", "features": [{"name": "a", "value": -1}]}"#, "{}", "\u{1B}[31m",
        #"{"workload_class": "batch", "features": [{"name": "a"}, {"name": "a"}]}"#,
    ])
    func aBadProfileIsSixtyFour(_ text: String) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(text, to: "p.json")
        let result = try await CommandLine.run(["search", "--profile", path], socket: "/nonexistent/schedcp.sock")
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.controls.isEmpty)
        #expect(folder.exists("p.json"))
    }

    @Test func emptyAndLongTextsSayWhatIsWrong() async throws {
        let empty = try await CommandLine.run(["search", ""], socket: "/nonexistent/schedcp.sock")
        #expect(empty.errors.contains("nothing to search for"))
        let long = try await CommandLine.run(
            ["search", String(repeating: "a", count: 100_000), "--json"], socket: "/nonexistent/schedcp.sock")
        #expect(long.status == 64)
        #expect(long.json?["code"] as? String == "INVALID_ARGUMENT")
        #expect((long.json?["message"] as? String)?.contains("4096") == true)
    }

    @Test func hostileHitsArePlain() async throws {
        let evil = LookTests.hostile
        var hit = Self.hit
        (hit.name, hit.version, hit.kind, hit.status) = (evil, evil, evil, evil)
        (hit.summary, hit.why) = (evil, evil + "\n\n" + evil)
        (hit.measured[0].metric, hit.measured[0].baseline, hit.measured[0].kernel) = (evil, evil, evil)
        (hit.measured[0].ratio, hit.measured[0].low, hit.measured[0].high) = (.nan, -.infinity, 1e300)
        hit.score = .nan
        let reply = WireSearchReply.with { ($0.hits, $0.wordsOnly) = ([hit, hit], evil) }
        let (command, _) = try await Self.run(["fair"], reply)
        #expect(command.status == 0)
        #expect(command.controls.isEmpty, "\(command.controls)")
        #expect(try await Self.run(["fair", "--json"], reply).command.json != nil)
    }
}
