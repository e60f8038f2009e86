import GuestProtocol
import MicroVM
import Model
import Testing

@testable import Trials

@Suite(.timeLimit(.minutes(5)))
struct TriesTests {
    private let passed = MachineRun(dynamic: VerdictTests.run(VerdictTests.attached + [.done(.passed)]))
    private let failed = MachineRun(dynamic: VerdictTests.run(VerdictTests.attached + [.done(.failed)]))
    private let silent = MachineRun(
        dynamic: VerdictTests.run(VerdictTests.attached, exit: nil), error: MachineError(.timedOut, "no answer"))
    private let fault = MachineRun(error: MachineError(.emulatorFault, "the emulator's"))

    /// How many of these runs are made, and the silences before the last of them.
    private func tries(_ runs: [MachineRun]) -> (count: Int, silences: Int) {
        var tries = Tries()
        for (index, run) in runs.enumerated() {
            let silences = tries.silences
            if tries.reasonForAnother(after: run) == nil { return (index + 1, silences) }
        }
        return (runs.count + 1, tries.silences)
    }

    @Test func aVerdictIsNotAskedForTwice() {
        #expect(tries([passed, failed]) == (1, 0))
        #expect(tries([failed, passed]) == (1, 0))
    }

    @Test func theEmulatorsFaultIsTriedThreeTimes() {
        #expect(tries([fault, passed]) == (2, 0))
        #expect(tries([fault, fault, fault, passed]) == (3, 0))
    }

    @Test func silenceHasToBeFollowedByTwoGoodRuns() {
        #expect(tries([silent, passed, passed, failed]) == (3, 1))
        #expect(tries([silent, passed, failed]) == (3, 1))
    }

    @Test func silenceTwiceIsTheCandidates() {
        #expect(tries([silent, silent, passed]) == (2, 1))
        #expect(tries([silent, passed, silent]) == (3, 1))
        #expect(tries([silent, failed, passed]) == (2, 1))
    }

    @Test func whatIsExplainedIsNoSilence() {
        var panicked = silent
        panicked.console = "[ 1.0] Kernel panic - not syncing: x\n"
        #expect(tries([panicked, passed]) == (1, 0))
        var accused = silent
        accused.dynamic = VerdictTests.run(
            VerdictTests.attached + [.violation(Violation(check: "starvation", message: "x"))], exit: nil)
        #expect(tries([accused, passed]) == (1, 0))
    }

    @Test func aGoodEndAfterSilenceIsSaid() {
        var run = passed
        run.silences = 1
        let report = Verdicts.dynamic(run, shape: .twoCPUs)
        #expect(report.verdict == .passed)
        #expect(report.findings.map(\.severity) == [.warning])
    }
}
