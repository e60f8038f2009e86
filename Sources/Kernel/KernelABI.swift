import CLibBPF
package import Model

/// What the running kernel's own BTF says of the sched_ext ABI.
package struct KernelABI: Sendable {
    /// The enumerators of every `enum scx_*`, by name.
    package let enumerators: [String: UInt64]
    /// Enumerators whose upper half the BTF does not carry (it was made without 64-bit enums).
    package let truncated: Set<String>
    /// The names of BPF's helper functions by number, as `bpf_map_lookup_elem`.
    package let helpers: [Int32: String]

    /// Reads /sys/kernel/btf/vmlinux. Some 20 ms; the types themselves are freed again.
    package static func read() throws(Failure) -> KernelABI {
        guard let btf = btf__load_vmlinux_btf() else {
            throw Failure(
                .kernelUnsupported, "the kernel's BTF cannot be read",
                hint: "it is /sys/kernel/btf/vmlinux, there with CONFIG_DEBUG_INFO_BTF=y")
        }
        defer { btf__free(btf) }
        let types = TypeTable(btf: btf)
        var enumerators: [String: UInt64] = [:]
        var truncated: Set<String> = []
        var helpers: [Int32: String] = [:]
        for id in 1..<max(2, btf__type_cnt(btf)) {
            guard let type = types.type(id) else { continue }
            let kind = Int(btf_kind(type))
            guard kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64 else { continue }
            let name = types.string(type.pointee.name_off)
            if name == "bpf_func_id" { helpers = Self.helperNames(type, types) }
            guard name.hasPrefix("scx_") else { continue }
            // SAFETY: libbpf has checked the number of enumerators against the BTF's length.
            for index in 0..<Int(btf_vlen(type)) {
                if kind == BTF_KIND_ENUM64, let values = btf_enum64(type) {
                    enumerators[types.string(values[index].name_off)] = btf_enum64_value(values + index)
                } else if kind == BTF_KIND_ENUM, let values = btf_enum(type) {
                    let name = types.string(values[index].name_off)
                    enumerators[name] = UInt64(UInt32(bitPattern: values[index].val))
                    if type.pointee.size == 8 { truncated.insert(name) }
                }
            }
        }
        return KernelABI(enumerators: enumerators, truncated: truncated, helpers: helpers)
    }

    /// `enum bpf_func_id` has BPF_FUNC_name for each.
    private static func helperNames(_ type: UnsafePointer<btf_type>, _ types: TypeTable) -> [Int32: String] {
        guard let values = btf_enum(type) else { return [:] }
        var names: [Int32: String] = [:]
        // SAFETY: as in `read`.
        for index in 0..<Int(btf_vlen(type)) {
            let name = types.string(values[index].name_off)
            if name.hasPrefix("BPF_FUNC_") { names[values[index].val] = "bpf_" + name.dropFirst("BPF_FUNC_".count) }
        }
        return names
    }

    package init(enumerators: [String: UInt64], truncated: Set<String>, helpers: [Int32: String] = [:]) {
        self.enumerators = enumerators
        self.truncated = truncated
        self.helpers = helpers
    }
}
