import GuestProtocol
import Kernel
import Model
import Testing

@testable import Torture

@Suite(.timeLimit(.minutes(5))) struct JudgeTests {
    private static let second: UInt64 = 1_000_000_000
    private let judge = Judge(cpus: 2)

    private func seen(_ change: (inout Observation) -> Void = { _ in }) -> Observation {
        var seen = Observation(load: "sample", tasks: 6)
        seen.elapsed = 1_200_000_000
        seen.loaded = 1_000_000_000
        seen.idleShare = 0.1
        seen.progress = [1: 10]
        change(&seen)
        return seen
    }

    private func checks(_ seen: Observation, _ expected: Expectations = Expectations(), _ judge: Judge? = nil)
        -> [String]
    {
        (judge ?? self.judge).judge(seen, expected).map(\.violation.check)
    }

    private func waits(_ longest: UInt64, idle: UInt64 = 0, idleLongest: UInt64 = 0, group: Int = 1) -> WaitFigures {
        WaitFigures(
            group: group, waits: 10, total: longest * 2, longest: longest, idleTotal: idle, idleLongest: idleLongest)
    }

    @Test func aQuietLoadGivesNoComplaint() {
        #expect(checks(seen()).isEmpty)
    }

    @Test func theBoundGrowsWithTasksAndWithTheHostsPauses() {
        #expect(judge.bound(tasks: 6, hostStall: 0) == 5_000_000_000)
        #expect(judge.bound(tasks: 1000, hostStall: 0) == 40_000_000_000)
        #expect(judge.bound(tasks: 6, hostStall: 1_000_000_000) == 7_000_000_000)
        #expect(Judge(cpus: 0).bound(tasks: 1, hostStall: 0) == 5_000_000_000)
    }

    @Test func aLostTaskIsCertainAndIsTheOnlyComplaint() throws {
        let task = WaitingTask(process: 77, name: "~1", group: 1, cpus: 0b11, runs: 3, waited: 6 * Self.second)
        let complaints = judge.judge(
            seen {
                $0.stuck = [task]
                $0.starved = [task]
                $0.figures = [waits(6 * Self.second, idle: 5 * Self.second, idleLongest: 5 * Self.second)]
            }, Expectations())
        let only = try #require(complaints.first)
        #expect(complaints.count == 1)
        #expect(only.violation.check == "never-ran" && only.isCertain)
        #expect(only.violation.message.contains("process 77"))
        #expect(only.violation.message.contains("6.0 s"))
    }

    @Test func aTaskBoundToOneCPUIsNamedWithIt() throws {
        let task = WaitingTask(process: 5, name: "~2", group: 2, nice: 10, cpus: 0b10, waited: 7 * Self.second)
        let complaint = try #require(judge.judge(seen { $0.starved = [task] }, Expectations()).first)
        #expect(complaint.violation.check == "starvation" && complaint.isCertain)
        #expect(complaint.violation.message.contains("nice 10, bound to CPU 1"))
    }

    @Test func idleCPUsBesideWaitingTasksCount() {
        #expect(checks(seen { $0.figures = [waits(Self.second / 3, idle: Self.second)] }) == ["work-conservation"])
        #expect(
            checks(
                seen {
                    $0.loaded = 10_000_000_000
                    $0.figures = [waits(3 * Self.second, idle: 2 * Self.second, idleLongest: 2 * Self.second)]
                }) == ["work-conservation"])
        // Of several groups together.
        #expect(
            checks(
                seen {
                    $0.figures = [
                        waits(Self.second / 3, idle: Self.second / 2), waits(1, idle: Self.second / 2, group: 2),
                    ]
                }) == ["work-conservation"])
        #expect(checks(seen { $0.figures = [waits(Self.second / 5, idle: Self.second / 5)] }).isEmpty)
    }

    @Test func whoDoesNotPromiseToKeepCPUsBusyIsOnlyWarned() throws {
        var options = TortureOptions()
        options.promises = ["work_conserving": "false"]
        let idle = seen { $0.figures = [waits(Self.second / 3, idle: Self.second)] }
        let complaints = judge.judge(idle, Expectations(), tolerating: options.tolerated)
        #expect(complaints.map(\.violation.severity) == [.warning])
        #expect(judge.judge(idle, Expectations(), tolerating: []).map(\.violation.severity) == [.error])
        // It may not let anybody starve all the same.
        let task = WaitingTask(process: 5, name: "x", group: 1, nice: 0, cpus: 1, waited: 7 * Self.second)
        let starved = judge.judge(seen { $0.starved = [task] }, Expectations(), tolerating: options.tolerated)
        #expect(starved.map(\.violation.severity) == [.error])
    }

    @Test func manyTasksMayWaitTogetherForACPUThatWakesLate() {
        let idle = [waits(5_000_000, idle: Self.second / 2)]
        #expect(
            checks(
                seen {
                    $0.tasks = 100
                    $0.figures = idle
                }
            ).isEmpty)
        var strict = Expectations()
        strict.idleShareBound = 0.15
        #expect(
            checks(seen { $0.figures = [waits(5_000_000, idle: Self.second / 5)] }, strict) == ["work-conservation"])
    }

    @Test func onlyWhoIsClearlyWorseThanTheDefaultSchedulerLeavesCPUsIdle() {
        func verdict(_ own: [Double], _ other: [Double], isNoisy: Bool = false) -> Violation.Severity? {
            judge.leavesIdle(candidate: own, other: other, bound: 0.15, isNoisy: isNoisy)
        }
        #expect(verdict([0.3, 0.25, 0.4, 0.2, 0.3], [0.01, 0, 0.05, 0.02, 0]) == .error)
        // The host is as slow for both.
        #expect(verdict([0.3, 0.25, 0.4, 0.2], [0.2, 0.3, 0.1, 0.2]) == nil)
        #expect(verdict([0.3, 0.01, 0.4, 0.2], [0.01, 0, 0.05, 0.02]) == nil)
        #expect(verdict([0.1, 0.1, 0.1, 0.1], [0, 0, 0, 0]) == nil)
        #expect(verdict([0.5, 0.5], [0, 0]) == nil)
    }

    @Test func onAMachineThatTheHostMayNotRunAtOnceOnlyTheGrossIsAnError() {
        func verdict(_ own: [Double], _ other: [Double]) -> Violation.Severity? {
            judge.leavesIdle(candidate: own, other: other, bound: 0.15, isNoisy: true)
        }
        #expect(verdict([0.3, 0.25, 0.4, 0.2, 0.3], [0.01, 0, 0.05, 0.02, 0]) == .warning)
        #expect(verdict([6, 7, 5, 6, 6], [0.01, 0.12, 0.02, 0, 0]) == .error)
        #expect(verdict([0.3, 0.25], [0, 0]) == nil)
    }

    @Test func idleCPUsDoNotCountWhereTheLoadOrTheHostExplainsThem() {
        let idle = [waits(Self.second / 2, idle: Self.second)]
        var expected = Expectations()
        expected.keepsBusy = false
        #expect(checks(seen { $0.figures = idle }, expected).isEmpty)
        #expect(
            checks(
                seen {
                    $0.figures = idle
                    $0.hostStall = 300_000_000
                }
            ).isEmpty)
    }

    @Test func fairnessIsAskedOnlyOfThoseWhoPromiseIt() {
        var expected = Expectations()
        expected.shares = [1: 1024, 2: 335]
        let unfair = seen { $0.cpuTimes = [1: [300_000_000, 300_000_000], 2: [300_000_000, 280_000_000]] }
        let fair = seen { $0.cpuTimes = [1: [300_000_000, 320_000_000], 2: [110_000_000, 90_000_000]] }
        let promised = Judge(cpus: 2, isFairByWeight: true)
        #expect(checks(unfair, expected).isEmpty)
        #expect(checks(unfair, expected, promised) == ["fairness"])
        #expect(checks(fair, expected, promised).isEmpty)
        let nothing = seen { $0.cpuTimes = [1: [300_000_000], 2: [0]] }
        #expect(checks(nothing, expected, promised) == ["fairness"])
    }

    @Test func lightTasksDoNotGetSeveralTimesWhatHeavyOnesGet() {
        var expected = Expectations()
        expected.order = [1, 2]
        #expect(checks(seen { $0.cpuTimes = [1: [50_000_000], 2: [200_000_000]] }, expected) == ["fairness"])
        #expect(checks(seen { $0.cpuTimes = [1: [80_000_000], 2: [200_000_000]] }, expected).isEmpty)
        #expect(checks(seen { $0.cpuTimes = [1: [50_000_000], 2: [200_000_000]] }).isEmpty)
        #expect(checks(seen { $0.cpuTimes = [2: [200_000_000]] }, expected).isEmpty)
    }

    @Test func failedForksHaveToBeSeenTwice() {
        let complaints = judge.judge(seen { $0.failedForks = 3 }, Expectations())
        #expect(complaints.map(\.violation.check) == ["rejected"] && complaints.allSatisfy { !$0.isCertain })
    }

    @Test func anEjectionIsCertainAndCarriesTheKernelsWords() throws {
        let info = ExitInfo(kind: .stall, reason: "runnable task stall", message: "~1[12] failed to run for 2.0s")
        let complaint = try #require(
            judge.judge(seen { $0.departure = .init(info: info) }, Expectations()).first)
        #expect(complaint.violation.check == "ejected" && complaint.isCertain)
        #expect(complaint.violation.message.contains("failed to run for 2.0s"))
    }

    @Test func aRestartForHotplugIsNoFaultWhereCPUsComeAndGo() {
        let restart = ExitInfo(kind: .unregisteredFromKernel, code: 1 << 48 | 1 << 32)
        var expected = Expectations()
        expected.mayRestart = true
        #expect(checks(seen { $0.departure = .init(info: restart) }, expected).isEmpty)
        #expect(checks(seen { $0.departure = .init(info: restart) }) == ["ejected"])
        let error = ExitInfo(kind: .error, code: 1 << 48 | 1 << 32)
        #expect(checks(seen { $0.departure = .init(info: error) }, expected) == ["hotplug"])
        let byItself = ExitInfo(kind: .unregisteredFromBPF, code: 0)
        #expect(checks(seen { $0.departure = .init(info: byItself) }, expected) == ["hotplug"])
    }

    @Test func withoutExitInformationTheKernelsLogDecides() {
        let restart = "sched_ext: BPF scheduler \"x\" disabled (unregistered from the main kernel)"
        let error = "sched_ext: BPF scheduler \"x\" disabled (runtime error)"
        var expected = Expectations()
        expected.mayRestart = true
        #expect(checks(seen { $0.departure = .init(info: nil, line: restart) }, expected).isEmpty)
        #expect(checks(seen { $0.departure = .init(info: nil, line: error) }, expected) == ["hotplug"])
        #expect(checks(seen { $0.departure = .init(info: nil, line: "") }) == ["ejected"])
    }

    @Test func restlessCPUsAreSeenOnlyWhereNothingHasToRun() {
        var expected = Expectations()
        expected.isIdle = true
        #expect(checks(seen { $0.idleShare = 0.2 }, expected) == ["idle"])
        #expect(checks(seen { $0.idleShare = 0.8 }, expected).isEmpty)
        #expect(checks(seen { $0.idleShare = 0.2 }).isEmpty)
    }

    @Test func aLoadThatDoesNotEndIsHungOrUnfinished() throws {
        let hung = try #require(judge.judge(seen { $0.hung = true }, Expectations()).first)
        #expect(hung.violation.check == "hung" && hung.isCertain)
        let slow = try #require(judge.judge(seen { $0.unfinished = true }, Expectations()).first)
        #expect(slow.violation.check == "hung" && !slow.isCertain)
    }

    @Test func refusedTasksAndAKernelThatComplainsAreCertain() {
        #expect(checks(seen { $0.rejected = 2 }) == ["rejected"])
        #expect(checks(seen { $0.kernelLog = ["BUG: unable to handle page fault"] }) == ["kernel-log"])
        #expect(checks(seen { $0.kernelLog = ["process 325 (~3) no longer affine to cpu1"] }).isEmpty)
    }

    @Test func aWaitNearTheWatchdogIsAWarning() throws {
        let strict = Judge(cpus: 2, watchdogMilliseconds: 1000)
        let complaint = try #require(
            strict.judge(seen { $0.figures = [waits(700_000_000)] }, Expectations()).first)
        #expect(complaint.violation.check == "stall" && complaint.violation.severity == .warning)
        #expect(checks(seen { $0.figures = [waits(700_000_000)] }).isEmpty)
    }

    @Test func whoGetsNothingDoneForLongIsStarved() {
        var expected = Expectations()
        expected.progress = [1]
        #expect(
            checks(
                seen {
                    $0.progress = [1: 0]
                    $0.loaded = 6_000_000_000
                }, expected) == ["starvation"])
        #expect(checks(seen { $0.progress = [1: 0] }, expected).isEmpty)
    }
}
