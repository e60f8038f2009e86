import BPFObject
import Model

/// Which of sched_ext's functions may be called from where. From kernel/sched/ext of Linux 7.3: the kernel's verifier
/// decides by the operation that the program implements; whatever a program calls or hands over counts as its own.
enum KernelFunctionGroup: Hashable {
    case enqueue, dispatch, cpuRelease, selectCPU, unlocked, initialCIDs

    private static let members: [KernelFunctionGroup: Set<String>] = [
        .enqueue: [
            "scx_bpf_dsq_insert", "scx_bpf_dsq_insert___v2", "__scx_bpf_dsq_insert_vtime", "scx_bpf_dsq_insert_vtime",
            "scx_bpf_dispatch", "scx_bpf_dispatch_vtime",
        ],
        .dispatch: [
            "scx_bpf_dispatch_nr_slots", "scx_bpf_dispatch_cancel", "scx_bpf_dsq_move_to_local",
            "scx_bpf_dsq_move_to_local___v2", "scx_bpf_consume", "scx_bpf_dsq_move_set_slice",
            "scx_bpf_dsq_move_set_vtime", "scx_bpf_dsq_move", "scx_bpf_dsq_move_vtime", "scx_bpf_sub_dispatch",
        ],
        .cpuRelease: ["scx_bpf_reenqueue_local"],
        .selectCPU: ["__scx_bpf_select_cpu_and", "scx_bpf_select_cpu_and", "scx_bpf_select_cpu_dfl"],
        .unlocked: [
            "scx_bpf_create_dsq", "scx_bpf_dsq_move_set_slice", "scx_bpf_dsq_move_set_vtime", "scx_bpf_dsq_move",
            "scx_bpf_dsq_move_vtime", "__scx_bpf_select_cpu_and", "scx_bpf_select_cpu_and", "scx_bpf_select_cpu_dfl",
        ],
        .initialCIDs: ["scx_bpf_cid_override"],
    ]

    /// The groups of a function; empty for one that may be called anywhere.
    static func groups(of name: String) -> Set<KernelFunctionGroup> {
        Set(members.filter { $0.value.contains(name) }.keys)
    }

    static let sleeping: Set = ["scx_bpf_create_dsq", "scx_bpf_cid_override"]

    /// Operations that may sleep.
    private static let sleepableOperations: Set = [
        "init_task", "cgroup_init", "cgroup_exit", "cgroup_prep_move", "cgroup_set_bandwidth", "cpu_online",
        "cpu_offline", "init_cids", "init", "exit", "sub_attach", "sub_detach",
    ]

    private static let unlockedOperations: Set = [
        "init_task", "dump", "cgroup_init", "cgroup_exit", "cgroup_prep_move", "cgroup_cancel_move",
        "cgroup_set_weight", "cgroup_set_bandwidth", "cgroup_set_idle", "sub_attach", "sub_detach", "cpu_online",
        "cpu_offline", "init", "exit",
    ]

    static func maySleep(_ operation: String) -> Bool {
        sleepableOperations.contains(OperationName.withCPUs(operation))
    }

    /// What a table of cids may not call: cids and CPU numbers are too easily taken for each other.
    static let cpuOnly: Set = [
        "scx_bpf_kick_cpu", "scx_bpf_task_cpu", "scx_bpf_cpu_curr", "scx_bpf_cpu_node", "scx_bpf_cpuperf_cap",
        "scx_bpf_cpuperf_cur", "scx_bpf_cpuperf_set", "scx_bpf_get_possible_cpumask", "scx_bpf_get_online_cpumask",
        "scx_bpf_put_cpumask", "scx_bpf_select_cpu_dfl", "__scx_bpf_select_cpu_and", "scx_bpf_select_cpu_and",
        "scx_bpf_get_idle_cpumask", "scx_bpf_get_idle_cpumask_node", "scx_bpf_get_idle_smtmask",
        "scx_bpf_get_idle_smtmask_node", "scx_bpf_put_idle_cpumask", "scx_bpf_test_and_clear_cpu_idle",
        "scx_bpf_pick_idle_cpu", "scx_bpf_pick_idle_cpu_node", "scx_bpf_pick_any_cpu", "scx_bpf_pick_any_cpu_node",
    ]

