import Foundation
import Linux
import TestSupport
import Testing

/// How it looks: help, colours, completions, and text from outside.
@Suite(.timeLimit(.minutes(10))) struct LookTests {
    @Test(arguments: CommandTests.commands.map { [$0] } + [["lab", "build"], ["lab", "run"], ["lab", "shell"], []])
    func helpHasAnExample(_ command: [String]) async throws {
        let result = try await CommandLine.run(command + ["--help"])
        #expect(result.status == 0)
        #expect(result.output.lowercased().contains("example"))
        #expect(result.output.contains("schedctl " + command.joined(separator: " ")))
        #expect(result.controls.isEmpty)
    }

    @Test func theVersionIsThatOfTheDaemon() async throws {
        let version = try await CommandLine.run(["--version"])
        let daemon = try await Command.run(try Checkout.program("schedcpd"), ["--version"])
        #expect(version.status == 0)
        #expect(version.output == daemon.output)
    }

    @Test(arguments: ["bash", "zsh", "fish"]) func completionsParse(_ shell: String) async throws {
        let script = try await CommandLine.run(["--generate-completion-script", shell])
        #expect(script.status == 0)
        for command in CommandTests.commands { #expect(script.output.contains(command), "\(command)") }
        let folder = try TemporaryFolder()
        let file = try folder.write(script.output, to: "completion")
        guard let program = HostFile.program(shell) else {
            // zsh and fish are not everywhere; bash is.
            #expect(shell != "bash")
            return
        }
        let parsed = try await Command.run(program, ["-n", file])
        #expect(parsed.status == 0, "\(parsed.errors)")
    }

    @Test func coloursAreForTerminals() async throws {
        let daemon = try await TestDaemon.start()
        let arguments = ["show", "fifo", "--socket", daemon.socket]
        var coloured = try await CommandLine.onTerminal(arguments)
        // On a machine that does much else script(1) shows only a part of what the command printed.
        for _ in 0..<20 where !coloured.output.contains("\u{1B}[1m") {
            coloured = try await CommandLine.onTerminal(arguments)
        }
        #expect(coloured.output.contains("\u{1B}[1m"), "\(coloured.output)")
        let plain = try await CommandLine.onTerminal(arguments, environment: ["NO_COLOR": "1"])
        #expect(plain.output.contains("fifo"))
        #expect(!plain.output.contains("\u{1B}"))
        let doctor = try await CommandLine.onTerminal(["doctor", "--json", "--socket", daemon.socket])
        #expect(!doctor.output.contains("\u{1B}"))
    }

    static let hostile = "\u{1B}[31mred\u{1B}]0;title\u{7}\u{9B}2J\u{8}\u{7F}\u{202E}txet\u{2066}\u{200B}\u{2028}"

    /// In TOML's own escapes.
    static let escaped = hostile.unicodeScalars.map {
        "\\u" + String(repeating: "0", count: 4 - String($0.value, radix: 16).count) + String($0.value, radix: 16)
    }
    .joined()

    @Test func textOfADescriptionNeverReachesTheTerminalRaw() async throws {
        let folder = try await TestDaemon.folder()
        try folder.write(
            """
            name = "evil"
            version = "1\(Self.escaped)"
            summary = "sum\(Self.escaped)"
            description = "des\(Self.escaped)"
            algorithm = "alg\(Self.escaped)"
            license = "lic\(Self.escaped)"
            object_file = "fifo.bpf.o"
            kernel_minimum = "6\(Self.escaped)"
            target_workloads = ["tar\(Self.escaped)"]
            not_for = ["not\(Self.escaped)"]

            [[parameters]]
            name = "par\(Self.escaped)"
            type = "u32"
            default = 1
            unit = "uni\(Self.escaped)"
            description = "pds\(Self.escaped)"

            [[hints]]
            kind = "process"
            map = "m"
            description = "hin\(Self.escaped)"

            [promises]
            "pro\(Self.escaped)" = "mis\(Self.escaped)"
            """, to: "schedulers/evil.toml")
        // A file that is left out is named in the log.
        try folder.write("name = \"\(Self.escaped)\"", to: "schedulers/worse.toml")
        let daemon = try await TestDaemon.start(in: folder)
        for arguments in [["list"], ["show", "evil"], ["deploy", "evil", "--param", "x\(Self.hostile)=1"]] {
            let result = try await CommandLine.run(arguments, socket: daemon.socket)
            #expect(result.controls.isEmpty, "\(arguments): \(result.controls)")
            let terminal = try await CommandLine.onTerminal(arguments + ["--socket", daemon.socket])
            for text in ["\u{1B}[31m", "\u{1B}]0", "\u{9B}", "\u{202E}", "\u{7}", "\u{8}"] {
                #expect(!terminal.output.contains(text), "\(arguments)")
            }
        }
        let show = try await CommandLine.run(["show", "evil"], socket: daemon.socket)
        for word in ["sum", "des", "alg", "lic", "tar", "not", "par", "uni", "hin", "pro", "mis"] {
            #expect(show.output.contains(word), "\(word)")
        }
        // JSON escapes what is below a space by itself; nothing raw is in it either.
        let json = try await CommandLine.run(["show", "evil", "--json"], socket: daemon.socket)
        #expect(json.json?["algorithm"] as? String == "alg" + Self.hostile)
        #expect(!json.output.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })
        #expect(!daemon.process.errors.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })
    }

    @Test func hostileArgumentsAreShownEscaped() async throws {
        let daemon = try await TestDaemon.start()
        for arguments in [
            ["show", Self.hostile], ["deploy", "/tmp/\(Self.hostile).o"], ["deploy", "fifo", "--param", Self.hostile],
        ] {
            let result = try await CommandLine.run(arguments, socket: daemon.socket)
            #expect(result.status != 0)
            #expect(result.controls.isEmpty, "\(arguments)")
        }
    }

    static let durations = [
        ("1500us", "1500000"), ("20ms", "20000000"), ("1.5s", "1500000000"), ("2m", "120000000000"),
        ("1h", "3600000000000"),
        ("7ns", "7"), ("1µs", "1000"), ("0s", "0"),
    ]

    /// The hint comes back in the refusal of a scheduler that takes none: what is sent is checked by the daemon.
    @Test(arguments: durations) func durationsAsPeopleWriteThem(_ text: String, _ nanoseconds: String) async throws {
        let result = try await CommandLine.run(
            ["deploy", "fifo", "--hint", "process:make=\(text)"], socket: "/nonexistent/schedcp.sock")
        // Understood: it went on to connect.
        #expect(result.status == 2)
    }
}
