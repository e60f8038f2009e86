/// What a helper or a kernel function does beyond scheduling.
enum HelperUse: String {
    case readsUser = "reads the memory of a process"
    case writesUser = "writes into the memory of a process"
    case prints = "writes into the kernel's trace buffer"
    case signals = "sends signals"
    case overrides = "changes what a kernel function returns"
    case loads = "loads or opens other BPF objects"

    /// The helpers that have a meaning here, by number.
    static let names: [Int32: String] = [
        1: "bpf_map_lookup_elem", 2: "bpf_map_update_elem", 3: "bpf_map_delete_elem", 4: "bpf_probe_read",
        5: "bpf_ktime_get_ns", 6: "bpf_trace_printk", 7: "bpf_get_prandom_u32", 8: "bpf_get_smp_processor_id",
        12: "bpf_tail_call", 14: "bpf_get_current_pid_tgid", 15: "bpf_get_current_uid_gid", 16: "bpf_get_current_comm",
        25: "bpf_perf_event_output", 27: "bpf_get_stackid", 35: "bpf_get_current_task", 36: "bpf_probe_write_user",
        45: "bpf_probe_read_str", 58: "bpf_override_return", 67: "bpf_get_stack", 80: "bpf_get_current_cgroup_id",
        87: "bpf_map_push_elem", 88: "bpf_map_pop_elem", 89: "bpf_map_peek_elem", 93: "bpf_spin_lock",
        94: "bpf_spin_unlock", 109: "bpf_send_signal", 112: "bpf_probe_read_user", 113: "bpf_probe_read_kernel",
        114: "bpf_probe_read_user_str", 115: "bpf_probe_read_kernel_str", 117: "bpf_send_signal_thread",
        125: "bpf_ktime_get_boot_ns", 130: "bpf_ringbuf_output", 131: "bpf_ringbuf_reserve", 132: "bpf_ringbuf_submit",
        141: "bpf_get_task_stack", 147: "bpf_d_path", 148: "bpf_copy_from_user", 149: "bpf_snprintf_btf",
        153: "bpf_per_cpu_ptr", 154: "bpf_this_cpu_ptr", 156: "bpf_task_storage_get", 157: "bpf_task_storage_delete",
        158: "bpf_get_current_task_btf", 164: "bpf_for_each_map_elem", 165: "bpf_snprintf", 166: "bpf_sys_bpf",
        167: "bpf_btf_find_by_name_kind", 168: "bpf_sys_close", 169: "bpf_timer_init", 170: "bpf_timer_set_callback",
        171: "bpf_timer_start", 172: "bpf_timer_cancel", 177: "bpf_trace_vprintk", 179: "bpf_kallsyms_lookup_name",
        180: "bpf_find_vma", 181: "bpf_loop", 191: "bpf_copy_from_user_task", 194: "bpf_kptr_xchg",
        195: "bpf_map_lookup_percpu_elem", 209: "bpf_user_ringbuf_drain", 210: "bpf_cgrp_storage_get",
        211: "bpf_cgrp_storage_delete",
    ]

    static func ofHelper(_ number: Int32) -> HelperUse? {
        switch number {
        case 112, 114, 148, 191: .readsUser
        case 36: .writesUser
        case 6, 177: .prints
        case 109, 117: .signals
        case 58: .overrides
        case 166, 168: .loads
        default: nil
        }
    }

    static func ofFunction(_ name: String) -> HelperUse? {
        if name.hasPrefix("bpf_copy_from_user") || name.hasPrefix("bpf_probe_read_user") { return .readsUser }
        if name.hasPrefix("bpf_send_signal") { return .signals }
        return nil
    }
}

/// The kinds of maps as the rules name them.
enum MapKind {
    private static let names: [UInt32: String] = [
        1: "hash", 2: "array", 3: "prog_array", 4: "perf_event_array", 5: "percpu_hash", 6: "percpu_array",
        7: "stack_trace", 8: "cgroup_array", 9: "lru_hash", 10: "lru_percpu_hash", 11: "lpm_trie", 12: "array_of_maps",
        13: "hash_of_maps", 14: "devmap", 15: "sockmap", 16: "cpumap", 17: "xskmap", 18: "sockhash",
        19: "cgroup_storage", 22: "queue", 23: "stack", 24: "sk_storage", 25: "devmap_hash", 26: "struct_ops",
        27: "ringbuf", 28: "inode_storage", 29: "task_storage", 30: "bloom_filter", 31: "user_ringbuf",
        32: "cgrp_storage", 33: "arena",
    ]

    static func name(_ type: UInt32) -> String { names[type] ?? "type-\(type)" }
}
