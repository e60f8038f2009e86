import MicroVM
import Model

/// A machine as the guest sees it.
struct TrialShape: Hashable, Sendable {
    /// As in subjects of measurements and in the guest's `--shape`.
    let name: String
    /// For a person.
    let title: String
    let topology: Topology

    /// The first one also does the kernel stage.
    static func all(for effort: Effort) -> [TrialShape] { effort == .quick ? [twoCPUs] : [twoCPUs] + others }

    static let twoCPUs = TrialShape(name: "2-cpus", title: "two CPUs", topology: Topology(cpus: 2))

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
