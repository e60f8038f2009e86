/// The operations of `sched_ext_ops_cid` by the names that they have in `sched_ext_ops`: the same in the same places, with
/// cids for CPU numbers, cmasks for cpumasks, and the cgroups' CPU controller for cgroups.
enum OperationName {
    private static let renamed = [
        "select_cid": "select_cpu", "set_cmask": "set_cpumask", "dump_cid": "dump_cpu", "cid_online": "cpu_online",
        "cid_offline": "cpu_offline",
    ]

    static func withCPUs(_ name: String) -> String {
        if let renamed = renamed[name] { return renamed }
        return name.hasPrefix("cpuctl_") ? "cgroup_" + name.dropFirst("cpuctl_".count) : name
    }
}
