import CLibBPF
package import Linux
package import Model

/// Where an object keeps its `struct user_exit_info` (the scx convention): found by type, not by name.
package struct ExitLayout: Hashable, Sendable {
    struct Field: Hashable, Sendable {
        let offset: Int
        let size: Int
    }

    let kind: Field
    let code: Field?
    let reason: Field?
    let message: Field?
    /// The whole structure, to clear it before another attach.
    let whole: Field
    /// The section with the dump, such as `.data.uei_dump`, and the `.rodata` variable with its length.
    let dumpSection: String?
    let dumpLengthVariable: String?

    init?(types: TypeTable) {
        let variables = types.variables(inSection: ".data")
        guard let variable = variables.first(where: { types.name(of: $0.type) == "user_exit_info" }) else { return nil }
        let members = types.members(of: variable.type)
        func field(_ name: String) -> Field? {
            members.first { $0.name == name }.map {
                Field(offset: variable.offset + $0.offset, size: types.size(of: $0.type))
            }
        }
        guard let kind = field("kind"), kind.size == 4 else { return nil }
        self.kind = kind
        code = field("exit_code")
        reason = field("reason")
        message = field("msg")
        whole = Field(offset: variable.offset, size: variable.size)
        let section = ".data.\(variable.name)_dump"
        dumpSection = types.variables(inSection: section).isEmpty ? nil : section
        let length = "\(variable.name)_dump_len"
        dumpLengthVariable =
            types.variables(inSection: ".rodata").contains { $0.name == length && $0.size == 4 } ? length : nil
    }

    /// Decodes a copy of the `.data` section; nil as long as the scheduler has not exited.
    func decode(_ data: [UInt8], dump: [UInt8]) -> ExitInfo? {
        let value = Int32(truncatingIfNeeded: integer(kind, in: data))
        guard value != 0 else { return nil }
        return ExitInfo(
            kind: ExitInfo.Kind(rawValue: value), code: code.map { integer($0, in: data) } ?? 0,
            reason: reason.map { text($0, in: data) } ?? "", message: message.map { text($0, in: data) } ?? "",
            dump: String(decoding: dump.prefix { $0 != 0 }, as: UTF8.self))
    }

    private func integer(_ field: Field, in data: [UInt8]) -> Int64 {
        guard field.offset >= 0, field.size <= 8, field.offset + field.size <= data.count else { return 0 }
        return data[field.offset..<(field.offset + field.size)].reversed().reduce(Int64(0)) { $0 << 8 | Int64($1) }
    }

    private func text(_ field: Field, in data: [UInt8]) -> String {
        guard field.offset >= 0, field.offset + field.size <= data.count else { return "" }
        return String(decoding: data[field.offset..<(field.offset + field.size)].prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// The maps through which an attached scheduler tells why it ended.
package final class ExitSource: Sendable {
    package let data: SharedDescriptor
    package let dump: SharedDescriptor?
    let layout: ExitLayout

    package init(data: SharedDescriptor, dump: SharedDescriptor?, layout: ExitLayout) {
        self.data = data
        self.dump = dump
        self.layout = layout
    }

    /// Why it ended; nil while it has not, or when the map cannot be read.
    package func read() -> ExitInfo? {
        guard let bytes = MapValue.read(data.raw) else { return nil }
        return layout.decode(bytes, dump: dump.flatMap { MapValue.read($0.raw) } ?? [])
    }

    /// Forgets an earlier end. Only while the scheduler is detached: nothing else writes to the section then.
    func clear() {
        guard var bytes = MapValue.read(data.raw) else { return }
        let end = min(bytes.count, layout.whole.offset + layout.whole.size)
        for index in max(0, layout.whole.offset)..<max(0, end) { bytes[index] = 0 }
        var zero: UInt32 = 0
        bpf_map_update_elem(data.raw, &zero, bytes, 0)
    }
}

/// The only element of a data section's map.
enum MapValue {
    /// A section larger than this is not read.
    private static let limit = 4 << 20

    struct Shape {
        let type: UInt32
        let key: Int
        let value: Int
        let entries: Int
    }

    /// What the kernel says of a map; nil for a descriptor of anything else.
    static func shape(_ fd: Int32) -> Shape? {
        var info = bpf_map_info()
        var length = UInt32(MemoryLayout<bpf_map_info>.size)
        guard bpf_map_get_info_by_fd(fd, &info, &length) == 0 else { return nil }
        return Shape(
            type: info.type, key: Int(info.key_size), value: Int(info.value_size), entries: Int(info.max_entries))
    }

    static func read(_ fd: Int32) -> [UInt8]? {
        guard let shape = shape(fd), shape.value <= limit, shape.type == BPF_MAP_TYPE_ARRAY.rawValue else {
            return nil
        }
        // Values of array maps are padded to eight bytes.
        var bytes = [UInt8](repeating: 0, count: (shape.value + 7) & ~7)
        var zero: UInt32 = 0
        // SAFETY: the kernel writes value_size bytes, rounded up to 8 at the most.
        guard bpf_map_lookup_elem(fd, &zero, &bytes) == 0 else { return nil }
        return bytes
    }
}
