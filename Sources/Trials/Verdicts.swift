import GuestProtocol
import MicroVM
import Model

/// Turns what the guest said, or left unsaid, into reports of stages.
enum Verdicts {
    /// The catalogue's names of what is found out here; the others come from the guest.
    static let verifierCheck = "verifier"
    static let kernelLogCheck = "kernel-log"
    /// What is the machine's own: it hangs, ends by itself, or cannot be had.
    static let guestCheck = "guest"

    /// The kernel stage, from the first machine.
    static func kernel(_ machine: MachineRun, shape: TrialShape) -> StageReport {
        guard let run = machine.load else {
            return unable(.kernel, reason(for: machine.error), console: machine.console)
        }
        var report = StageReport(.kernel, .passed, nanoseconds: run.nanoseconds)
        report.log = run.transcript.logs.map { "--- program \($0.name)\n\($0.text)" }.joined(separator: "\n")
        report.measurements = measurements(ofKernelStage: run, machine, shape)
        report.findings = run.transcript.violations.map { finding(.kernel, $0) } + logFindings(.kernel, run)
        judge(&report, run, machine)
        let isRefused = report.findings.contains { $0.check == verifierCheck && $0.severity == .error }
        switch report.verdict {
        case .passed: report.checks = [CheckOutcome(check: verifierCheck, verdict: .proved)]
        case .failed where isRefused: report.checks = [CheckOutcome(check: verifierCheck, verdict: .refuted)]
        default: report.checks = [CheckOutcome(check: verifierCheck, verdict: .unknown, reason: "it was not decided")]
        }
        return report
    }

    /// One machine's part of the dynamic stage.
    static func dynamic(_ machine: MachineRun, shape: TrialShape) -> StageReport {
        guard let run = machine.dynamic else {
            return unable(.dynamic, "\(shape.title): " + reason(for: machine.error), console: machine.console)
        }
        var report = StageReport(.dynamic, .passed, nanoseconds: run.nanoseconds)
        report.log = log(run, machine, shape)
        report.measurements = run.transcript.measurements.map { measurement($0, shape) }
        report.findings = run.transcript.violations.map { finding(.dynamic, $0, shape) } + logFindings(.dynamic, run)
        judge(&report, run, machine)
        if machine.silences > 0, report.verdict == .passed {
            report.findings.append(
                Finding(
                    stage: .dynamic, check: guestCheck, severity: .warning,
                    message: "the machine stopped answering once, and went well twice afterwards"))
        }
        let refuted = Set(report.findings.filter { $0.severity == .error }.map(\.check))
        report.checks = refuted.sorted().map { CheckOutcome(check: $0, verdict: .refuted, reason: shape.title) }
        return report
    }

    /// The verdict, with a finding that explains it where the guest gave none.
    private static func judge(_ report: inout StageReport, _ run: CommandRun, _ machine: MachineRun) {
        let hasErrors = report.findings.contains { $0.severity == .error }
        if let broken = broken(report.stage, run, machine) {
            report.findings.append(broken.finding)
            report.verdict = hasErrors || broken.isCandidates ? .failed : .unable
            return
        }
        switch run.transcript.verdict {
        case .passed: report.verdict = hasErrors ? .failed : .passed
        case .failed:
            report.verdict = .failed
            if !hasErrors {
                report.findings.append(
                    Finding(stage: report.stage, check: guestCheck, message: "the guest refused it and did not say why")
                )
            }
        case .unable:
            report.verdict = .unable
            if report.findings.isEmpty {
                report.findings.append(
                    Finding(
                        stage: report.stage, check: guestCheck,
                        message: "the guest could not do its work and did not say why"))
            }
        case nil:
            report.verdict = hasErrors ? .failed : .unable
            report.findings.append(
                Finding(
                    stage: report.stage, check: guestCheck,
                    message: "the guest ended without a verdict" + during(run),
                    detail: run.end?.errors ?? ""))
        }
    }

