/// What the kernel says of sched_ext at one moment: /sys/kernel/sched_ext, read and not remembered.
package struct KernelState: Hashable, Sendable {
    /// The file `state`: enabling, enabled, disabling, disabled. Empty on a kernel without sched_ext.
    package var state: String
    /// The file `root/ops`: the name of the scheduler that is loaded; empty when none is.
    package var ops: String
    /// How often a scheduler was enabled since boot: it tells one loading of a scheduler from the next.
    package var enableSequence: UInt64
    /// Tasks whose policy was refused by the scheduler since it was loaded.
    package var rejected: UInt64
    /// Are all tasks on sched_ext, not only those of SCHED_EXT?
    package var switchAll: Bool
    package var supported: Bool

    package init(
        supported: Bool, state: String = "", ops: String = "", enableSequence: UInt64 = 0, rejected: UInt64 = 0,
        switchAll: Bool = false
    ) {
        self.supported = supported
        self.state = state
        self.ops = ops
        self.enableSequence = enableSequence
        self.rejected = rejected
        self.switchAll = switchAll
    }

    /// A scheduler decides now, or is about to, or is being removed.
    package var isOccupied: Bool { supported && !state.isEmpty && state != "disabled" }

    package enum Owner: Hashable, Sendable { case none, ours, foreign }

    /// Whose scheduler is it, if the last one that we attached had this sequence number?
    package func owner(ourSequence: UInt64?) -> Owner {
        guard isOccupied else { return .none }
        return ourSequence == enableSequence ? .ours : .foreign
    }
}

/// One fact about a machine that SchedCP depends on, and what to do where it does not hold.
package struct Check: Hashable, Sendable {
    package enum Verdict: String, Sendable { case found, missing, warning }

    package var name: String
    package var verdict: Verdict
    /// What was seen.
    package var found: String
    /// What to do; empty where nothing has to be done.
    package var remedy: String

    package init(_ name: String, _ verdict: Verdict, _ found: String, remedy: String = "") {
        self.name = name
        self.verdict = verdict
        self.found = found
        self.remedy = remedy
    }
}
