/// BTF.ext: what the compiler knows of single instructions. Offsets are bytes from the section's start.
struct BTFExt {
    struct FunctionInfo {
        var offset: Int
        var type: BTF.TypeID
    }

    struct LineInfo {
        var offset: Int
        var file: UInt32
        var text: UInt32
        var line: Int
        var column: Int
    }

    struct CoreInfo {
        var offset: Int
        var type: BTF.TypeID
        var accessor: UInt32
        var kind: UInt32
    }

    /// Each by the section's name, in the order of the file.
    private(set) var functions: [String: [FunctionInfo]] = [:]
    private(set) var lines: [String: [LineInfo]] = [:]
    private(set) var core: [String: [CoreInfo]] = [:]

    init() {}

    init(parsing bytes: [UInt8], names: BTF) throws(ObjectError) {
        guard let magic = bytes.u16(at: 0), let length = bytes.u32(at: 4), length >= 24 else {
            throw ObjectError(.truncated, ".BTF.ext ends within its header")
        }
        guard magic == 0xEB9F, bytes[2] == 1 else {
            throw ObjectError(.malformed, ".BTF.ext does not begin with its magic number and version")
        }
        let base = Int(length)
        for record in try Self.records(bytes, base, headerOffset: 8, least: 8, names: names, what: "functions") {
            guard let offset = bytes.u32(at: record.at), let type = bytes.u32(at: record.at + 4),
                type <= names.typeCount
            else { throw ObjectError(.malformed, ".BTF.ext names a function type that does not exist") }
            functions[record.section, default: []].append(FunctionInfo(offset: Int(offset), type: type))
        }
        for record in try Self.records(bytes, base, headerOffset: 16, least: 16, names: names, what: "lines") {
            guard let offset = bytes.u32(at: record.at), let file = bytes.u32(at: record.at + 4),
                let text = bytes.u32(at: record.at + 8), let place = bytes.u32(at: record.at + 12)
            else { continue }
            lines[record.section, default: []].append(
                LineInfo(
                    offset: Int(offset), file: file, text: text, line: Int(place >> 10), column: Int(place & 0x3FF)))
        }
        guard base >= 32 else { return }
        for record in try Self.records(bytes, base, headerOffset: 24, least: 16, names: names, what: "relocations") {
            guard let offset = bytes.u32(at: record.at), let type = bytes.u32(at: record.at + 4),
                let accessor = bytes.u32(at: record.at + 8), let kind = bytes.u32(at: record.at + 12),
                type <= names.typeCount
            else { throw ObjectError(.malformed, ".BTF.ext relocates against a type that does not exist") }
            core[record.section, default: []].append(
                CoreInfo(offset: Int(offset), type: type, accessor: accessor, kind: kind))
        }
    }

    private struct Place {
        var section: String
        var at: Int
    }

    /// The records of one of the three parts: a record size, then for each section its name, a count and the records.
    private static func records(
        _ bytes: [UInt8], _ base: Int, headerOffset: Int, least: Int, names: BTF, what: String
    ) throws(ObjectError) -> [Place] {
        guard let offset = bytes.u32(at: headerOffset), let length = bytes.u32(at: headerOffset + 4) else {
            throw ObjectError(.truncated, ".BTF.ext ends within its header")
        }
        guard length > 0 else { return [] }
        guard let part = bytes.part(base + Int(offset), Int(length)), let size = bytes.u32(at: part.startIndex),
            Int(size) >= least, size % 4 == 0
        else { throw ObjectError(.malformed, ".BTF.ext has no room for its \(what)") }
        var places: [Place] = []
        var at = part.startIndex + 4
        while at < part.endIndex {
            guard part.endIndex - at >= 8, let name = bytes.u32(at: at), let count = bytes.u32(at: at + 4) else {
                throw ObjectError(.truncated, ".BTF.ext is cut off among its \(what)")
            }
            at += 8
            let section = names.string(name)
            guard count > 0, (part.endIndex - at) / Int(size) >= Int(count) else {
                throw ObjectError(.malformed, ".BTF.ext claims \(count) \(what) of section '\(section)'")
            }
            for _ in 0..<Int(count) {
                places.append(Place(section: section, at: at))
                at += Int(size)
            }
        }
        return places
    }
}