    /// What kept the guest from its own verdict, and whether the candidate did it.
    private static func broken(
        _ stage: VerificationStage, _ run: CommandRun, _ machine: MachineRun
    ) -> (finding: Finding, isCandidates: Bool)? {
        // What a scheduler in charge does to its machine is its own doing; a machine without one is ours.
        let inCharge = run.transcript.hasAttached
        if let end = run.end {
            guard run.transcript.verdict == nil, let complaint = end.complaint else { return nil }
            return (
                Finding(
                    stage: stage, check: guestCheck, message: "the trial did not end well: \(complaint)" + during(run),
                    detail: end.errors), inCharge
            )
        }
        let tail = Array(machine.console.split(separator: "\n").suffix(40)).joined(separator: "\n")
        if KernelLog.isAgentsDeath(machine.console) {
            return (
                Finding(stage: stage, check: guestCheck, message: "the guest's first process died", detail: tail), false
            )
        }
        if KernelLog.hasPanicked(machine.console) {
            let panic = machine.console.split(separator: "\n").last { $0.contains("Kernel panic") } ?? ""
            let message = "the kernel panicked\(during(run)): " + String(panic).escapedForDisplay(limit: 200)
            return (Finding(stage: stage, check: kernelLogCheck, message: message, detail: tail), true)
        }
        let code = machine.error?.code
        let message =
            code == .timedOut
            ? "the machine stopped answering" : "the trial was cut short: " + reason(for: machine.error)
        // A machine that only ended was tried again before, and a scheduler under which it always does is to blame.
        let isCandidates = inCharge && (code == .timedOut || code == .stopped)
        return (
            Finding(stage: stage, check: guestCheck, message: message + during(run), detail: tail), isCandidates
        )
    }

    private static func during(_ run: CommandRun) -> String {
        run.transcript.unfinished.map { " during \($0)" } ?? ""
    }

    /// Complaints of the kernel, from its console and from the guest's reading of its log.
    private static func logFindings(_ stage: VerificationStage, _ run: CommandRun) -> [Finding] {
        var lines = KernelLog.complaints(in: run.transcript.kernelLog)
        for line in run.console where !lines.contains(line) { lines.append(line) }
        guard let first = lines.first else { return [] }
        let whole = (run.transcript.kernelLog + run.console).prefix(200).joined(separator: "\n")
        return [
            Finding(
                stage: stage, check: kernelLogCheck,
                message: "the kernel complains: \(first)" + (lines.count > 1 ? " (and \(lines.count - 1) more)" : ""),
                detail: whole)
        ]
    }

    private static func finding(_ stage: VerificationStage, _ violation: Violation, _ shape: TrialShape? = nil)
        -> Finding
    {
        let location =
            violation.file.isEmpty
            ? nil : SourceLocation(file: violation.file, line: max(0, violation.line), text: violation.text)
        let detail =
            (shape.map { ["machine: \($0.title)"] } ?? []) + (violation.detail.isEmpty ? [] : [violation.detail])
        return Finding(
            stage: stage, check: violation.check.escapedForDisplay(limit: 64),
            severity: Finding.Severity(rawValue: violation.severity.rawValue) ?? .error, message: violation.message,
            location: location, operation: violation.load, detail: detail.joined(separator: "\n"))
    }

    static func reason(for error: MachineError?) -> String {
        guard let error else { return "the machine ended before it was asked" }
        return error.message + (error.hint.isEmpty ? "" : " (\(error.hint))")
    }

    /// A stage that could not be done, for a reason in a sentence.
    static func unable(_ stage: VerificationStage, _ reason: String, console: String = "") -> StageReport {
        let tail = console.split(separator: "\n").suffix(40).joined(separator: "\n")
        return StageReport(
            stage, .unable, findings: [Finding(stage: stage, check: guestCheck, message: reason, detail: tail)])
    }
}
