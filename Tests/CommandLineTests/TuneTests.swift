import Foundation
import SwiftProtobuf
import Synchronization
import TestServer
import TestSupport
import Testing
import Wire

/// `schedctl tune`: what is asked of the daemon, and what is printed of its answers.
@Suite(.timeLimit(.minutes(10))) struct TuneTests {
    static let before = WireTuning.with { tuning in
        (tuning.deployment, tuning.scheduler) = (12, "layered")
        tuning.tunables = [
            .with {
                ($0.spec.name, $0.spec.type, $0.spec.defaultValue, $0.spec.unit) = ("slice_us", "u32", "4000", "us")
                ($0.spec.min, $0.spec.max, $0.spec.description_p) = ("1000", "100000", "How long a task runs.")
                ($0.value, $0.deployed) = ("5000", "6000")
            }
        ]
        tuning.hints = [.with { ($0.kind, $0.key, $0.nanoseconds) = ("process", "lint", 1_000_000) }]
        tuning.layers = table
        tuning.changes = [
            .with { ($0.number, $0.actorUser, $0.at, $0.changes) = (3, "alice", 1, ["slice_us 6000 -> 5000"]) }
        ]
    }

    static let table = WireLayerTable.with { table in
        table.layers = [
            .with { $0.weight = 100 }, .with { ($0.weight, $0.cap) = (20, 305) },
            .with { ($0.weight, $0.guarantee) = (100, 250) },
        ]
        table.rules = [
            .with { ($0.layer, $0.niceLeast, $0.niceMost) = (1, 5, 19) },
            .with { ($0.layer, $0.name, $0.cgroup, $0.threads) = (2, "my \"db\"\\x", "/system.slice/db.service", 4) },
            .with { ($0.layer, $0.niceMost) = (2, -1) },
        ]
    }

    static let text = """
        layer 0 weight=100
        layer 1 weight=20 cap=30.5%
        layer 2 weight=100 guarantee=25%
        rule 1 nice=5..19
        rule 2 name="my \\"db\\"\\\\x" cgroup=/system.slice/db.service threads=4
        rule 2 nice=..-1
        """

    private static func run(_ arguments: [String], after: WireTuning = before, input: String = "") async throws
        -> (command: Command, asked: WireTuneRequest?)
    {
        let asked = Mutex<WireTuneRequest?>(nil)
        let react = FakeServer.greeting { request in
            switch request.operation {
            case .tuning: return .answer([FakeServer.response(request.id, .tuning(before))])
            case .tune(let tune):
                asked.withLock { $0 = tune }
                return .answer([FakeServer.response(request.id, .tuning(after))])
            default: return .close
            }
        }
        var command: Command?
        try await FakeServer.with(react) { server in
            command = try await Command.run(
                try Checkout.program("schedctl"), ["tune"] + arguments + ["--socket", server.path],
                environment: CommandLine.environment, input: input)
        }
        return (try #require(command), asked.withLock { $0 })
    }

    @Test func withoutArgumentsNothingIsChanged() async throws {
        let (command, asked) = try await Self.run([])
        #expect(command.status == 0, "\(command.errors)")
        #expect(asked == nil)
        for text in [
            "layered, deployment 12", "slice_us  5000   6000      4000     1000…100000  us", "How long a task runs.",
            "process:lint=1ms", "alice  slice_us 6000 -> 5000",
        ] {
            #expect(command.output.contains(text), "\(text) in \(command.output)")
        }
        for line in Self.text.split(separator: "\n") { #expect(command.output.contains("  \(line)\n"), "\(line)") }
        #expect(command.controls.isEmpty)
    }

    @Test func whatIsPrintedAsJSONCanBeGivenBack() async throws {
        let json = try await Self.run(["--json"]).command.output
        #expect(try WireTuning(jsonString: json) == Self.before)
        let (command, asked) = try await Self.run(["--layers", "-"], input: json)
        #expect(command.status == 0, "\(command.errors)")
        #expect(asked?.layers == Self.table)
        let alone = try await Self.run(["--layers", "-"], input: try Self.table.jsonString())
        #expect(alone.asked?.layers == Self.table)
    }

    @Test func layersAreReadAsPeopleWriteThem() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("# what is what\n\n\(Self.text)\n  # end", to: "layers.txt")
        let (command, asked) = try await Self.run(["--layers", path])
        #expect(command.status == 0, "\(command.errors)")
        #expect(asked?.layers == Self.table)
        #expect(folder.exists("layers.txt"))
        let one = try await Self.run(["--layers", "-"], input: "layer 0\nrule 0 nice=7 threads=2")
        #expect(one.asked?.layers.layers.first?.weight == 100)
        #expect(one.asked?.layers.rules.first?.niceLeast == 7)
        #expect(one.asked?.layers.rules.first?.niceMost == 7)
    }

    @Test func everyKindOfChangeIsSent() async throws {
        let (command, asked) = try await Self.run([
            "slice_us=2000", "keep=true", "--hint", "process:make=5s", "--hint", "cgroup:/x=1m", "--forget-hint",
            "process:lint", "--deployment", "12",
        ])
        #expect(command.status == 0, "\(command.errors)")
        let request = try #require(asked)
        #expect(request.deployment == 12)
        #expect(request.settings.map { "\($0.name)=\($0.value)" } == ["slice_us=2000", "keep=true"])
        #expect(request.hints.map(\.key) == ["make", "/x"])
        #expect(request.hints.map(\.nanoseconds) == [5_000_000_000, 60_000_000_000])
        #expect(request.forgetHints.map(\.key) == ["lint"])
        #expect(!request.undo && !request.reset && !request.hasLayers)
    }

    @Test(arguments: [["undo"], ["--undo"], ["reset"], ["--reset"]]) func takingBackIsSentAlone(_ arguments: [String])
        async throws
    {
        let (command, asked) = try await Self.run(arguments)
        #expect(command.status == 0, "\(command.errors)")
        let isUndo = arguments[0].hasSuffix("undo")
        #expect(asked == .with { ($0.undo, $0.reset) = (isUndo, !isUndo) })
    }

    @Test func whatIsDifferentIsPrinted() async throws {
        var after = Self.before
        after.tunables[0].value = "2000"
        after.hints = [.with { ($0.kind, $0.key, $0.nanoseconds) = ("process", "make", 5_000_000_000) }]
        after.layers.layers[1].cap = 0
        let (command, _) = try await Self.run(["slice_us=2000"], after: after)
        #expect(
            command.output.hasPrefix(
                "slice_us 5000 -> 2000 us\nprocess:lint 1ms -> none\nprocess:make none -> 5s\nlayers:\n"),
            "\(command.output)")
        #expect(command.output.contains("layer 1 weight=20\n"))
        let same = try await Self.run(["slice_us=5000"]).command
        #expect(same.output == "nothing is different: it was so already\n")
        let json = try await Self.run(["slice_us=2000", "--json"], after: after).command
        #expect(try WireTuning(jsonString: json.output) == after)
    }

    @Test func anotherDeploymentIsNotTouched() async throws {
        let (command, asked) = try await Self.run(["slice_us=2000", "--deployment", "11"])
        #expect(command.status == 1)
        #expect(asked == nil)
        #expect(command.errors.contains("deployment 12 does"))
    }

    static let wrong: [[String]] = [
        ["slice_us"], ["=5"], ["slice_us="], ["a=1", "a=2"], ["undo", "a=1"], ["undo", "reset"], ["--undo", "--reset"],
        ["--undo", "a=1"], ["--reset", "--hint", "process:a=1s"], ["undo", "undo"], ["--hint", "process:make"],
        ["--hint", "user:make=1s"], ["--hint", "process:make=soon"], ["--hint", "process:=1s"],
        ["--hint", "process:sixteen-bytes-xx=5s"], ["--hint", "cgroup:../x=5s"], ["--forget-hint", "make"],
        ["--forget-hint", "process:"], ["--forget-hint", "user:x"], ["--forget-hint", "cgroup:/a/../b"],
        ["--hint", "process:a=1s", "--forget-hint", "process:a"], ["--hint", "process:a=1s", "--hint", "process:a=2s"],
        ["--deployment", "x"], ["--deployment", "-1"], ["--layers", "/nonexistent"], ["--layers", "/"],
        ["--layers", "/dev/null"], ["--layers", "/dev/zero"],
    ]

    @Test(arguments: wrong) func badInputIsSixtyFour(_ arguments: [String]) async throws {
        let result = try await CommandLine.run(["tune"] + arguments, socket: "/nonexistent/schedcp.sock")
        #expect(result.status == 64, "\(arguments): \(result.output)\(result.errors)")
        #expect(!result.errors.isEmpty)
        #expect(result.controls.isEmpty)
    }

    static let wrongLayers = [
        "layer", "layer 1", "layer x", "layer 0 weight", "layer 0 weight=x", "layer 0 weight=-1", "layer 0 cap=30",
        "layer 0 cap=101%", "layer 0 cap=-1%", "layer 0 cap=nan%", "layer 0 colour=red", "layer 0\nlayer 0",
        "layer 0 weight=1 weight=2", "rule 0 name=make", "layer 0\nrule 0", "layer 0\nrule 0 name=",
        "layer 0\nrule 0 nice=..",
        "layer 0\nrule 0 nice=a..b", "layer 0\nrule 0 nice=99999999999..", "layer 0\nrule 0 threads=many", "layer 0 \"",
        "frobnicate", "{", "{}", "{\"layers\": 5}", "{\"colour\": []}", "{\"deployment\": 3}", "\u{1B}[31m 0",
    ]

    @Test(arguments: wrongLayers) func aBadTableIsSixtyFourAndNamesTheLine(_ text: String) async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(text, to: "layers")
        let result = try await CommandLine.run(["tune", "--layers", path], socket: "/nonexistent/schedcp.sock")
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.errors.contains("layers"), "\(result.errors)")
        #expect(result.controls.isEmpty)
        #expect(folder.exists("layers"))
        if text.contains("\nrule") { #expect(result.errors.contains("layers:2:"), "\(result.errors)") }
    }

    @Test func textThatIsNoneIsRefused() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write([0xFF, 0xFE, 0x00], to: "layers")
        let result = try await CommandLine.run(["tune", "--layers", path], socket: "/nonexistent/schedcp.sock")
        #expect(result.status == 64)
        #expect(result.errors.contains("not text"))
        #expect(folder.exists("layers"))
    }

    @Test func aRefusalOfTheDaemonIsOne() async throws {
        let react = FakeServer.greeting { request in
            let failure = WireFailure.with {
                ($0.code, $0.message) = (.invalidArgument, "slice_us must be between 1000 and 100000 us")
            }
            if case .tuning = request.operation {
                return .answer([FakeServer.response(request.id, .tuning(Self.before))])
            }
            return .answer([FakeServer.response(request.id, .failure(failure))])
        }
        try await FakeServer.with(react) { server in
            let result = try await CommandLine.run(["tune", "slice_us=1"], socket: server.path)
            #expect(result.status == 1)
            #expect(result.errors.contains("between 1000 and 100000"))
        }
    }

    @Test func hostileAnswersArePlain() async throws {
        let evil = LookTests.hostile
        var after = Self.before
        (after.scheduler, after.tunables[0].spec.description_p, after.tunables[0].value) = (evil, evil, evil)
        (after.hints[0].key, after.layers.rules[1].name, after.changes[0].actorUser) = (evil, evil, evil)
        let (command, _) = try await Self.run(["a=1"], after: after)
        #expect(command.controls.isEmpty, "\(command.controls)")
    }
}
