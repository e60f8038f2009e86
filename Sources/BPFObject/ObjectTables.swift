extension ObjectBuilder {
    /// The struct_ops variables: what their members hold, and which functions they name.
    mutating func findTables() throws(ObjectError) {
        for (index, section) in elf.sections.enumerated() {
            let name = section.name.hasPrefix("?") ? String(section.name.dropFirst()) : section.name
            guard name == ".struct_ops" || name == ".struct_ops.link", section.size > 0 else { continue }
            guard let type = btf.id(named: section.name, .dataSection) else {
                throw ObjectError(.unsupported, "section '\(section.name)' has no BTF, which tables need")
            }
            guard section.size <= BPFObject.Limit.declarationBytes else {
                throw ObjectError(.tooLarge, "section '\(section.name)' has \(section.size) bytes")
            }
            let entries = variables(of: type, section: index, size: section.size).sorted { $0.offset < $1.offset }
            let first = object.tables.count
            for entry in entries { try addTable(entry, section: index, isLinked: name.hasSuffix(".link")) }
            try bindMembers(entries, firstTable: first, section: index)
        }
    }

    private mutating func addTable(
        _ variable: MapDefinition.Variable, section: Int, isLinked: Bool
    ) throws(ObjectError) {
        let type = btf.resolve(variable.type)
        guard btf.kind(type) == .structure, btf.record(type).count <= BPFObject.Limit.tableMembers,
            object.maps.count < BPFObject.Limit.maps
        else {
            throw ObjectError(.unsupported, "table '\(variable.name)' is not a structure of operations")
        }
        contentsLeft -= variable.size
        let range = elf.sections[section].range
        guard variable.offset + variable.size <= range.count, contentsLeft >= 0 else {
            throw ObjectError(.malformed, "table '\(variable.name)' does not lie inside its section")
        }
        var map = MapDefinition(
            name: variable.name, role: .operations, section: elf.sections[section].name, type: MapType.structOps,
            keySize: 4, valueSize: variable.size, maxEntries: 1)
        let start = range.lowerBound + variable.offset
        map.contents = Array(elf.bytes[start..<start + variable.size])
        map.valueType = type
        map.variables = btf.members(of: type).compactMap { member in
            guard let size = btf.size(of: member.type), member.byteOffset <= variable.size,
                size <= variable.size - member.byteOffset
            else { return nil }
            return MapDefinition.Variable(
                name: member.name, type: member.type, offset: member.byteOffset, size: size)
        }
        var table = OperationsTable(
            name: variable.name, type: Flavour.essential(btf.name(type)), isLinked: isLinked, map: object.maps.count)
        for member in map.variables { readMember(member, map.contents, into: &table) }
        object.maps.append(map)
        object.tables.append(table)
    }

    private func readMember(
        _ member: MapDefinition.Variable, _ contents: [UInt8], into table: inout OperationsTable
    ) {
        let type = btf.resolve(member.type)
        switch btf.kind(type) {
        case .int, .enumeration, .enumeration64:
            if let bits = contents.number(at: member.offset, size: member.size) { table.numbers[member.name] = bits }
        case .array:
            guard let array = btf.array(type), btf.size(of: array.element) == 1 else { return }
            table.strings[member.name] = contents.text(at: member.offset, limit: min(member.size, 4096))
        default: break
        }
    }

    private mutating func bindMembers(
        _ entries: [MapDefinition.Variable], firstTable: Int, section: Int
    ) throws(ObjectError) {
        for relocation in elf.relocations[section] ?? [] {
            guard let entry = entries.lastIndex(where: { $0.offset <= relocation.offset }) else { continue }
            let offset = relocation.offset - entries[entry].offset
            let table = object.tables[firstTable + entry]
            guard let member = object.maps[table.map].variables.first(where: { $0.offset == offset }),
                let target = btf.pointee(of: member.type), btf.kind(target) == .prototype
            else {
                throw ObjectError(
                    .unsupported, "table '\(table.name)' has an address where no operation belongs")
            }
            let symbol = elf.symbols[relocation.symbol]
            let addend = object.maps[table.map].contents.number(at: offset, size: 8) ?? 0
            guard let place = Int(exactly: addend), place <= BPFObject.Limit.objectBytes,
                let function = functionIndex(section: symbol.section, offset: symbol.value + place)
            else {
                throw ObjectError(
                    .unresolved, "operation '\(member.name)' of '\(table.name)' is no function of the object")
            }
            object.tables[firstTable + entry].functions[member.name] = function
            if !object.functions[function].operations.contains(member.name) {
                object.functions[function].operations.append(member.name)
            }
        }
    }
}
