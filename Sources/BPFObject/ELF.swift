/// The parts of a 64-bit little-endian ELF file for BPF: sections, symbols and relocations without addends.
///
/// Sections may not share bytes, so that work and memory stay in proportion to the file whatever its headers claim.
struct ELF {
    struct Section {
        var name: String
        var type: UInt32
        var flags: UInt64
        /// In the file; empty for a section without bytes there.
        var range: Range<Int>
        var size: Int
        var link: Int
        var info: Int

        var isExecutable: Bool { type == 1 && flags & 4 != 0 }
        var isWritable: Bool { flags & 1 != 0 }
        var isAllocated: Bool { flags & 2 != 0 }
        var hasNoBytes: Bool { type == 8 }
    }

    struct Symbol {
        enum Kind { static let noType: UInt8 = 0, object: UInt8 = 1, function: UInt8 = 2, section: UInt8 = 3 }
        enum Binding { static let local: UInt8 = 0, global: UInt8 = 1, weak: UInt8 = 2 }

        var name: String
        var kind: UInt8
        var binding: UInt8
        /// 0 where it is defined elsewhere.
        var section: Int
        var value: Int
        var size: Int

        var isUndefined: Bool { section == 0 }
    }

    struct Relocation {
        var offset: Int
        var type: UInt32
        var symbol: Int
    }

    let bytes: [UInt8]
    private(set) var sections: [Section] = []
    private(set) var symbols: [Symbol] = []
    /// The relocations of a section by its index.
    private(set) var relocations: [Int: [Relocation]] = [:]
    private var sectionNamed: [String: Int] = [:]

    init(_ bytes: [UInt8]) throws(ObjectError) {
        self.bytes = bytes
        guard bytes.count <= BPFObject.Limit.objectBytes else {
            throw ObjectError(.tooLarge, "\(bytes.count) bytes are more than \(BPFObject.Limit.objectBytes)")
        }
        try checkHeader()
        sections = try readSections()
        for (index, section) in sections.enumerated().reversed() { sectionNamed[section.name] = index }
        symbols = try readSymbols()
        relocations = try readRelocations()
    }

    func section(named name: String) -> Int? { sectionNamed[name] }

    func contents(of section: Int) -> ArraySlice<UInt8> {
        sections.indices.contains(section) ? bytes[sections[section].range] : []
    }

    private func checkHeader() throws(ObjectError) {
        guard bytes.count >= 64, bytes[0] == 0x7F, bytes[1] == 0x45, bytes[2] == 0x4C, bytes[3] == 0x46 else {
            throw ObjectError(.notAnObject, "this is no ELF file")
        }
        guard bytes[4] == 2, bytes[5] == 1 else {
            throw ObjectError(.unsupported, "the ELF file is not 64-bit little-endian")
        }
        guard bytes.u16(at: 16) == 1, let machine = bytes.u16(at: 18), machine == 247 else {
            throw ObjectError(.notAnObject, "the ELF file is no relocatable object for BPF")
        }
    }

    private func readSections() throws(ObjectError) -> [Section] {
        guard let start = bytes.u64(at: 40), let entrySize = bytes.u16(at: 58), let count = bytes.u16(at: 60),
            let nameSection = bytes.u16(at: 62), entrySize == 64, count > 0
        else { throw ObjectError(.malformed, "the ELF header names no usable table of sections") }
        guard count <= BPFObject.Limit.sections else { throw ObjectError(.tooLarge, "there are \(count) sections") }
        guard let table = Int(exactly: start), let headers = bytes.part(table, Int(count) * 64) else {
            throw ObjectError(.truncated, "the table of sections goes past the end of the file")
        }
        var found: [Section] = []
        var nameOffsets: [Int] = []
        var total = 0
        for at in stride(from: headers.startIndex, to: headers.endIndex, by: 64) {
            let (section, nameOffset) = try readSection(at: at, index: found.count)
            total += section.range.count
            guard total <= bytes.count else { throw ObjectError(.malformed, "sections share bytes of the file") }
            found.append(section)
            nameOffsets.append(nameOffset)
        }
        guard Int(nameSection) < found.count else {
            throw ObjectError(.malformed, "the names of sections are in section \(nameSection), which does not exist")
        }
        let names = Array(bytes[found[Int(nameSection)].range])
        for index in found.indices { found[index].name = names.text(at: nameOffsets[index], limit: 256) }
        return found
    }

