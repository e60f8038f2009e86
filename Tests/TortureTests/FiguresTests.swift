import Kernel
import Model
import Testing

@testable import Torture

@Suite(.timeLimit(.minutes(5))) struct FiguresTests {
    @Test func quantilesAreTheUpperEndsOfTheirBuckets() {
        var figures = WaitFigures(group: 1, waits: 100, longest: 900_000, buckets: [UInt64](repeating: 0, count: 32))
        #expect(figures.quantile(0.5) == 0)
        figures.buckets[3] = 90
        figures.buckets[9] = 10
        #expect(figures.quantile(0.5) == 16_000)
        #expect(figures.quantile(0.9) == 16_000)
        // Bucket 9 ends at 1024 µs, and nothing waited so long.
        #expect(figures.quantile(0.99) == 900_000)
    }

    @Test func groupsAddUp() {
        let a = WaitFigures(
            group: 1, waits: 2, total: 10, longest: 7, longestProcess: 1, idleTotal: 3, idleLongest: 2, buckets: [1, 1])
        let b = WaitFigures(
            group: 2, waits: 1, total: 9, longest: 9, longestProcess: 2, idleTotal: 1, idleLongest: 1,
            buckets: [0, 0, 1])
        let sum = a.adding(b)
        #expect(sum.waits == 3 && sum.total == 19 && sum.longest == 9 && sum.longestProcess == 2)
        #expect(sum.idleTotal == 4 && sum.idleLongest == 2 && sum.buckets == [1, 1, 1])
    }

    @Test func equalPairsGiveOneAndANarrowInterval() throws {
        let same = try #require(PairedRatio.estimate([(2, 2), (3, 3), (5, 5)]))
        #expect(same.value == 1 && same.low == 1 && same.high == 1)
    }

    @Test func theIntervalIsStudentsOfTheLogarithms() throws {
        let ratio = try #require(PairedRatio.estimate([(1, 1), (2, 1), (4, 1)]))
        // Mean of 0, 1 and 2 binary orders; deviation 1, three pairs, t = 4.303.
        #expect(abs(ratio.value - 2) < 1e-9)
        let low = try #require(ratio.low)
        let high = try #require(ratio.high)
        #expect(abs(low * high - 4) < 1e-6)
        #expect(abs(high - 11.19) < 0.05)
    }

    @Test func onePairHasNoIntervalAndNothingHasNoRatio() throws {
        let one = try #require(PairedRatio.estimate([(3, 2)]))
        #expect(one.value == 1.5 && one.low == nil && one.high == nil)
        #expect(PairedRatio.estimate([]) == nil)
        #expect(PairedRatio.estimate([(1, 0)]) == nil)
    }

    @Test func linesOfTheKernelsLogAreWeighed() {
        #expect(
            KernelLog.text(ofRecord: Array("4,339,5140900,-;sched_ext: hello\n SUBSYSTEM=x\n".utf8)[...])
                == "sched_ext: hello")
        #expect(KernelLog.text(ofRecord: Array("no record".utf8)[...]) == nil)
        #expect(KernelLog.weight(of: "watchdog: BUG: soft lockup - CPU#1 stuck for 22s!") == .fault)
        #expect(KernelLog.weight(of: "WARNING: CPU: 0 PID: 1 at kernel/sched/ext.c:10 x+0x1/0x2") == .fault)
        #expect(KernelLog.weight(of: "clocksource: Marking clocksource tsc unstable") == .other)
        #expect(KernelLog.weight(of: "sched_ext: BPF scheduler \"fifo\" enabled") == .told)
    }

    @Test func theDumpIsReadOutOfTheTrace() {
        let trace = """
            # tracer: nop
                 kworker/0:1-10  [000] d..1.   12.0: sched_ext_dump: CPU 0   : nr_run=1
              swapper/0-0        [000] d..1.   12.1: sched_ext_dump:   R ~1[12] -100ms
              swapper/0-0        [000] d..1.   12.1: sched_switch: other
            """
        #expect(SchedulerDump.text(ofTrace: trace) == "CPU 0   : nr_run=1\n  R ~1[12] -100ms\n")
        #expect(SchedulerDump.text(ofTrace: "nothing\n") == nil)
    }
}
