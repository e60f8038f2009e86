// schedctl: the command line. It holds no privilege and decides nothing: it asks schedcpd and shows the answer, and
// runs the lab's virtual machine as the user that called it.

import ArgumentParser
import Model

@main
struct Schedctl: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedctl",
        abstract: "Deploy, watch and take back schedulers of the Linux kernel (sched_ext).",
        discussion: """
            EXAMPLES:
              schedctl doctor                               what this machine has and lacks
              schedctl list                                 the schedulers of the repository
              schedctl deploy vtime --param slice_us=5000   make one the machine's scheduler
              schedctl search "low wakeup latency"          which one fits
              schedctl status                               what the kernel runs now
              schedctl top                                  watch it
              schedctl tune slice_us=2000                   change it while it runs
              schedctl rollback                             back to the kernel's default
              schedctl repo export ljf -o policies          take an entry to another machine
              schedctl lab shell                            all of this in a virtual machine

            EXIT STATUS:
              0 done   1 failed   2 schedcpd cannot be reached   3 the kernel lacks something
              4 not permitted   5 the kernel's verifier refused   64 wrong usage
            """,
        version: "0.1.0",
        subcommands: [
            Verify.self, Deploy.self, Status.self, Rollback.self, List.self, Show.self, History.self, Events.self,
            Search.self, Tune.self, Top.self, Doctor.self,
            Whoami.self, Rules.self, Attest.self, Key.self, AuditCommand.self, Quarantine.self, Repo.self,
            LabCommand.self,
        ])
}

extension Failure {
    /// What a script can tell failures apart by.
    var exitStatus: Int32 {
        switch code {
        case .kernelUnsupported: 3
        case .denied: 4
        case .verifierRefused: 5
        case .noVerifier: 6
        default: 1
        }
    }
}
