import Foundation
import Model
import Wire

/// The messages as a person reads them.
enum Text {
    static func status(_ status: WireStatus) -> String {
        let kernel = status.kernel
        var lines: [String] = []
        func line(_ name: String, _ value: String) {
            lines.append(name.padding(toLength: 12, withPad: " ", startingAt: 0) + value)
        }
        if !kernel.supported {
            line("kernel", "\(Terminal.safe(kernel.release)), \(Terminal.styled("without sched_ext", .yellow))")
            lines += kernel.missing.map { "  \(Terminal.safe($0))" }
        } else {
            line("kernel", "\(Terminal.safe(kernel.release)), sched_ext \(kernel.state)")
            switch kernel.owner {
            case .ours: line("scheduler", "\(Terminal.styled(Terminal.safe(kernel.ops), .green)), deployed by SchedCP")
            case .foreign:
                line("scheduler", "\(Terminal.styled(Terminal.safe(kernel.ops), .yellow)), loaded by another program")
            default: line("scheduler", "the kernel's default")
            }
            line("counters", "enable_seq \(kernel.enableSeq), nr_rejected \(kernel.nrRejected)")
        }
        if status.auditFailing {
            line("audit", Terminal.styled("cannot be written: nothing privileged is done but rollbacks", .red))
        }
        if status.hasRestore {
            line("to be back", "deployment \(status.restore.deployment), at \(Terminal.time(status.restore.notBefore))")
        }
        if status.hasDeployment { line("deployment", deployment(status.deployment)) }
        if status.hasLastEnded { line("last ended", deployment(status.lastEnded)) }
        line(
            "schedcpd",
            "\(Terminal.safe(status.serverVersion)), up \(DurationText.format(status.uptimeSeconds * 1_000_000_000))")
        return lines.joined(separator: "\n")
    }

    private static func deployment(_ it: WireDeployment) -> String {
        let settings = it.parameters.map { " \(Terminal.safe($0.name))=\(Terminal.safe($0.value))" }.joined()
        let since =
            it.state == DeploymentState.active.rawValue
            ? "since \(Terminal.time(it.attachedAt))" : "\(it.state) \(Terminal.time(it.endedAt))"
        let reason = it.reason.isEmpty ? "" : ": \(Terminal.safe(it.reason))"
        return "\(it.id) \(Terminal.safe(it.scheduler))\(settings) by \(Terminal.safe(it.actorUser)), \(since)\(reason)"
    }

    static func scheduler(_ it: WireScheduler) -> String {
        let title = [it.summary.name, it.summary.version, it.summary.summary].map(Terminal.oneLine)
        var out = "\(Terminal.styled(title[0], .bold)) \(title[1]): \(title[2])\n\n"
        out += wrapped(Terminal.safe(it.description_p), indent: 2) + "\n\n"
        out += "  algorithm  \(Terminal.safe(it.algorithm))\n  licence    \(Terminal.safe(it.license))\n"
        out += "  kernel     \(Terminal.safe(it.kernelMin)) or later\n  artifact   \(it.artifactSha256)\n"
        if !it.parameters.isEmpty {
            let rows = it.parameters.map {
                [$0.name, $0.type, "\($0.min)…\($0.max) \($0.unit)", "default \($0.defaultValue)"].map(Terminal.safe)
            }
            out += "\n" + Terminal.styled("Parameters", .bold) + "\n" + Terminal.indented(Terminal.table(rows)) + "\n"
        }
        if !it.hints.isEmpty {
            out += "\n" + Terminal.styled("Hints", .bold) + "\n"
            out +=
                Terminal.indented(Terminal.table(it.hints.map { ["\($0.kind):", Terminal.safe($0.description_p)] }))
                + "\n"
        }
        out += bullets("Good for", it.summary.targetWorkloads) + bullets("Not for", it.notFor)
        out += bullets("Promises", it.promises.map { "\($0.name): \($0.value)" })
        return String(out.dropLast())
    }

    private static func bullets(_ title: String, _ items: [String]) -> String {
        if items.isEmpty { return "" }
        return "\n" + Terminal.styled(title, .bold) + "\n" + items.map { "  - \(Terminal.safe($0))\n" }.joined()
    }

    static func history(_ deployments: [WireDeployment]) -> String {
        if deployments.isEmpty { return "no deployment yet" }
        let rows = deployments.map { it in
            [
                "\(it.id)", Terminal.safe(it.scheduler), it.state, Terminal.time(it.requestedAt),
                Terminal.safe(it.actorUser), Terminal.safe(it.reason),
            ]
        }
        return Terminal.table([["ID", "SCHEDULER", "STATE", "REQUESTED", "BY", "WHY"]] + rows)
    }

    /// One deployment with all that is known of it.
    static func whole(_ it: WireDeployment) -> String {
        var rows = [
            ["deployment", "\(it.id)"], ["scheduler", it.scheduler], ["artifact", it.artifactSha256],
            ["state", it.state], ["why", it.reason], ["by", "\(it.actorUser) (uid \(it.actorUid))"],
            ["requested", Terminal.time(it.requestedAt)], ["attached", Terminal.time(it.attachedAt)],
            ["ended", Terminal.time(it.endedAt)], ["enable_seq", "\(it.enableSeq)"],
            ["authority", "\(it.authority) \(it.authorityDetail)"], ["blame", it.blameSummary],
            ["made way", it.previous == 0 ? "" : "deployment \(it.previous)"],
        ]
        rows += it.parameters.map { ["parameter", "\($0.name)=\($0.value)"] }
        rows += it.hints.map { ["hint", "\($0.kind):\($0.key)=\(DurationText.format($0.nanoseconds))"] }
        if it.hasExit {
            rows += [["exit kind", "\(it.exit.kind) (\(it.exit.kindName))"], ["exit reason", it.exit.reason]]
            rows += [["exit message", it.exit.message]]
        }
        let text = Terminal.table(rows.filter { !$0[1].isEmpty }.map { $0.map(Terminal.safe) })
        return it.exit.dump.isEmpty ? text : text + "\n\n" + Terminal.safe(it.exit.dump)
    }

    static func event(_ event: WireEvent) -> String {
        let gap = event.skipped == 0 ? "" : "(\(event.skipped) events missed)\n"
        return gap
            + "\(Terminal.time(event.at))  \(event.kind.padding(toLength: 16, withPad: " ", startingAt: 0))  \(Terminal.safe(event.message))"
    }

    static func wrapped(_ text: String, indent: Int, width: Int = 100) -> String {
        var lines = [""]
        for word in text.split(whereSeparator: \.isWhitespace) {
            let last = lines[lines.count - 1]
            if !last.isEmpty && last.count + word.count + 1 > width - indent {
                lines.append(String(word))
            } else {
                lines[lines.count - 1] = last.isEmpty ? String(word) : "\(last) \(word)"
            }
        }
        return lines.map { String(repeating: " ", count: indent) + $0 }.joined(separator: "\n")
    }
}