    static func permitted(in operation: String) -> Set<KernelFunctionGroup> {
        let operation = OperationName.withCPUs(operation)
        return switch operation {
        case "select_cpu", "enqueue": [.selectCPU, .enqueue]
        case "dispatch", "sub_ecaps_updated": [.enqueue, .dispatch]
        case "cpu_release": [.cpuRelease]
        case "init_cids": [.unlocked, .initialCIDs]
        default: unlockedOperations.contains(operation) ? [.unlocked] : []
        }
    }
}

extension StaticJudge {
    mutating func judgeContext() {
        for entry in entries {
            judgeSleep(entry)
            for call in entry.calls {
                switch call.target {
                case .kernel(let name, let isAvailable):
                    let complaint =
                        isAvailable
                        ? self.complaint(name, call, entry)
                        : "\(name)() is called without a test whether this kernel has it, and it has not"
                    guard let complaint else { continue }
                    let (location, path, detail) = place(of: call)
                    report(
                        "kfunc-context", complaint, operation: entry.name, location: location, path: path,
                        detail: detail)
                case .poison:
                    let (location, path, detail) = place(of: call)
                    report(
                        "kfunc-context", "a type or field is used here that this kernel does not have",
                        operation: entry.name, location: location, path: path, detail: detail)
                case .helper: break
                }
            }
        }
        conclude("kfunc-context", applies: !entries.isEmpty)
    }

    private mutating func judgeSleep(_ entry: StaticReach) {
        guard entry.table.hasPrefix("sched_ext_ops"), object.functions[entry.function].isSleepable,
            !KernelFunctionGroup.maySleep(entry.name)
        else { return }
        report(
            "kfunc-context", "\(entry.name) is declared sleepable, which this operation may not be",
            operation: entry.name, location: object.functions[entry.function].location(at: 0))
    }

    /// What is wrong with a call; nil where nothing is.
    private func complaint(_ name: String, _ call: StaticReach.Call, _ entry: StaticReach) -> String? {
        let groups = KernelFunctionGroup.groups(of: name)
        if entry.table.isEmpty { return programComplaint(name, groups, entry) }
        guard entry.table.hasPrefix("sched_ext_ops") else {
            return name.hasPrefix("scx_bpf_") && isFiltered
                ? "\(name)() is called from \(entry.name) of \(entry.table), which is no scheduler" : nil
        }
        if entry.table == OperationsTable.placesType, KernelFunctionGroup.cpuOnly.contains(name) {
            return "\(name)() may not be called by a scheduler that counts CPUs by their place (cids)"
        }
        guard !groups.isEmpty else { return nil }
        if KernelFunctionGroup.sleeping.contains(name), !call.maySleep {
            return call.chain.contains { $0.isCallback } && object.functions[entry.function].isSleepable
                ? "\(name)() may sleep, and a timer's function may not"
                : "\(name)() may sleep, and \(entry.name) is not declared as an operation that may"
        }
        // Before Linux 7.1 the kernel looked while the function ran, and permitted other places for these.
        if !isFiltered, groups.contains(.selectCPU) { return nil }
        guard groups.isDisjoint(with: KernelFunctionGroup.permitted(in: entry.name)) else { return nil }
        return "\(name)() may not be called from \(entry.name)"
            + (call.chain.contains { $0.isCallback } ? ", nor from a function that it hands over" : "")
    }

    /// Of a program that is no operation, such as a tracepoint's or a system call's.
    private func programComplaint(
        _ name: String, _ groups: Set<KernelFunctionGroup>, _ entry: StaticReach
    ) -> String? {
        guard !groups.isEmpty, isFiltered else { return nil }
        let section = object.functions[entry.function].section
        if section == "syscall", !groups.isDisjoint(with: [.unlocked, .selectCPU]) { return nil }
        return "\(name)() may not be called from a program of the kind '\(section)'"
    }

    /// The kernel decides when it loads the program.
    private var isFiltered: Bool { object.kernel.id(named: "scx_kfunc_context_filter", .function) != nil }
}