    private func readSection(at: Int, index: Int) throws(ObjectError) -> (Section, nameOffset: Int) {
        guard let name = bytes.u32(at: at), let type = bytes.u32(at: at + 4), let flags = bytes.u64(at: at + 8),
            let offset = bytes.u64(at: at + 24), let size = bytes.u64(at: at + 32), let link = bytes.u32(at: at + 40),
            let info = bytes.u32(at: at + 44)
        else { throw ObjectError(.truncated, "section \(index) has no header") }
        var range = 0..<0
        guard let length = Int(exactly: size), length <= BPFObject.Limit.objectBytes else {
            throw ObjectError(.tooLarge, "section \(index) claims \(size) bytes")
        }
        if type != 0, type != 8 {
            guard let start = Int(exactly: offset), let part = bytes.part(start, length) else {
                throw ObjectError(.truncated, "section \(index) goes past the end of the file")
            }
            range = part.indices
        }
        let section = Section(
            name: "", type: type, flags: flags, range: range, size: length, link: Int(link), info: Int(info))
        return (section, Int(name))
    }

    private func readSymbols() throws(ObjectError) -> [Symbol] {
        guard let index = sections.firstIndex(where: { $0.type == 2 }) else { return [] }
        let table = sections[index]
        guard table.range.count % 24 == 0, sections.indices.contains(table.link) else {
            throw ObjectError(.malformed, "the symbol table is not one")
        }
        let count = table.range.count / 24
        guard count <= BPFObject.Limit.symbols else { throw ObjectError(.tooLarge, "there are \(count) symbols") }
        let names = Array(bytes[sections[table.link].range])
        var found: [Symbol] = []
        found.reserveCapacity(count)
        var nameBytes = 0
        for at in stride(from: table.range.lowerBound, to: table.range.upperBound, by: 24) {
            guard let name = bytes.u32(at: at), let section = bytes.u16(at: at + 6), let value = bytes.u64(at: at + 8),
                let size = bytes.u64(at: at + 16)
            else { throw ObjectError(.truncated, "the symbol table is cut off") }
            guard value <= UInt32.max, size <= UInt32.max else {
                throw ObjectError(.malformed, "symbol \(found.count) has an impossible value or size")
            }
            let text = names.text(at: Int(name), limit: 512)
            nameBytes += text.utf8.count
            guard nameBytes <= BPFObject.Limit.objectBytes else {
                throw ObjectError(.tooLarge, "the names of symbols overlap")
            }
            found.append(
                Symbol(
                    name: text, kind: bytes[at + 4] & 0xF, binding: bytes[at + 4] >> 4, section: Int(section),
                    value: Int(value), size: Int(size)))
        }
        return found
    }

    private func readRelocations() throws(ObjectError) -> [Int: [Relocation]] {
        var found: [Int: [Relocation]] = [:]
        for section in sections where section.type == 9 || section.type == 4 {
            guard sections.indices.contains(section.info), section.info > 0 else { continue }
            let target = sections[section.info]
            // Debug information has relocations that no loader of BPF needs.
            guard target.isAllocated else { continue }
            guard section.type == 9, section.range.count % 16 == 0 else {
                throw ObjectError(.unsupported, "relocations of section '\(target.name)' are not of the kind of BPF")
            }
            // Each has an instruction or a pointer of its own.
            guard section.range.count / 16 <= target.size / 8 else {
                throw ObjectError(.malformed, "section '\(target.name)' has more relocations than room for them")
            }
            var list: [Relocation] = []
            list.reserveCapacity(section.range.count / 16)
            for at in stride(from: section.range.lowerBound, to: section.range.upperBound, by: 16) {
                guard let offset = bytes.u64(at: at), let info = bytes.u64(at: at + 8), offset < target.size,
                    info >> 32 < symbols.count
                else {
                    throw ObjectError(
                        .malformed, "a relocation of section '\(target.name)' names a place or symbol that is not there"
                    )
                }
                list.append(
                    Relocation(
                        offset: Int(offset), type: UInt32(truncatingIfNeeded: info), symbol: Int(info >> 32)))
            }
            found[section.info, default: []].append(contentsOf: list)
        }
        return found
    }
}
