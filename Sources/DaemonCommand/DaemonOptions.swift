// DaemonCommand: the command line of the daemon, and the one moment as root. Everything up to `PrivilegeDrop.become` runs on
// the only thread there is; nothing before it may start another. `schedcpd` is this and nothing else.

import ArgumentParser
import Daemon
package import Deployment
import Dispatch
import Linux
import Logging
import Service

package struct DaemonOptions: ParsableArguments, Sendable {
    package init() {}

    @Option(help: ArgumentHelp("Bind this socket instead of taking one from systemd.", valueName: "path"))
    var socket: String?
    @Option(help: "The folder for records and artifacts.")
    package var state = "/var/lib/schedcp"
    @Option(help: "The folder of installed schedulers.")
    var schedulers = "/usr/lib/schedcp/schedulers"
    @Option(help: "The folder of rules.conf.")
    var rules = "/etc/schedcp"
    @Option(help: "The folder of the audit.")
    var audit = "/var/log/schedcp"
    @Option(help: "The socket of schedcp-eject.")
    var ejectSocket = "/run/schedcp/eject.sock"
    @Option(help: "The folder of the model that search understands sentences with; it may be missing.")
    var model = DaemonConfiguration.installedModel
    @Option(help: "The folder of probes.")
    var probes = "/usr/lib/schedcp/probes"
    @Option(help: "The user to become.")
    var user = "schedcp"
    @Option(
        help: "How much to log: debug, info, notice, warning or error.",
        transform: { text in
            guard let level = Logger.Level(rawValue: text) else {
                throw ValidationError("'\(text)' is not a log level")
            }
            return level
        })
    var logLevel = Logger.Level.notice

    /// Loading and attaching need both; the measurement is in SECURITY.md.
    static let keptCapabilities: CapabilitySet = [.bpf, .perfmon]

    /// Gives up root, then serves until SIGTERM. Does not return.
    package func run(stops: any Stops) throws {
        LoggingSystem.bootstrap { [logLevel] _ in JournalLogHandler(level: logLevel) }
        let logger = Logger(label: "schedcpd")
        let passed = Systemd.takeDescriptors()
        try giveUpRoot(logger)
        var configuration = DaemonConfiguration(
            stateFolder: state, schedulersFolder: schedulers, rulesFolder: rules, auditFolder: audit,
            ejectSocket: ejectSocket, modelFolder: model)
        configuration.probesFolder = probes
        let path = socket
        Task {
            do {
                let daemon = Daemon(configuration: configuration, logger: logger)
                try await daemon.run(socket: path, passed: passed, stops: stops)
                ThisProcess.exit(0)
            } catch {
                logger.critical("\(error)")
                Systemd.notify(["STATUS=\(error)", "ERRNO=22"])
                ThisProcess.exit(1)
            }
        }
        dispatchMain()
    }

    private func giveUpRoot(_ logger: Logger) throws {
        guard ThisProcess.isRoot else {
            guard socket != nil else {
                logger.critical("schedcpd must be started as root by systemd; it gives root up itself")
                throw ExitCode(77)
            }
            logger.notice("not started as root: everything but deploying works")
            return
        }
        guard let account = Accounts.user(named: user) else {
            logger.critical("the user '\(user)' does not exist: run systemd-sysusers, or scripts/install again")
            throw ExitCode(67)
        }
        do { try PrivilegeDrop.become(uid: account.uid, gid: account.gid, keeping: Self.keptCapabilities) } catch {
            logger.critical("\(error); refusing to serve")
            throw ExitCode(77)
        }
    }
}
