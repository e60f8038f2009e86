import Foundation
import Linux
import SwiftProtobuf
import Synchronization
import TestServer
import TestSupport
import Testing
import Wire

/// `schedctl top` against a server of views, on a real pseudo-terminal and without one.
@Suite(.timeLimit(.minutes(10))) struct TopTests {
    static let enter = "\u{1B}[?1049h"
    static let leave = "\u{1B}[?1049l"

    /// One view for who asks for one; three at once, and no more, for who asks for a stream.
    private static func react(_ view: WireView = TopPictureTests.view(cpus: 4, caches: 2))
        -> @Sendable (WireRequest)
        -> FakeServer.Reaction
    {
        FakeServer.greeting { request in
            switch request.operation {
            case .view(let asked):
                let count = asked.intervalMilliseconds == 0 ? 1 : 3
                return .answer((0..<count).map { _ in FakeServer.response(request.id, .view(view)) })
            default: return .answer([FakeServer.response(request.id, .done(.init()))])
            }
        }
    }

    private static func check(_ terminal: TopTerminal, status: Int32) async throws {
        #expect(await terminal.ends(), "\(terminal.output)")
        #expect(terminal.status == status)
        #expect(!terminal.settings.before.isEmpty)
        #expect(terminal.settings.before == terminal.settings.after)
        // The last word on the screen, on the cursor and on the line's end are those that bring them back.
        let output = terminal.output
        for (back, away) in [(leave, enter), ("\u{1B}[?25h", "\u{1B}[?25l"), ("\u{1B}[?7h", "\u{1B}[?7l")] {
            let last = try #require(output.range(of: back, options: .backwards))
            let first = try #require(output.range(of: away, options: .backwards))
            #expect(first.upperBound <= last.lowerBound)
        }
        // And nothing is drawn after it.
        let rest = try #require(output.range(of: leave, options: .backwards))
        #expect(!output[rest.upperBound...].contains("\u{1B}["), "\(output[rest.upperBound...])")
    }

    @Test func qEndsItAndTheTerminalIsAsBefore() async throws {
        try await FakeServer.with(Self.react()) { server in
            let terminal = try TopTerminal(["top", "--socket", server.path])
            #expect(await terminal.shows("deployment 12"), "\(terminal.output)")
            #expect(terminal.output.contains(Self.enter))
            try terminal.type("q")
            try await Self.check(terminal, status: 0)
        }
    }

    @Test(arguments: [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGSEGV, SIGABRT, SIGILL, SIGUSR1])
    func aSignalEndsItAndTheTerminalIsAsBefore(_ signal: Int32) async throws {
        try await FakeServer.with(Self.react()) { server in
            let terminal = try TopTerminal(["top", "--socket", server.path])
            #expect(await terminal.shows("deployment 12"))
            terminal.signal(signal)
            try await Self.check(terminal, status: 128 + signal)
        }
    }

    @Test func controlCEndsIt() async throws {
        try await FakeServer.with(Self.react()) { server in
            let terminal = try TopTerminal(["top", "--socket", server.path])
            #expect(await terminal.shows("deployment 12"))
            try terminal.type("\u{3}")
            try await Self.check(terminal, status: 130)
        }
    }

    @Test func controlZGivesTheTerminalBackUntilItGoesOn() async throws {
        try await FakeServer.with(Self.react()) { server in
            let terminal = try TopTerminal(["top", "--socket", server.path], hasJobs: true)
            #expect(await terminal.shows("deployment 12"))
            try terminal.type("\u{1A}")
            #expect(await eventually { terminal.hasStopped }, "\(terminal.output)")
            #expect(terminal.settings.before == terminal.settings.after)
            #expect(terminal.output.contains(Self.leave))
            let before = terminal.output.utf8.count
            try terminal.goOn()
            #expect(await terminal.shows(Self.enter, after: before))
            #expect(await terminal.shows("deployment 12", after: before))
            try terminal.type("q")
            try await Self.check(terminal, status: 0)
        }
    }

    @Test func aDaemonThatGoesIsSaidAndItsReturnIsSeen() async throws {
        /// It is there, then gone, then there again.
        enum Daemon { case before, gone, back }
        let daemon = Mutex(Daemon.before)
        let react = Self.react()
        try await FakeServer.with({ request in
            switch (request.operation, daemon.withLock { $0 }) {
            case (.view(let view), .before) where view.intervalMilliseconds > 0:
                daemon.withLock { $0 = .gone }
                return .close
            case (_, .gone): return .close
            default: return react(request)
            }
        }) { server in
            let terminal = try TopTerminal(["top", "--socket", server.path])
            #expect(await terminal.shows("trying again"), "\(terminal.output)")
            // What was known stays on the screen.
            #expect(terminal.output.contains("deployment 12"))
            let before = terminal.output.utf8.count
            daemon.withLock { $0 = .back }
            // The line of trouble goes: the lines below it move, and are drawn again.
            #expect(await terminal.shows("CPUS", after: before), "\(terminal.output)")
            try terminal.type("q")
            try await Self.check(terminal, status: 0)
        }
    }

    @Test func keysChangeWhatIsShown() async throws {
        try await FakeServer.with(Self.react(TopPictureTests.view(cpus: 64, caches: 8, layers: 16))) { server in
            let terminal = try TopTerminal(["top", "--socket", server.path])
            #expect(await terminal.shows("[all] every 1s"))
            for (key, text) in [
                ("4", "[counters]"), ("\u{1B}[6~", "lines 20 to"), ("\t", "[events]"), ("2", "[cpus]"),
                ("+", "every 2s"),
                ("-", "every 1s"), ("p", "PAUSED"), ("h", "hold the picture"), ("h", "cache 0: 8 CPUs"),
            ] {
                let before = terminal.output.utf8.count
                try terminal.type(key)
                #expect(await terminal.shows(text, after: before), "\(key): \(text)")
            }
            try terminal.type("q")
            try await Self.check(terminal, status: 0)
        }
    }

    @Test func itFollowsTheSizeOfTheTerminal() async throws {
        try await FakeServer.with(Self.react(TopPictureTests.view(cpus: 64, caches: 8))) { server in
            let terminal = try TopTerminal(["top", "--socket", server.path])
            #expect(await terminal.shows("\u{1B}[24;1H"))
            #expect(!terminal.output.contains("\u{1B}[25;1H"))
            try await terminal.resize(rows: 50, columns: 132)
            #expect(await terminal.shows("\u{1B}[50;1H"))
            try terminal.type("q")
            try await Self.check(terminal, status: 0)
        }
    }

    @Test func coloursAreNotForThoseWhoDoNotWantThem() async throws {
        try await FakeServer.with(Self.react()) { server in
            let coloured = try TopTerminal(["top", "--socket", server.path])
            #expect(await coloured.shows("\u{1B}[32m"))
            try coloured.type("q")
            #expect(await coloured.ends())
            let plain = try TopTerminal(["top", "--socket", server.path], environment: ["NO_COLOR": "1"])
            #expect(await plain.shows("deployment 12"))
            try plain.type("q")
            #expect(await plain.ends())
            let colours = plain.output.matches(of: #/\x1B\[[0-9;]*m/#).filter { $0.output != "\u{1B}[0m" }
            #expect(colours.isEmpty)
        }
    }

    @Test func nothingHostileReachesTheTerminal() async throws {
        let view = TopPictureTests.view(cpus: 4, layers: 2, text: LookTests.hostile)
        try await FakeServer.with(Self.react(view)) { server in
            let terminal = try TopTerminal(["top", "--socket", server.path])
            #expect(await terminal.shows("deployment 12"))
            for key in "12345" {
                let before = terminal.output.utf8.count
                try terminal.type(String(key))
                #expect(await eventually { terminal.output.utf8.count > before } || key == "1")
            }
            try terminal.type("q")
            #expect(await terminal.ends())
            for text in ["\u{1B}]0", "\u{9B}", "\u{202E}", "\u{7}", "\u{8}", "\u{2028}", "\u{1B}[31mred"] {
                #expect(!terminal.output.contains(text))
            }
        }
    }
}

extension TopTests {
    @Test func onceIsPlainText() async throws {
        let view = TopPictureTests.view(cpus: 16, caches: 2, layers: 3, text: LookTests.hostile)
        try await FakeServer.with(Self.react(view)) { server in
            // Without a terminal it is the same.
            for arguments in [["top", "--once"], ["top"]] {
                let result = try await CommandLine.run(arguments, socket: server.path)
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.controls.isEmpty)
                for word in [
                    "deployment 12", "cache 1: 8 CPUs", "WAITING FOR A CPU", "counter11", "LAYERS", "message 19",
                ] {
                    #expect(result.output.contains(word), "\(word)")
                }
            }
            let json = try await CommandLine.run(["top", "--once", "--json"], socket: server.path)
            #expect(try WireView(jsonString: json.output) == view)
            let dumb = try await CommandLine.onTerminal(
                ["top", "--socket", server.path], environment: ["TERM": "dumb"])
            #expect(!dumb.output.contains(Self.enter))
            #expect(dumb.output.contains("deployment 12"))
        }
    }

    @Test func aStreamIsALineOfJSONEach() async throws {
        let asked = Mutex<UInt32>(0)
        let view = TopPictureTests.view(cpus: 2)
        let react = FakeServer.greeting { request in
            guard case .view(let it) = request.operation else { return .close }
            asked.withLock { $0 = it.intervalMilliseconds }
            return .answer(
                (0..<3).map { _ in FakeServer.response(request.id, .view(view)) }
                    + [FakeServer.response(request.id, .done(.init()))])
        }
        try await FakeServer.with(react) { server in
            let result = try await CommandLine.run(["top", "--json", "--interval", "250ms"], socket: server.path)
            let lines = result.output.split(separator: "\n")
            #expect(lines.count == 4)
            for line in lines.prefix(3) { #expect(try WireView(jsonString: String(line)) == view) }
            // The daemon ended it, and that is a failure.
            #expect(result.status == 1)
            #expect(asked.withLock { $0 } == 250)
        }
    }

    @Test(arguments: [
        ["--interval", "100ms"], ["--interval", "2h"], ["--interval", "0s"], ["--interval", "-1s"],
        ["--interval", "soon"],
        ["--interval", "1"], ["--interval", ""], ["extra"], ["--interval", "1e30s"],
    ])
    func badInputIsSixtyFour(_ arguments: [String]) async throws {
        let result = try await CommandLine.run(["top"] + arguments, socket: "/nonexistent/schedcp.sock")
        #expect(result.status == 64, "\(result.errors)")
        #expect(result.controls.isEmpty)
    }

    @Test func whoeverIsRefusedKeepsTheScreen() async throws {
        let react = FakeServer.greeting { request in
            let failure = WireFailure.with { ($0.code, $0.message) = (.denied, "you may not look") }
            return .answer([FakeServer.response(request.id, .failure(failure))])
        }
        try await FakeServer.with(react) { server in
            let terminal = try TopTerminal(["top", "--socket", server.path])
            #expect(await terminal.ends())
            #expect(terminal.status == 4)
            #expect(terminal.output.contains("you may not look"))
            #expect(!terminal.output.contains(Self.enter))
            let away = try TopTerminal(["top", "--socket", "/nonexistent/schedcp.sock"])
            #expect(await away.ends())
            #expect(away.status == 2)
        }
    }
}
