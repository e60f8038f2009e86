import GuestProtocol
import Model

extension Verdicts {
    /// The verifier's figures of each program, and how long the machine took.
    static func measurements(ofKernelStage run: CommandRun, _ machine: MachineRun, _ shape: TrialShape) -> [Measurement]
    {
        var all: [Measurement] = []
        for program in run.transcript.programs {
            func add(_ name: String, _ value: UInt64, _ unit: String) {
                all.append(Measurement(name, subject: program.name, value: Double(value), unit: unit))
            }
            add("program.instructions", program.instructions, "instructions")
            add("verifier.instructions", program.processed, "instructions")
            add("verifier.states", program.totalStates, "states")
            add("verifier.peak-states", program.peakStates, "states")
            add("verifier.stack", program.stack, "bytes")
            add("verifier.time", program.nanoseconds, "ns")
        }
        for step in run.transcript.steps where step.isSuccess {
            all.append(Measurement("step.time", subject: step.step, value: Double(step.nanoseconds), unit: "ns"))
        }
        if let boot = machine.boot {
            all.append(
                Measurement("machine.boot", subject: shape.name, value: Double(boot.inNanoseconds), unit: "ns"))
        }
        return all + run.transcript.measurements.map { measurement($0, shape) }
    }

    static func measurement(_ figure: TrialMeasurement, _ shape: TrialShape) -> Measurement {
        Measurement(
            figure.name, subject: figure.subject.isEmpty ? shape.name : "\(shape.name)/\(figure.subject)",
            value: figure.value, unit: figure.unit, low: figure.low, high: figure.high)
    }

    /// For who wants it all: the steps with their times, longer texts, the kernel's log.
    static func log(_ run: CommandRun, _ machine: MachineRun, _ shape: TrialShape) -> String {
        var lines = ["=== \(shape.name): \(shape.title)"]
        if let boot = machine.boot { lines.append("boot: \(boot.inNanoseconds / 1_000_000) ms") }
        for step in run.transcript.steps {
            let name = step.subject.isEmpty ? step.step : "\(step.step) \(step.subject)"
            let how = step.isSuccess ? "" : ": \(step.message)"
            lines.append("\(name): \(step.nanoseconds / 1_000_000) ms\(how)")
        }
        for dump in run.transcript.dumps { lines += ["--- \(dump.name)", dump.text] }
        if !run.transcript.kernelLog.isEmpty { lines += ["--- kernel log"] + run.transcript.kernelLog }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The dynamic stage over all machines: refused by one is refused.
    static func merged(_ parts: [StageReport]) -> StageReport {
        guard var whole = parts.first else { return StageReport(.dynamic, .skipped) }
        for part in parts.dropFirst() {
            for finding in part.findings {
                let isKnown = whole.findings.contains {
                    ($0.check, $0.operation, $0.message) == (finding.check, finding.operation, finding.message)
                }
                if !isKnown { whole.findings.append(finding) }
            }
            for check in part.checks where !whole.checks.contains(where: { $0.check == check.check }) {
                whole.checks.append(check)
            }
            whole.measurements += part.measurements
            whole.log += "\n" + part.log
            whole.nanoseconds += part.nanoseconds
            if part.verdict == .failed || whole.verdict == .passed { whole.verdict = part.verdict }
        }
        return whole
    }
}
