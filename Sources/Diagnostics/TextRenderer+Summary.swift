package import Model

extension TextRenderer {
    /// What was left undecided, and the verdict.
    package func closing(_ run: Diagnosis) -> String { run.stages.flatMap(undecided).joined() + verdict(run) }

    /// One stage's line: its verdict, time and counts; what kept it from being done. Ends with a line end.
    package func stage(_ stage: StageReport) -> String {
        let (word, colour): (String, Paint) =
            switch stage.verdict {
            case .passed: ("passed", .green)
            case .failed: ("failed", .red)
            case .skipped: ("skipped", .dim)
            case .unable: ("could not be done", .magenta)
            }
        var text = Self.padded(stage.stage.rawValue, 9) + paint(Self.padded(word, 8), colour)
        if stage.verdict != .skipped { text += "  " + Self.padded(PlainText.duration(stage.nanoseconds), 9) }
        let facts = [
            Self.count(stage.findings.count { $0.severity == .error }, "error"),
            Self.count(stage.findings.count { $0.severity == .warning }, "warning"),
            Self.number(stage.checks.count { $0.verdict == .proved }, "proved"),
            Self.number(stage.checks.count { $0.verdict == .unknown }, "not decided"),
        ].filter { !$0.isEmpty }
        if facts.isEmpty { while text.last == " " { text.removeLast() } }
        text += facts.isEmpty ? "\n" : "  \(facts.joined(separator: ", "))\n"
        if stage.verdict == .unable {
            text += PlainText.safe(stage.log).split(separator: "\n").prefix(20).map { "         \($0)\n" }.joined()
        }
        return text
    }

    /// Checks that neither hold nor fail for sure, and why: they are left to the later stages. One line for each reason.
    private func undecided(_ stage: StageReport) -> [String] {
        // A stage that failed has said what counts.
        guard stage.verdict == .passed else { return [] }
        var reasons: [String] = []
        var checks: [String: [String]] = [:]
        for outcome in stage.checks where outcome.verdict == .unknown {
            if checks[outcome.reason] == nil { reasons.append(outcome.reason) }
            checks[outcome.reason, default: []].append(PlainText.oneLine(outcome.check))
        }
        return reasons.map { reason in
            let why = reason.isEmpty ? "" : ": \(PlainText.oneLine(reason))"
            return paint("not decided ", .dim) + "[\((checks[reason] ?? []).joined(separator: ", "))]\(why)\n"
        }
    }

    private func verdict(_ run: Diagnosis) -> String {
        let name = PlainText.oneLine(sources.shown(run.name))
        let counts = [
            Self.count(run.count(.error), "error"), Self.count(run.count(.warning), "warning"),
        ].filter { !$0.isEmpty }.joined(separator: ", ")
        let last = run.stages.last { $0.verdict == .passed || $0.verdict == .failed }?.stage.rawValue ?? ""
        var text =
            switch run.verdict {
            case .passed: "\(name): \(paint("passed", .green))" + (last.isEmpty ? "" : " up to the stage \(last)")
            case .refused: "\(name): \(paint("refused", .red)) by the stage \(last)"
            case .unable: "\(name): \(paint("could not be verified", .magenta)), which says nothing against it"
            }
        if !counts.isEmpty { text += " (\(counts))" }
        if !run.kernelRelease.isEmpty { text += ", kernel \(PlainText.oneLine(run.kernelRelease))" }
        if run.isFromEvidence { text += ", answered from evidence" }
        return text + "\n"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func count(_ number: Int, _ word: String) -> String {
        number == 0 ? "" : "\(number) \(word)\(number == 1 ? "" : "s")"
    }

    private static func number(_ number: Int, _ word: String) -> String { number == 0 ? "" : "\(number) \(word)" }
}
