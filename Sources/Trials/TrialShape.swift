import MicroVM
import Model

/// A machine as the guest sees it.
struct TrialShape: Hashable, Sendable {
    /// As in subjects of measurements and in the guest's `--shape`.
    let name: String
    /// For a person.
    let title: String
    let topology: Topology

    /// The first one also does the kernel stage, every load and the comparison with the default scheduler.
    static func all(for effort: Effort) -> [TrialShape] { effort == .quick ? [twoCPUs] : [twoCPUs] + others }

    static let twoCPUs = TrialShape(name: "2-cpus", title: "two CPUs", topology: Topology(cpus: 2))

    /// The loads of the machines after the first: those whose course depends on where CPUs are, not only on how a
    /// scheduler treats a task. All loads on all machines would take twice the time and show nothing more.
    func loads(fairByWeight: Bool) -> [String] {
        let one = [
            "nice-levels", "cpu-hogs", "starvation", "sleepers", "pipes", "fork-storm", "short-tasks", "pinned",
            "changes",
            "cgroups", "idle", "batch",
        ]
        return one + (fairByWeight ? ["fair-shares"] : []) + (topology.cpus > 1 ? ["spare-cpus", "hotplug"] : [])
    }

    private static let others = [
        TrialShape(name: "1-cpu", title: "one CPU", topology: Topology(cpus: 1)),
        TrialShape(name: "4-cpus", title: "four CPUs", topology: Topology(cpus: 4)),
        TrialShape(
            name: "smt", title: "two cores of two threads", topology: Topology(sockets: 1, cores: 2, threads: 2)),
        TrialShape(
            name: "two-llcs", title: "two last-level caches of two CPUs", topology: Topology(sockets: 2, cores: 2)),
        TrialShape(
            name: "two-nodes", title: "two NUMA nodes of two CPUs",
            topology: Topology(sockets: 2, cores: 2, numaNodes: 2)),
    ]
}
