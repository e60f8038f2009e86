// schedcp-verify: the Execution Verifier as a service. systemd starts `schedcp-verify job` from a socket, one process a job, as a
// user of its own without privilege; `schedcp-verify serve` takes jobs of other machines from a byte stream. It reads nothing but its
// input, and writes to its evidence and cache only. What judges the candidate is the target Verifier.

import ArgumentParser
import Linux
import Logging
import Verifier

@main struct SchedcpVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedcp-verify",
        abstract: "Verify schedulers for schedcpd.",
        discussion: """
            On one machine systemd starts it from /run/schedcp/verify.sock, and nobody else has to. For another machine:

              schedcp-verify key                                 what its rules.conf takes as this verifier's key
              schedcp-verify serve --stream /dev/ttyS1           jobs over a serial line
              schedcp-verify serve --stream vm/port.sock         jobs over a virtual machine's port
              schedcp-verify serve --listen /run/verify.sock     jobs over a socket, many clients
            """,
        version: Verifier.version,
        subcommands: [JobCommand.self, ServeCommand.self, KeyCommand.self])
}

/// What every command takes.
struct VerifyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder for evidence and the key (default: of systemd, else in this user's cache).", valueName: "path"))
    var state: String?
    @Option(
        help: ArgumentHelp(
            "A kernel image that may be verified for; may be repeated. Else the host's own, or the lab's.",
            valueName: "image"))
    var kernel: [String] = []
    @Option(help: "How much to log: debug, info, notice, warning or error.", transform: Self.level)
    var logLevel = Logger.Level.notice

    private static func level(_ text: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else { throw ValidationError("'\(text)' is not a log level") }
        return level
    }

    var stateFolder: String {
        if let state { return state }
        // systemd names several with `:` between; there is one.
        if let given = HostFile.environment("STATE_DIRECTORY"), let first = given.split(separator: ":").first {
            return String(first)
        }
        return VerifierConfiguration.standardCache + "/verify"
    }

    var verifier: Verifier {
        Verifier(configuration: VerifierConfiguration(evidenceFolder: stateFolder + "/evidence"))
    }

    func logger() -> Logger {
        var logger = Logger(label: "schedcp-verify") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        return logger
    }
}
