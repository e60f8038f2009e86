extension ObjectBuilder {
    mutating func findMaps() throws(ObjectError) {
        for (index, section) in elf.sections.enumerated() where section.isAllocated && !section.isExecutable {
            if section.name == ".maps" {
                mapsSection = index
                try declareMaps(in: index)
            } else if let role = Self.role(ofSection: section.name) {
                try addDataSection(index, role)
            }
        }
        try addConfiguration()
        guard object.maps.count <= BPFObject.Limit.maps else {
            throw ObjectError(.tooLarge, "there are \(object.maps.count) maps")
        }
    }

    private static func role(ofSection name: String) -> MapDefinition.Role? {
        func isOrBegins(_ prefix: String) -> Bool { name == prefix || name.hasPrefix(prefix + ".") }
        if isOrBegins(".rodata") { return .readOnlyData }
        if isOrBegins(".data") || name.hasPrefix(".addr_space.") { return .data }
        if isOrBegins(".bss") { return .zeroed }
        return nil
    }

    private mutating func addDataSection(_ index: Int, _ role: MapDefinition.Role) throws(ObjectError) {
        let section = elf.sections[index]
        guard section.size > 0 else { return }
        var map = MapDefinition(
            name: section.name, role: role, section: section.name, type: MapType.array, keySize: 4,
            valueSize: section.size, maxEntries: 1, flags: role == .readOnlyData ? 1 << 7 : 0)
        map.contents = try contents(of: index)
        if let type = btf.id(named: section.name, .dataSection) {
            map.valueType = type
            map.variables = variables(of: type, section: index, size: section.size)
            map.specialFields = specialFields(of: map.variables)
        }
        mapOfSection[index] = object.maps.count
        object.maps.append(map)
    }

    private mutating func contents(of index: Int) throws(ObjectError) -> [UInt8] {
        let section = elf.sections[index]
        contentsLeft -= section.size
        guard contentsLeft >= 0 else {
            throw ObjectError(.tooLarge, "the data sections claim more than \(BPFObject.Limit.mapContents) bytes")
        }
        return section.hasNoBytes ? Array(repeating: 0, count: section.size) : Array(elf.contents(of: index))
    }

    /// The variables of a data section. BTF has the place of static ones only; of the others the symbols know it.
    func variables(of type: BTF.TypeID, section: Int, size: Int) -> [MapDefinition.Variable] {
        btf.variables(of: type).compactMap { entry in
            let name = btf.name(entry.id)
            guard let target = btf.target(of: entry.id), btf.kind(entry.id) == .variable else { return nil }
            var offset = entry.offset
            if let symbol = symbolNamed[SymbolKey(section: section, name: name)],
                elf.symbols[symbol].binding != ELF.Symbol.Binding.local
            {
                offset = elf.symbols[symbol].value
            }
            guard offset >= 0, offset <= size, entry.size <= size - offset else { return nil }
            return MapDefinition.Variable(name: name, type: target, offset: offset, size: entry.size)
        }
    }

    // MARK: Declared maps

    private mutating func declareMaps(in index: Int) throws(ObjectError) {
        guard let type = btf.id(named: ".maps", .dataSection) else {
            throw ObjectError(.unsupported, "section .maps has no BTF, which maps need")
        }
        guard elf.sections[index].size <= BPFObject.Limit.declarationBytes else {
            throw ObjectError(.tooLarge, "section .maps has \(elf.sections[index].size) bytes")
        }
        for variable in variables(of: type, section: index, size: elf.sections[index].size) {
            guard object.maps.count < BPFObject.Limit.maps else {
                throw ObjectError(.tooLarge, "there are too many maps")
            }
            mapAtOffset[variable.offset] = object.maps.count
            object.maps.append(
                try mapDefinition(name: variable.name, of: btf.resolve(variable.type), isInner: false))
        }
        try fillSlots(section: index)
    }

    private func mapDefinition(
        name: String, of type: BTF.TypeID, isInner: Bool
    ) throws(ObjectError) -> MapDefinition {
        guard btf.kind(type) == .structure, btf.record(type).count <= BPFObject.Limit.mapMembers else {
            throw ObjectError(.unsupported, "map '\(name)' is not declared by a structure")
        }
        var map = MapDefinition(name: name, role: .declared, section: ".maps", type: 0)
        for member in btf.members(of: type) {
            switch member.name {
            case "type": map.type = UInt32(truncatingIfNeeded: try number(member, map: name))
            case "max_entries": map.maxEntries = try number(member, map: name)
            case "map_flags": map.flags = UInt32(truncatingIfNeeded: try number(member, map: name))
            case "map_extra": map.mapExtra = UInt64(try number(member, map: name))
            case "key_size": map.keySize = try number(member, map: name)
            case "value_size": map.valueSize = try number(member, map: name)
            case "pinning": map.isPinned = try number(member, map: name) != 0
            case "key":
                map.keyType = btf.pointee(of: member.type)
                map.keySize = btf.size(of: map.keyType ?? 0) ?? 0
            case "value":
                map.valueType = btf.pointee(of: member.type)
                map.valueSize = btf.size(of: map.valueType ?? 0) ?? 0
            case "values" where !isInner:
                // An array of pointers: to the inner map's structure, or to functions.
                guard let slots = btf.array(btf.resolve(member.type)), let target = btf.pointee(of: slots.element)
                else {
                    throw ObjectError(.malformed, "the values of map '\(name)' are not pointers")
                }
                map.keySize = 4
                map.valueSize = 4
                if btf.kind(target) == .structure {
                    map.inner = [try mapDefinition(name: name + ".inner", of: target, isInner: true)]
                }
            default: break
            }
        }
        if let value = map.valueType {
            map.specialFields = specialFields(
                of: [MapDefinition.Variable(name: "", type: value, offset: 0, size: map.valueSize)])
        }
        return map
    }

    /// `__uint(name, value)` is a pointer to an array of `value` elements; `__ulong` is an enumeration of one value.
    private func number(_ member: BTF.Member, map: String) throws(ObjectError) -> Int {
        let type = btf.resolve(member.type)
        if let target = btf.pointee(of: type), let array = btf.array(target) { return array.count }
        if let first = btf.enumerators(of: type).first {
            return Int(truncatingIfNeeded: first.bits & 0x7FFF_FFFF_FFFF_FFFF)
        }
        throw ObjectError(.malformed, "'\(member.name)' of map '\(map)' is not a number as __uint() makes it")
    }

    /// Relocations inside `.maps`: what the slots of an array of maps or programs hold at first.
    private mutating func fillSlots(section: Int) throws(ObjectError) {
        guard let relocations = elf.relocations[section], let type = btf.id(named: ".maps", .dataSection) else {
            return
        }
        // Where the slots of each map begin and end.
        var slots: [(range: Range<Int>, map: Int)] = []
        for variable in variables(of: type, section: section, size: elf.sections[section].size) {
            guard let map = mapAtOffset[variable.offset],
                let values = btf.members(of: btf.resolve(variable.type)).first(where: { $0.name == "values" })
            else { continue }
            let end = variable.offset + variable.size
            slots.append((min(variable.offset + values.byteOffset, end)..<end, map))
        }
        for relocation in relocations {
            guard let (range, map) = slots.first(where: { $0.range.contains(relocation.offset) }),
                (relocation.offset - range.lowerBound) % 8 == 0
            else { continue }
            object.maps[map].initialSlots[(relocation.offset - range.lowerBound) / 8] =
                elf.symbols[relocation.symbol].name
        }
    }

    // MARK: Configuration

    /// The kernel's configuration as the object asks for it becomes one map, filled when the object is resolved.
    private mutating func addConfiguration() throws(ObjectError) {
        var map = MapDefinition(
            name: ".kconfig", role: .configuration, section: ".kconfig", type: MapType.array, keySize: 4, maxEntries: 1,
            flags: 1 << 7)
        var end = 0
        for index in object.externs.indices where object.externs[index].kind == .configuration {
            guard let type = btf.target(of: object.externs[index].type), let size = btf.size(of: type), size > 0,
                size <= 4096
            else {
                throw ObjectError(.unsupported, "'\(object.externs[index].name)' is of a type that no option has")
            }
            let alignment = size >= 8 ? 8 : size >= 4 ? 4 : size
            end = (end + alignment - 1) / alignment * alignment
            object.externs[index].offset = end
            map.variables.append(
                MapDefinition.Variable(name: object.externs[index].name, type: type, offset: end, size: size))
            end += size
        }
        guard end > 0 else { return }
        map.valueSize = end
        map.contents = Array(repeating: 0, count: end)
        configurationMap = object.maps.count
        object.maps.append(map)
    }
}
