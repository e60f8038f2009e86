// schedcpd: the daemon. What it does is in DaemonCommand and Daemon.

import ArgumentParser
import Daemon
import DaemonCommand
import Deployment

@main
struct Schedcpd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedcpd",
        abstract: "The SchedCP daemon: loads verified schedulers, keeps them, and takes them back.",
        discussion: """
            systemd starts it: systemctl start schedcpd. It takes its socket from there, gives up root at once and keeps
            CAP_BPF and CAP_PERFMON.

            For development, without systemd (the scheduler then ends with the daemon):
              sudo schedcpd --socket /tmp/schedcp.sock --state /tmp/schedcp-state --audit /tmp/schedcp-audit
            """,
        version: DaemonConfiguration.version)

    @OptionGroup var options: DaemonOptions

    func run() throws { try options.run(stops: NoStops()) }
}
