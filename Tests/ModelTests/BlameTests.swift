import Model
import TestSupport
import Testing

/// Whose fault an ejection was, by the kernel's words.
@Suite struct BlameTests {
    static func dump(_ schedulingClass: String, on cpu: Int = 1, waiting: String = "bash[77]") -> String {
        """
        fifo_1.0: root
        watchdog[12] triggered exit kind 1026 on CPU 0:
          runnable task stall (bash[77] failed to run for 2.048s)

        CPU states
        ----------

        CPU 0   : nr_run=1 flags=0x1 cpu_rel=0 ksync=5
                  curr=kworker/0:1[9] class=ext_sched_class

          R other[5] *root -3ms
              scx_state/flags=3/0x9 dsq_flags=0x0 ops_state/qseq=0/12

        CPU \(cpu)   : nr_run=1 flags=0x1 cpu_rel=0 ksync=5
                  curr=big hog[4321] class=\(schedulingClass)

         *R \(waiting) *root -2048ms
              scx_state/flags=3/0x9 dsq_flags=0x0 ops_state/qseq=0/12
        """
    }

    static func stall(_ dump: String, _ message: String = "bash[77] failed to run for 2.048s") -> ExitInfo {
        ExitInfo(kind: .stall, reason: "runnable task stall", message: message, dump: dump)
    }

    @Test(arguments: ["rt_sched_class", "dl_sched_class", "stop_sched_class"])
    func aTaskOfAHigherClassOnTheSameCPUIsToBlame(_ name: String) {
        let blame = Blame.judge(Self.stall(Self.dump(name)))
        #expect(blame == .hog(process: "big hog", pid: 4321, cpu: 1, schedulingClass: name))
        #expect(blame.summary.contains("big hog[4321]") && blame.summary.contains(name))
    }

    @Test(arguments: ["ext_sched_class", "idle_sched_class", "fair_sched_class", "", "rt_sched_class_x"])
    func anyOtherClassIsNoExcuse(_ name: String) {
        #expect(Blame.judge(Self.stall(Self.dump(name))) == .scheduler)
    }

    @Test func aHogElsewhereIsNoExcuse() {
        #expect(Blame.judge(Self.stall(Self.dump("rt_sched_class", waiting: "make[78]"))) == .scheduler)
        #expect(Blame.judge(Self.stall(Self.dump("rt_sched_class"), "other[5] failed to run for 9.000s")) == .scheduler)
    }

    /// What a scheduler adds to the dump comes after the kernel's own line of a CPU, and does not count.
    @Test func aSchedulerCannotTalkItselfOut() {
        let forged = Self.dump("ext_sched_class").replacing(
            "\n\n *R bash", with: "\n          curr=hog[1] class=rt_sched_class\n\n *R bash")
        #expect(forged.contains("curr=hog[1]"))
        #expect(Blame.judge(Self.stall(forged)) == .scheduler)
    }

    @Test func whatIsNoStallIsJudgedByItsKind() {
        for kind in [ExitInfo.Kind.error, .errorFromBPF, .other(1030)] {
            #expect(Blame.judge(ExitInfo(kind: kind, dump: Self.dump("rt_sched_class"))) == .scheduler)
        }
        for kind in [ExitInfo.Kind.sysrq, .unregistered, .unregisteredFromKernel, .parent, .none] {
            #expect(Blame.judge(ExitInfo(kind: kind)) == .outside)
        }
    }

    @Test(arguments: 0..<20) func damagedDumpsNeverExcuse(seed: UInt64) {
        var random = Seeded(seed)
        let whole = Array(Self.dump("rt_sched_class").utf8)
        for _ in 0..<200 {
            var bytes = whole
            for _ in 0...random.below(8) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
            bytes = Array(bytes.prefix(random.below(bytes.count + 1)))
            let blame = Blame.judge(Self.stall(String(decoding: bytes, as: UTF8.self)))
            // Either it is still plainly there, or it is no excuse.
            if blame != .scheduler { #expect(String(decoding: bytes, as: UTF8.self).contains("class=")) }
        }
        #expect(Blame.judge(Self.stall("", random.text(200))) == .scheduler)
    }
}

@Suite struct RestoreTests {
    @Test func theWaitDoublesUpToFiveMinutes() {
        let seconds = (1...12).map { RestoreIntent.delay(attempt: $0) / 1_000_000_000 }
        #expect(seconds == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
        #expect(RestoreIntent.delay(attempt: 0) == 1_000_000_000)
        #expect(RestoreIntent.delay(attempt: .max) == 300_000_000_000)
        #expect(RestoreIntent.delay(attempt: .min) == 1_000_000_000)
    }
}
