// Torture: what a candidate is put through in the guest of a trial. Run by schedcp-guest as root in a micro-VM that is
// thrown away. It attaches the candidate through Kernel, forks workers, moves CPUs, cgroups and policies about, and
// judges from outside the scheduler: by the run queue probe, by /sys/kernel/sched_ext and by its own clock, all read by a
// process that runs in the real-time class and so needs nothing of the candidate. One thread; workers are copies of it.

package import Model

/// What the dynamic stage is asked to do.
package struct TortureOptions: Hashable, Sendable {
    package var effort: Effort = .quick
    /// The machine's shape as the host calls it; only for what is reported.
    package var shape: String = ""
    package var settings: [Setting] = []
    package var hints: [Hint] = []
    /// The map that each kind of hint is written to.
    package var hintMaps: [Hint.Kind: String] = [.process: "hint_comm", .cgroup: "hint_cgroup"]
    /// What the candidate promises, such as `fair_by_weight`.
    package var promises: [String: String] = [:]
    /// Only these loads; empty for those of the effort.
    package var loads: [String] = []
    /// Checks that the rules make warnings or notes, or leave out.
    package var toleratedByRules: Set<String> = []
    /// The comparison with the default scheduler can be left out.
    package var measuresPerformance = true

    package init() {}

    /// Loads last longer on the first machine of the full effort, which is also the one where it is compared with the
    /// default scheduler. The other machines are there for what depends on where CPUs are: that shows as soon there as in
    /// the quick effort; twice the time on all of them would be minutes.
    package var isThorough: Bool { effort == .full && measuresPerformance }

    /// Does it promise to share CPU time by nice weight?
    package var isFairByWeight: Bool { promises["fair_by_weight"] == "true" }

    /// Checks whose findings are no reason to refuse the candidate. Every scheduler is taken to keep CPUs busy while tasks
    /// wait, unless it says that it does not.
    package var tolerated: Set<String> {
        promises["work_conserving"] == "false" ? toleratedByRules.union(["work-conservation"]) : toleratedByRules
    }
}
