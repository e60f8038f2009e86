import BPFObject
import Model

/// The table of operations: what the kernel refuses before anything runs.
extension StaticJudge {
    /// The kernel's limit in all versions, in ms.
    private static let longestTimeout: UInt64 = 30_000

    mutating func judgeTimeout() {
        defer { conclude("timeout", applies: table != nil) }
        guard let timeout = table?.numbers["timeout_ms"], timeout > 0 else { return }
        if timeout > Self.longestTimeout {
            report(
                "timeout", "timeout_ms is \(timeout); the kernel accepts at most \(Self.longestTimeout)",
                location: place(of: "timeout_ms"))
        } else if timeout < 500 {
            report(
                "timeout", "timeout_ms is \(timeout): a short burst of load is enough to end the scheduler",
                severity: .warning, location: place(of: "timeout_ms"))
        }
    }

    mutating func judgeFlags() {
        defer { conclude("ops-flags", applies: table != nil) }
        guard let table else { return }
        judgeName(table)
        let flags = table.numbers["flags"] ?? 0
        func has(_ name: String) -> Bool { flags & (object.kernelConstant(name) ?? 0) != 0 }
        let tracksIdle = table.functions["update_idle"] == nil || has("SCX_OPS_KEEP_BUILTIN_IDLE")
        var complaints: [String] = []
        if let all = object.kernelConstant("SCX_OPS_ALL_FLAGS"), flags & ~all != 0 {
            complaints.append("flags has 0x\(String(flags & ~all, radix: 16)), which this kernel does not know")
        }
        if has("SCX_OPS_ENQ_LAST"), table.functions["enqueue"] == nil {
            complaints.append("SCX_OPS_ENQ_LAST needs the operation enqueue, which is missing")
        }
        if has("SCX_OPS_BUILTIN_IDLE_PER_NODE"), !tracksIdle {
            complaints.append(
                "SCX_OPS_BUILTIN_IDLE_PER_NODE needs the kernel's tracking of idle CPUs, which update_idle replaces")
        }
        for complaint in complaints { report("ops-flags", complaint, location: place(of: "flags")) }
        judgeForm(table)
        judgeIdleCalls(tracksIdle: tracksIdle, isPerNode: has("SCX_OPS_BUILTIN_IDLE_PER_NODE"))
    }

    /// The two forms of the table: with numbers of CPUs, and with their places in the topology (cids).
    private mutating func judgeForm(_ table: OperationsTable) {
        let knowsPlaces = object.kernel.id(named: OperationsTable.placesType, .structure) != nil
        if table.countsPlaces, !knowsPlaces {
            report("ops-flags", "this kernel does not know the cid form of the operations")
        }
        guard !table.countsPlaces, knowsPlaces else { return }
        for name in ["sub_attach", "sub_detach"] where table.functions[name] != nil {
            report(
                "ops-flags", "\(name) needs the cid form of the operations", operation: name,
                location: place(of: name))
        }
    }

    /// Copied by the kernel as an object's name is.
    private mutating func judgeName(_ table: OperationsTable) {
        guard let name = table.strings["name"] else { return }
        let map = object.maps.indices.contains(table.map) ? object.maps[table.map] : nil
        var complaint: String?
        if name.isEmpty {
            complaint = "name is empty; the kernel wants one"
        } else if let size = map?.variable(named: "name")?.size, name.utf8.count >= size {
            complaint = "name does not end within its \(size) bytes"
        } else if !name.utf8.allSatisfy({
            ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5F || $0 == 0x2E
        }) {
            complaint = "name may have letters, digits, '_' and '.' only"
        }
        if let complaint { report("ops-flags", complaint, location: place(of: "name")) }
    }

    /// Functions that end the scheduler where idle CPUs are not tracked by the kernel.
    private static let needTracking: Set = [
        "scx_bpf_select_cpu_dfl", "scx_bpf_select_cpu_and", "__scx_bpf_select_cpu_and", "scx_bpf_get_idle_cpumask",
        "scx_bpf_get_idle_smtmask", "scx_bpf_pick_idle_cpu", "scx_bpf_test_and_clear_cpu_idle",
    ]
    /// Functions that end the scheduler where they are tracked by NUMA node.
    private static let needOneNode: Set = [
        "scx_bpf_get_idle_cpumask", "scx_bpf_get_idle_smtmask", "scx_bpf_pick_idle_cpu", "scx_bpf_pick_any_cpu",
    ]
    /// Functions that end the scheduler where they are not.
    private static let needNodes: Set = [
        "scx_bpf_get_idle_cpumask_node", "scx_bpf_get_idle_smtmask_node", "scx_bpf_pick_idle_cpu_node",
        "scx_bpf_pick_any_cpu_node",
    ]

    private mutating func judgeIdleCalls(tracksIdle: Bool, isPerNode: Bool) {
        for entry in entries where entry.table.hasPrefix("sched_ext_ops") {
            for call in entry.calls {
                guard case .kernel(let name, true) = call.target else { continue }
                let reason: String
                if !tracksIdle, Self.needTracking.contains(name) {
                    reason =
                        "update_idle replaces the kernel's tracking of idle CPUs, without which \(name)() ends the "
                        + "scheduler; SCX_OPS_KEEP_BUILTIN_IDLE keeps it"
                } else if isPerNode, Self.needOneNode.contains(name) {
                    reason = "with SCX_OPS_BUILTIN_IDLE_PER_NODE \(name)() ends the scheduler; use \(name)_node()"
                } else if !isPerNode, Self.needNodes.contains(name) {
                    reason = "without SCX_OPS_BUILTIN_IDLE_PER_NODE \(name)() ends the scheduler"
                } else {
                    continue
                }
                let (location, path, detail) = place(of: call)
                report("ops-flags", reason, operation: entry.name, location: location, path: path, detail: detail)
            }
        }
    }
}
