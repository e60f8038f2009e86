import CLibBPF

/// The plain fields of a `struct sched_ext_ops` in an object that is not loaded yet, found through its BTF.
struct OpsFields {
    // SAFETY: libbpf's memory of the map; the object that owns it outlives this view, and every access is bounded by `size`.
    private let memory: UnsafeMutableRawPointer
    private let size: Int
    private let members: [TypeTable.Member]
    private let types: TypeTable

    /// Default of the kernel for `exit_dump_len` 0 (SCX_EXIT_DUMP_DFL_LEN in kernel/sched/ext).
    private static let defaultDumpLength: UInt32 = 32768
    private static let maxDumpLength: UInt32 = 1 << 20

    init?(map: OpaquePointer, types: TypeTable?) {
        var size = 0
        guard let types, let memory = bpf_map__initial_value(map, &size) else { return nil }
        self.memory = memory
        self.size = size
        self.types = types
        members = types.members(of: types.resolve(bpf_map__btf_value_type_id(map)))
    }

    /// `name[128]` up to its NUL.
    var name: String {
        guard let member = members.first(where: { $0.name == "name" }) else { return "" }
        let length = min(types.size(of: member.type), size - member.offset)
        guard member.offset >= 0, length > 0 else { return "" }
        // SAFETY: offset and length were just bounded by the size of the map's memory.
        let bytes = UnsafeRawBufferPointer(start: memory + member.offset, count: length)
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Bytes that the scheduler's exit dump may need.
    var dumpLength: UInt32 {
        let asked = value("exit_dump_len").map { UInt32(truncatingIfNeeded: $0) } ?? 0
        return asked == 0 ? Self.defaultDumpLength : min(asked, Self.maxDumpLength)
    }

    func value(_ name: String) -> UInt64? {
        guard let (offset, size) = place(name) else { return nil }
        // SAFETY: `place` gives only ranges inside the memory.
        return (0..<size).reduce(0) { value, index in
            value | UInt64(memory.load(fromByteOffset: offset + index, as: UInt8.self)) << (8 * UInt64(index))
        }
    }

    mutating func set(_ name: String, to value: UInt64) {
        guard let (offset, size) = place(name) else { return }
        for index in 0..<size {
            // SAFETY: as above.
            memory.storeBytes(
                of: UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))), toByteOffset: offset + index,
                as: UInt8.self)
        }
    }

    private func place(_ name: String) -> (offset: Int, size: Int)? {
        guard let member = members.first(where: { $0.name == name }) else { return nil }
        let width = types.size(of: member.type)
        guard (1...8).contains(width), member.offset >= 0, member.offset + width <= size else { return nil }
        return (member.offset, width)
    }
}
