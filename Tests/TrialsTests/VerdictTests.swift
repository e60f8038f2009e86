import GuestProtocol
import MicroVM
import Model
import Testing

@testable import Trials

@Suite(.timeLimit(.minutes(5)))
struct VerdictTests {
    static func run(_ records: [TrialRecord], exit: CommandExit? = CommandExit(.status(0))) -> CommandRun {
        var run = CommandRun()
        for record in records { run.transcript.add(record) }
        run.end = exit.map { GuestCommandEnd(exit: $0, errors: "last words\n", strangeLines: 0) }
        return run
    }

    static let attached: [TrialRecord] = [
        .began(step: "attach", subject: ""), .ended(StepEnd(step: "attach")), .began(step: "load", subject: "hogs"),
    ]

    static func dynamic(_ run: CommandRun, error: MachineError? = nil, console: String = "") -> StageReport {
        Verdicts.dynamic(MachineRun(dynamic: run, error: error, console: console), shape: .twoCPUs)
    }

    @Test func aCleanLoadPasses() {
        let figures = ProgramFigures(name: "enqueue", instructions: 12, processed: 34)
        let run = Self.run([
            .program(figures), .verifierLog(program: "enqueue", text: "0: exit\n"), .ended(StepEnd(step: "load")),
            .done(.passed),
        ])
        let report = Verdicts.kernel(MachineRun(boot: .seconds(2), load: run), shape: .twoCPUs)
        #expect(report.verdict == .passed)
        #expect(report.findings.isEmpty)
        #expect(report.checks == [CheckOutcome(check: "verifier", verdict: .proved)])
        #expect(report.log.contains("0: exit"))
        #expect(
            report.measurements.contains(
                Measurement("verifier.instructions", subject: "enqueue", value: 34, unit: "instructions")))
        #expect(report.measurements.contains { $0.name == "machine.boot" && $0.value == 2e9 })
    }

    @Test func aRefusalHasItsPlace() {
        let violation = Violation(
            check: "verifier", message: "the kernel's verifier refuses 'enqueue': R1 is null", load: "enqueue",
            file: "a.bpf.c", line: 7, text: "p->x = 1;")
        let run = Self.run([.violation(violation), .done(.failed)])
        let report = Verdicts.kernel(MachineRun(load: run), shape: .twoCPUs)
        #expect(report.verdict == .failed)
        #expect(report.findings.first?.location == SourceLocation(file: "a.bpf.c", line: 7, text: "p->x = 1;"))
        #expect(report.findings.first?.operation == "enqueue")
        #expect(report.checks.first?.verdict == .refuted)
    }

    @Test func withoutAVerdictNothingHasPassed() {
        let report = Self.dynamic(Self.run(Self.attached))
        #expect(report.verdict == .unable)
        #expect(report.findings.first?.message.contains("without a verdict during 'load' (hogs)") == true)
    }

    @Test func aSchedulerInChargeAnswersForSilence() {
        let timedOut = Self.dynamic(Self.run(Self.attached, exit: CommandExit(.signal(9), timedOut: true)))
        #expect(timedOut.verdict == .failed)
        #expect(timedOut.findings.first?.check == "guest")
        let silent = Self.dynamic(
            Self.run(Self.attached, exit: nil), error: MachineError(.timedOut, "'dynamic' took longer than 130 s"))
        #expect(silent.verdict == .failed)
        #expect(silent.findings.first?.message == "the machine stopped answering during 'load' (hogs)")
    }

    @Test func aMachineWithoutASchedulerIsOurs() {
        let silent = Self.dynamic(
            Self.run([], exit: nil), error: MachineError(.timedOut, "'dynamic' took longer than 130 s"))
        #expect(silent.verdict == .unable)
        let notBooted = Verdicts.kernel(
            MachineRun(error: MachineError(.timedOut, "booting the machine took longer than 60 s")), shape: .twoCPUs)
        #expect(notBooted.verdict == .unable)
        #expect(notBooted.findings.first?.message == "booting the machine took longer than 60 s")
    }

    @Test func aPanicIsTheCandidatesAndTheAgentsDeathIsNot() {
        let panic =
            "[   12.3] BUG: scheduling while atomic\n[   12.3][  T1] Kernel panic - not syncing: Fatal exception\n"
        let lost = MachineError(.stopped, "the machine has ended")
        let report = Self.dynamic(Self.run(Self.attached, exit: nil), error: lost, console: panic)
        #expect(report.verdict == .failed)
        #expect(report.findings.first?.check == "kernel-log")
        #expect(report.findings.first?.detail.contains("scheduling while atomic") == true)
        let death = "[    9.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000004\n"
        #expect(Self.dynamic(Self.run(Self.attached, exit: nil), error: lost, console: death).verdict == .unable)
        // A machine that ends without a word has been tried again before it comes to this.
        #expect(Self.dynamic(Self.run(Self.attached, exit: nil), error: lost).verdict == .failed)
        #expect(Self.dynamic(Self.run([], exit: nil), error: lost).verdict == .unable)
        let fault = MachineError(.emulatorFault, "the emulator's")
        #expect(Self.dynamic(Self.run(Self.attached, exit: nil), error: fault).verdict == .unable)
    }

    @Test func aComplaintOfTheKernelRefuses() {
        let run = Self.run(
            Self.attached + [
                .kernelLog("WARNING: CPU: 1 PID: 7 at kernel/sched/ext.c:100"),
                .kernelLog("WARNING: CPU: 1 PID: 7 at drivers/pci/x.c:1"), .kernelLog("hello"), .done(.passed),
            ])
        let report = Self.dynamic(run)
        #expect(report.verdict == .failed)
        #expect(report.findings.map(\.check) == ["kernel-log"])
    }

    @Test func aWarningDoesNotRefuse() {
        let run = Self.run([
            .violation(Violation(check: "fairness", severity: .warning, message: "12 % off")), .done(.passed),
        ])
        let report = Self.dynamic(run)
        #expect(report.verdict == .passed)
        #expect(report.findings.map(\.severity) == [.warning])
    }

    @Test func oneMachineThatRefusesIsEnough() {
        func part(_ verdict: StageReport.Verdict, _ message: String) -> StageReport {
            StageReport(
                .dynamic, verdict, findings: [Finding(stage: .dynamic, check: "starvation", message: message)],
                nanoseconds: 5)
        }
        let merged = Verdicts.merged([part(.passed, "a"), part(.failed, "b"), part(.unable, "b")])
        #expect(merged.verdict == .failed)
        #expect(merged.findings.map(\.message) == ["a", "b"])
        #expect(merged.nanoseconds == 15)
        #expect(Verdicts.merged([part(.passed, "a"), part(.unable, "b")]).verdict == .unable)
        #expect(Verdicts.merged([]).verdict == .skipped)
    }

    @Test func whatAGuestSaysIsBounded() {
        var transcript = TrialTranscript()
        for index in 0..<(TrialTranscript.maximumRecords + 10) {
            transcript.add(.violation(Violation(check: "c", message: "\(index)")))
        }
        transcript.add(.kernelLog("too late"))
        transcript.add(.done(.failed))
        #expect(transcript.violations.count == TrialTranscript.maximumViolations)
        #expect(transcript.kernelLog.isEmpty)
        #expect(transcript.verdict == .failed)
    }
}
