package import Kernel
package import Model

/// What the judge saw of one load; the verdict is a function of this and of what the load expects.
package struct Observation: Hashable, Sendable {
    package var load: String
    package var tasks: Int
    /// Nanoseconds from the first worker to the last one's end.
    package var elapsed: Int64 = 0
    /// Of those, the time while workers ran undisturbed.
    package var loaded: Int64 = 0
    /// Nanoseconds by which the judge itself, a real-time task, was late: the host did not run the guest.
    package var hostStall: Int64 = 0
    package var figures: [WaitFigures] = []
    /// Tasks that waited longer than the bound while the load lasted, each at its longest.
    package var starved: [WaitingTask] = []
    /// Tasks that still waited when everybody else was gone and the judge gave up.
    package var stuck: [WaitingTask] = []
    /// The load did not end, and no waiting task explains it.
    package var hung = false
    /// The load's own work was not done within its time.
    package var unfinished = false
    /// Why the scheduler was gone before the load was over; nil while it was there.
    package var departure: Departure?
    package var rejected: UInt64 = 0
    /// Forks that failed.
    package var failedForks: UInt64 = 0
    /// Share of the CPUs' time that was idle while the load ran.
    package var idleShare = 0.0
    /// The least progress of a worker, by group.
    package var progress: [Int: UInt64] = [:]
    /// What all workers of a group got done.
    package var work: [Int: UInt64] = [:]
    /// From the first start to the last end of workers that wrote both down, nanoseconds; 0 where none did.
    package var makespan: UInt64 = 0
    /// CPU time of a group's workers, nanoseconds.
    package var cpuTimes: [Int: [UInt64]] = [:]
    package var kernelLog: [String] = []

    package init(load: String, tasks: Int) {
        self.load = load
        self.tasks = tasks
    }

    /// How a scheduler ended.
    package struct Departure: Hashable, Sendable {
        package var info: ExitInfo?
        /// The kernel's own words in its log, where the scheduler keeps no exit information.
        package var line: String

        package init(info: ExitInfo?, line: String = "") {
            self.info = info
            self.line = line
        }

        /// SCX_ECODE_ACT_RESTART and SCX_ECODE_RSN_HOTPLUG of kernel/sched/ext.
        private static let actRestart: Int64 = 1 << 48
        private static let reasonHotplug: Int64 = 1 << 32

        /// CPUs came or went, and the kernel asks for the scheduler to be started again.
        package var isHotplugRestart: Bool {
            guard let info else { return !isError && line.contains("main kernel") }
            return !info.kind.isError && info.code & Self.actRestart != 0 && info.code & Self.reasonHotplug != 0
        }

        package var isError: Bool {
            info?.kind.isError ?? ["runtime error", "stall", "scx_bpf_error"].contains { line.contains($0) }
        }

        package var summary: String {
            if let info { return info.summary }
            return line.isEmpty ? "it gave no reason" : line
        }
    }

    /// Time that tasks waited beside idle CPUs, all together, as a share of the load's time.
    package var idleShareOfWaits: Double { loaded > 0 ? Double(whole.idleTotal) / Double(loaded) : 0 }

    /// All groups as one.
    package var whole: WaitFigures { figures.reduce(WaitFigures(group: 0)) { $0.adding($1) } }
}
