import CLibBPF
import Model

/// BTF, read through libbpf: names, members and enumerators. A view; the owner of the `struct btf` outlives it.
struct TypeTable {
    /// BTF_KIND_DATASEC; headers define it as a macro and as an enumerator at once.
    private static let dataSection: UInt32 = 15

    let btf: OpaquePointer

    init(btf: OpaquePointer) { self.btf = btf }

    /// The types of an open object; nil when it carries none.
    init?(object: OpaquePointer) {
        guard let btf = bpf_object__btf(object) else { return nil }
        self.btf = btf
    }

    // SAFETY: the type lies in the `struct btf`, which its owner keeps; libbpf gives NULL for an id that it does not have.
    func type(_ id: UInt32) -> UnsafePointer<btf_type>? { btf__type_by_id(btf, id) }

    func string(_ offset: UInt32) -> String {
        btf__name_by_offset(btf, offset).map { String(cString: $0) } ?? ""
    }

    func name(of id: UInt32) -> String { type(id).map { string($0.pointee.name_off) } ?? "" }

    /// The id behind typedefs and qualifiers; bounded, because the object may be hostile.
    func resolve(_ id: UInt32) -> UInt32 {
        var id = id
        for _ in 0..<32 {
            guard let type = type(id) else { return id }
            switch Int(btf_kind(type)) {
            case BTF_KIND_TYPEDEF, BTF_KIND_CONST, BTF_KIND_VOLATILE, BTF_KIND_RESTRICT, BTF_KIND_TYPE_TAG:
                id = type.pointee.type
            default: return id
            }
        }
        return id
    }

    struct Variable {
        let name: String
        /// Of the type behind qualifiers and typedefs.
        let type: UInt32
        let offset: Int
        let size: Int
    }

    /// The variables of a data section such as `.rodata`.
    func variables(inSection section: String) -> [Variable] {
        let id = btf__find_by_name_kind(btf, section, Self.dataSection)
        guard id > 0, let type = type(UInt32(id)), let entries = btf_var_secinfos(type) else { return [] }
        // SAFETY: libbpf has checked the section's length against the BTF when it parsed it.
        return (0..<Int(btf_vlen(type))).compactMap { index in
            let entry = entries[index]
            guard let variable = self.type(entry.type) else { return nil }
            return Variable(
                name: string(variable.pointee.name_off), type: resolve(variable.pointee.type),
                offset: Int(entry.offset), size: Int(entry.size))
        }
    }

    /// A structure by its name.
    func structure(_ name: String) -> UInt32? {
        let id = btf__find_by_name_kind(btf, name, UInt32(BTF_KIND_STRUCT))
        return id > 0 ? UInt32(id) : nil
    }

    struct Member {
        let name: String
        let type: UInt32
        let offset: Int
    }

    /// The members of a struct, offsets in bytes; empty when `id` is none.
    func members(of id: UInt32) -> [Member] {
        guard let type = type(id), Int(btf_kind(type)) == BTF_KIND_STRUCT, let members = btf_members(type) else {
            return []
        }
        // SAFETY: as above.
        return (0..<Int(btf_vlen(type))).map { index in
            Member(
                name: string(members[index].name_off), type: resolve(members[index].type),
                offset: Int(btf_member_bit_offset(type, UInt32(index))) / 8)
        }
    }

    /// Is there a timer or a work item somewhere in a value of this type? Bounded: the object may be hostile.
    func holdsTimer(_ id: UInt32, depth: Int = 8) -> Bool {
        let id = resolve(id)
        guard depth > 0, let type = type(id) else { return false }
        if ["bpf_timer", "bpf_wq", "bpf_task_work"].contains(name(of: id)) { return true }
        switch UInt32(btf_kind(type)) {
        case UInt32(BTF_KIND_STRUCT), UInt32(BTF_KIND_UNION):
            guard let members = btf_members(type) else { return false }
            // SAFETY: libbpf has checked the number of members against the BTF's length.
            return (0..<Int(btf_vlen(type))).contains { holdsTimer(members[$0].type, depth: depth - 1) }
        case UInt32(BTF_KIND_ARRAY):
            // SAFETY: behind an array's type is its description, which libbpf has checked as well.
            return btf_array(type).map { holdsTimer($0.pointee.type, depth: depth - 1) } ?? false
        case Self.dataSection:
            return variables(inSection: name(of: id)).contains { holdsTimer($0.type, depth: depth - 1) }
        default: return false
        }
    }

    func size(of id: UInt32) -> Int { max(0, Int(btf__resolve_size(btf, id))) }

    /// The parameter type that an integer of the object is; nil for anything else.
    func parameterType(of id: UInt32) -> ParameterType? {
        guard let type = type(id), Int(btf_kind(type)) == BTF_KIND_INT else { return nil }
        let encoding = Int32(btf_int_encoding(type))
        if encoding & BTF_INT_BOOL != 0 { return .bool }
        let isSigned = encoding & BTF_INT_SIGNED != 0
        return ParameterType.allCases.first {
            $0 != .bool && $0.size == Int(type.pointee.size) && $0.isSigned == isSigned
        }
    }
}
