/// Puts an object together from its file, step by step; `BPFObject.parse` calls the steps in order.
struct ObjectBuilder {
    let elf: ELF
    let ext: BTFExt
    var object: CompiledObject
    /// Where each function is: the section's index and the bytes from its start.
    var places: [FunctionPlace] = []
    /// Section to its functions, by ascending offset.
    var functionsOfSection: [Int: [Int]] = [:]
    /// Data section to its map.
    var mapOfSection: [Int: Int] = [:]
    /// Offset in `.maps` to its map.
    var mapAtOffset: [Int: Int] = [:]
    var mapsSection: Int?
    var externNamed: [String: Int] = [:]
    /// The map of `.kconfig`.
    var configurationMap: Int?
    /// Symbols with a name that are defined here, by section and name.
    let symbolNamed: [SymbolKey: Int]
    /// By structure and member: what a list or a tree there contains.
    let containers: [BTF.TypeID: [Int: String]]
    var contentsLeft = BPFObject.Limit.mapContents

    struct FunctionPlace {
        var section: Int
        var offset: Int
        var size: Int
    }

    struct SymbolKey: Hashable {
        var section: Int
        var name: String
    }

    var btf: BTF { object.btf }

    init(_ bytes: [UInt8]) throws(ObjectError) {
        elf = try ELF(bytes)
        var types = BTF.empty
        var ext = BTFExt()
        if let index = elf.section(named: ".BTF") {
            types = try BTF(parsing: Array(elf.contents(of: index)))
            if let index = elf.section(named: ".BTF.ext") {
                ext = try BTFExt(parsing: Array(elf.contents(of: index)), names: types)
            }
        }
        self.ext = ext
        var license = ""
        if let index = elf.section(named: "license") {
            license = Array(elf.contents(of: index)).text(at: 0, limit: 128)
        }
        object = CompiledObject(license: license, btf: types)
        var named: [SymbolKey: Int] = [:]
        for (index, symbol) in elf.symbols.enumerated() where !symbol.name.isEmpty && !symbol.isUndefined {
            named[SymbolKey(section: symbol.section, name: symbol.name)] = index
        }
        symbolNamed = named
        containers = types.containers()
    }

    // MARK: Functions

    mutating func findFunctions() throws(ObjectError) {
        var found: [(symbol: ELF.Symbol, place: FunctionPlace)] = []
        for symbol in elf.symbols where symbol.kind == ELF.Symbol.Kind.function && !symbol.isUndefined {
            guard elf.sections.indices.contains(symbol.section), elf.sections[symbol.section].isExecutable else {
                continue
            }
            let size = elf.sections[symbol.section].range.count
            guard symbol.value % 8 == 0, symbol.size % 8 == 0, symbol.size > 0, symbol.value <= size,
                symbol.size <= size - symbol.value
            else {
                throw ObjectError(.malformed, "function '\(symbol.name)' does not lie inside its section")
            }
            found.append(
                (symbol, FunctionPlace(section: symbol.section, offset: symbol.value, size: symbol.size)))
        }
        guard found.count <= BPFObject.Limit.functions else {
            throw ObjectError(.tooLarge, "there are \(found.count) functions")
        }
        found.sort { ($0.place.section, $0.place.offset) < ($1.place.section, $1.place.offset) }
        var left = BPFObject.Limit.instructions
        for (symbol, place) in found {
            if let last = places.last, last.section == place.section, last.offset == place.offset { continue }
            left -= place.size / 8
            guard left >= 0 else { throw ObjectError(.tooLarge, "there are more instructions than the kernel takes") }
            functionsOfSection[place.section, default: []].append(places.count)
            places.append(place)
            object.functions.append(function(symbol, place))
        }
        try typeFunctions()
    }

    private func function(_ symbol: ELF.Symbol, _ place: FunctionPlace) -> Function {
        let section = elf.sections[place.section]
        let start = section.range.lowerBound + place.offset
        var instructions: [Instruction] = []
        instructions.reserveCapacity(place.size / 8)
        for at in stride(from: start, to: start + place.size, by: 8) {
            instructions.append(
                Instruction(
                    opcode: elf.bytes[at], dst: elf.bytes[at + 1] & 0xF, src: elf.bytes[at + 1] >> 4,
                    offset: Int16(bitPattern: elf.bytes.u16(at: at + 2) ?? 0),
                    immediate: Int32(bitPattern: elf.bytes.u32(at: at + 4) ?? 0)))
        }
        let kind = section.name.split(separator: "/", maxSplits: 1).first ?? ""
        return Function(
            name: symbol.name, section: section.name, instructions: instructions,
            linkage: symbol.binding == ELF.Symbol.Binding.local ? .static : .global,
            isProgram: section.name != ".text", isSleepable: kind.hasSuffix(".s") || kind == "syscall")
    }

    /// The types come from BTF.ext, which knows the place; a name may be there twice.
    private mutating func typeFunctions() throws(ObjectError) {
        for index in object.functions.indices {
            let function = object.functions[index]
            object.functions[index].typeID = btf.id(named: function.name, .function)
        }
        for (name, infos) in ext.functions {
            guard let section = elf.section(named: name) else { continue }
            for info in infos {
                guard let index = functionIndex(section: section, offset: info.offset),
                    btf.kind(info.type) == .function
                else { continue }
                object.functions[index].typeID = info.type
            }
        }
        for index in object.functions.indices {
            guard let type = object.functions[index].typeID, let prototype = btf.prototype(of: type) else { continue }
            object.functions[index].argumentCount = prototype.parameters.count
        }
    }

    /// The function that begins exactly there.
    func functionIndex(section: Int, offset: Int) -> Int? {
        guard let index = functionContaining(section: section, offset: offset), places[index].offset == offset else {
            return nil
        }
        return index
    }

    /// The function that has the byte at `offset`.
    func functionContaining(section: Int, offset: Int) -> Int? {
        guard let list = functionsOfSection[section] else { return nil }
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if places[list[middle]].offset <= offset { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let place = places[list[low - 1]]
        return offset < place.offset + place.size ? list[low - 1] : nil
    }

    // MARK: Externs

    mutating func findExterns() throws(ObjectError) {
        var weak: [String: Bool] = [:]
        for symbol in elf.symbols where symbol.isUndefined && !symbol.name.isEmpty {
            weak[symbol.name] = symbol.binding == ELF.Symbol.Binding.weak
        }
        for sectionName in [".ksyms", ".kconfig"] {
            guard let section = btf.id(named: sectionName, .dataSection) else { continue }
            for variable in btf.variables(of: section) {
                let name = btf.name(variable.id)
                guard let isWeak = weak[name], externNamed[name] == nil else { continue }
                let isFunction = btf.kind(variable.id) == .function
                externNamed[name] = object.externs.count
                object.externs.append(
                    Extern(
                        name: name,
                        kind: sectionName == ".kconfig"
                            ? .configuration : isFunction ? .kernelFunction : .kernelVariable,
                        isWeak: isWeak, type: variable.id))
            }
        }
        guard object.externs.count <= BPFObject.Limit.functions else {
            throw ObjectError(.tooLarge, "there are \(object.externs.count) externs")
        }
    }
}
