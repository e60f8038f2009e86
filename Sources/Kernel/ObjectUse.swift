import CLibBPF
package import Model

/// What a loaded object's programs call and what maps they have: for the rules to judge.
package struct ObjectUse: Hashable, Sendable {
    package var kernelFunctions: Set<String> = []
    package var helpers: Set<String> = []
    package var mapTypes: Set<String> = []
    /// The names of its programs with the number of their instructions, in the order of the file.
    package var programs: [Program] = []

    package struct Program: Hashable, Sendable {
        package let name: String
        package let instructions: Int
    }

    /// Calls by which a program gets at the memory of processes.
    package static let userMemoryCalls: Set<String> = [
        "bpf_probe_read", "bpf_probe_read_str", "bpf_probe_read_user", "bpf_probe_read_user_str", "bpf_copy_from_user",
        "bpf_copy_from_user_task", "bpf_copy_from_user_str", "bpf_copy_from_user_task_str", "bpf_probe_write_user",
        "bpf_copy_from_user_dynptr", "bpf_copy_from_user_str_dynptr", "bpf_copy_from_user_task_dynptr",
        "bpf_copy_from_user_task_str_dynptr", "bpf_probe_read_user_dynptr", "bpf_probe_read_user_str_dynptr",
    ]

    package var readsUserMemory: Bool {
        !helpers.isDisjoint(with: Self.userMemoryCalls) || !kernelFunctions.isDisjoint(with: Self.userMemoryCalls)
    }
}

extension LoadedScheduler {
    /// Reads the instructions as they went to the kernel: subprograms included, kernel functions by their number in its BTF.
    package borrowing func use(abi: KernelABI) throws(Failure) -> ObjectUse {
        guard let btf = btf__load_vmlinux_btf() else {
            throw Failure(.kernelUnsupported, "the kernel's BTF cannot be read")
        }
        defer { btf__free(btf) }
        let types = TypeTable(btf: btf)
        var use = ObjectUse()
        for map in handle.maps() where bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS {
            // SAFETY: a string constant of libbpf's, or NULL for a number that it does not know.
            let name = libbpf_bpf_map_type_str(bpf_map__type(map)).map { String(cString: $0) }
            use.mapTypes.insert(name ?? "map-type-\(bpf_map__type(map).rawValue)")
        }
        for program in handle.programs() {
            let count = Int(bpf_program__insn_cnt(program))
            use.programs.append(.init(name: String(cString: bpf_program__name(program)), instructions: count))
            guard let instructions = bpf_program__insns(program) else { continue }
            // SAFETY: libbpf keeps `count` instructions behind the pointer as long as the object is open.
            for instruction in UnsafeBufferPointer(start: instructions, count: count)
            where instruction.code == Self.call {
                Self.note(instruction, in: &use, abi, types)
            }
        }
        return use
    }

    /// BPF_JMP | BPF_CALL, and what `src_reg` makes of it (include/uapi/linux/bpf.h).
    private static let call: UInt8 = 0x85
    private static let pseudoKernelFunction: UInt8 = 2

    private static func note(
        _ instruction: bpf_insn, in use: inout ObjectUse, _ abi: KernelABI, _ types: TypeTable
    ) {
        if instruction.src_reg == 0 {
            use.helpers.insert(abi.helpers[instruction.imm] ?? "helper-\(instruction.imm)")
        } else if instruction.src_reg == pseudoKernelFunction {
            // An offset other than 0 names the BTF of a module, which is not the one that was read.
            let name = instruction.off == 0 && instruction.imm > 0 ? types.name(of: UInt32(instruction.imm)) : ""
            use.kernelFunctions.insert(name.isEmpty ? "module-function-\(instruction.imm)" : name)
        }
    }
}
