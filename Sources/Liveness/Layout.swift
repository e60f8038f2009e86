import BPFObject

/// Where the target kernel keeps what the checks look at, and its constants.
struct Layout {
    /// Offsets in `task_struct`; nil where this kernel has no such member.
    var cpusPointer: Int64?
    var cpusMask: Int64?
    var virtualTime: Int64?
    var slice: Int64?
    var weight: Int64?
    var taskFlags: Int64?
    var pid: Int64?
    var cpuCount: Int64?
    var migrationDisabled: Int64?
    /// Members that say how important a task is, and do not change with time.
    var ranks: Set<Int64> = []
    /// In the arguments of the kernel's vtime insert: `dsq_id`, `slice`, `vtime`, `enq_flags`.
    var insertArguments: [String: Int64] = [:]

    var builtIn: UInt64 = 1 << 63
    var localOn: UInt64 = 3 << 62
    var global: UInt64 = 1 << 63 | 1
    var local: UInt64 = 1 << 63 | 2
    var invalid: UInt64 = 1 << 63
    var infiniteSlice: UInt64 = .max
    var preemptFlag: UInt64 = 0

    init(_ kernel: BTF) {
        let task = kernel.id(named: "task_struct", .structure)
        func offset(_ path: String...) -> Int64? { task.flatMap { Self.offset(kernel, $0, path) } }
        cpusPointer = offset("cpus_ptr")
        cpusMask = offset("cpus_mask")
        virtualTime = offset("scx", "dsq_vtime")
        slice = offset("scx", "slice")
        weight = offset("scx", "weight")
        taskFlags = offset("flags")
        pid = offset("pid")
        cpuCount = offset("nr_cpus_allowed")
        migrationDisabled = offset("migration_disabled")
        for path in [
            ["scx", "weight"], ["static_prio"], ["prio"], ["normal_prio"], ["rt_priority"], ["policy"], ["flags"],
        ] {
            if let task, let offset = Self.offset(kernel, task, path) { ranks.insert(offset) }
        }
        if let arguments = kernel.id(named: "scx_bpf_dsq_insert_vtime_args", .structure) {
            for member in kernel.members(of: arguments) { insertArguments[member.name] = Int64(member.byteOffset) }
        }
        func constant(_ name: String, _ fallback: UInt64) -> UInt64 { kernel.enumerator(named: name) ?? fallback }
        builtIn = constant("SCX_DSQ_FLAG_BUILTIN", builtIn)
        localOn = constant("SCX_DSQ_LOCAL_ON", localOn)
        global = constant("SCX_DSQ_GLOBAL", global)
        local = constant("SCX_DSQ_LOCAL", local)
        invalid = constant("SCX_DSQ_INVALID", invalid)
        infiniteSlice = constant("SCX_SLICE_INF", infiniteSlice)
        preemptFlag = constant("SCX_KICK_PREEMPT", preemptFlag)
    }

    /// Through anonymous members too.
    private static func offset(_ kernel: BTF, _ structure: BTF.TypeID, _ path: [String]) -> Int64? {
        var current = structure
        var sum: Int64 = 0
        for name in path {
            guard let (offset, type) = member(kernel, kernel.resolve(current), name, depth: 0) else { return nil }
            sum += offset
            current = type
        }
        return sum
    }

    private static func member(
        _ kernel: BTF, _ structure: BTF.TypeID, _ name: String, depth: Int
    ) -> (Int64, BTF.TypeID)? {
        guard depth < 6 else { return nil }
        for member in kernel.members(of: structure) {
            if member.name == name { return (Int64(member.byteOffset), member.type) }
            guard member.name.isEmpty else { continue }
            if let (offset, type) = self.member(kernel, kernel.resolve(member.type), name, depth: depth + 1) {
                return (offset + Int64(member.byteOffset), type)
            }
        }
        return nil
    }
}
