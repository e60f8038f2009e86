import Foundation
import Linux
import TestSupport
import Testing

/// schedctl of this build, run as a person runs it.
enum CommandLine {
    static let environment = ["TERM": "xterm-256color", "LANG": "C.UTF-8"]

    static func run(_ arguments: [String], socket: String? = nil, environment: [String: String] = [:]) async throws
        -> Command
    {
        let all = arguments + (socket.map { ["--socket", $0] } ?? [])
        return try await Command.run(
            try Checkout.program("schedctl"), all, environment: Self.environment.merging(environment) { $1 })
    }

    /// On a terminal of its own, made by script(1). Standard output and error are one.
    static func onTerminal(_ arguments: [String], environment: [String: String] = [:]) async throws -> Command {
        let program = [try Checkout.program("schedctl")] + arguments
        let line = program.map { "'" + $0.replacingOccurrences(of: "'", with: "'\\''") + "'" }.joined(separator: " ")
        guard let script = HostFile.program("script") else {
            throw Lacking("script(1) is missing: apt-get install bsdutils")
        }
        // script(1) may end with its standard input, or with the command, and lose what was still on its way: the input is
        // a pipe that never ends, the command's shell stays a moment, and an output that was lost is asked for again.
        let open = #"pipe=$(mktemp -u) && mkfifo "$pipe" && exec 3<>"$pipe" && rm "$pipe" && exec "$@" <&3"#
        // `swift test` may set it for what it runs.
        let unset = environment["NO_COLOR"] == nil ? "unset NO_COLOR; " : ""
        let words = [
            "--quiet", "--return", "--command", unset + line + "; status=$?; sleep 1; exit $status", "/dev/null",
        ]
        var command = try await Command.run(
            "/bin/sh", ["-c", open, "sh", script] + words, environment: Self.environment.merging(environment) { $1 })
        for _ in 0..<5 where command.output.isEmpty {
            command = try await Command.run(
                "/bin/sh", ["-c", open, "sh", script] + words, environment: Self.environment.merging(environment) { $1 }
            )
        }
        return command
    }

    /// As a user without any right, from a copy that every user can reach.
    static func asNobody(_ arguments: [String], in folder: TemporaryFolder) async throws -> Command {
        guard Checkout.isRoot else { return try await run(arguments) }
        if !folder.exists("schedctl") { try folder.copy(try Checkout.program("schedctl"), to: "schedctl") }
        guard let setpriv = HostFile.program("setpriv") else {
            throw Lacking("setpriv is missing: apt-get install util-linux")
        }
        let identity = ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
        return try await Command.run(
            setpriv, identity + [folder.path("schedctl")] + arguments, environment: environment)
    }
}

extension Command {
    /// What a terminal would obey: everything below a space but the line end and the tab, DEL, C1, and what reorders text.
    var controls: [Unicode.Scalar] {
        (output + errors).unicodeScalars.filter { scalar in
            if scalar == "\n" || scalar == "\t" { return false }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: return true
            default: return false
            }
        }
    }

    /// The output as JSON: an object.
    var json: [String: Any]? {
        (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any]
    }
}
