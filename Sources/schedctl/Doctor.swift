import ArgumentParser
import Client
import Linux
import Model
import Wire

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What this machine has, what it lacks, and what to do about it.",
        discussion: """
            Exits 0 when schedulers can be deployed here, 1 when something is missing.

            EXAMPLE:
              schedctl doctor
            """)
    @OptionGroup var options: CommonOptions

    func run() async throws {
        var checks = HostProbe.schedulingChecks() + [HostProbe.cgroup(), HostProbe.perf(), HostProbe.systemd()]
        checks += await Self.daemon(at: options.socket, beside: Set(checks.map(\.name)))
        if options.json {
            var reply = WireDoctorReply()
            reply.checks = checks.map(WireCheck.init)
            options.printJSON(reply)
        } else {
            for check in checks { print(Self.line(check)) }
        }
        let missing = checks.filter { $0.verdict == .missing }
        guard missing.isEmpty else {
            if !options.json {
                ThisProcess.complain(
                    "error: schedulers cannot be deployed here: missing \(missing.map(\.name).joined(separator: ", "))\n"
                )
            }
            throw ExitCode(1)
        }
    }

    private static func line(_ check: Check) -> String {
        let word =
            switch check.verdict {
            case .found: Terminal.styled("found  ", .green)
            case .missing: Terminal.styled("missing", .red)
            case .warning: Terminal.styled("warning", .yellow)
            }
        let line = "\(word)  \(check.name): \(Terminal.safe(check.found))"
        return check.remedy.isEmpty ? line : line + "\n         → \(Terminal.safe(check.remedy))"
    }

    /// What the daemon says of itself: its privileges, its repository. They are not ours to see.
    /// - Parameter known: what was looked at here; of that only loading is the daemon's to say.
    private static func daemon(at path: String, beside known: Set<String>) async -> [Check] {
        do throws(Failure) {
            let client = try await SchedClient.connect(path: path, name: "schedctl doctor")
            let result = try await client.call(.doctor(WireDoctorRequest()))
            await client.close()
            guard case .doctor(let reply) = result else { throw SchedClient.unexpected(result) }
            let about = client.greeting
            let own = reply.checks.filter { $0.name.contains("load") || !known.contains($0.name) }
            return [
                Check(
                    "schedcpd", .found,
                    "version \(about.serverVersion) at \(path); you \(about.you.mayChange ? "may" : "may not") change the scheduler"
                )
            ]
                + own.map { Check($0.name, verdict($0), $0.found, remedy: $0.remedy) }
        } catch { return [Check("schedcpd", .missing, error.message, remedy: error.hint)] }
    }

    private static func verdict(_ check: WireCheck) -> Check.Verdict {
        switch check.verdict {
        case .found: .found
        case .warning: .warning
        default: .missing
        }
    }
}
