extension Resolver {
    // MARK: Kernel functions and variables

    mutating func findExterns() throws(ObjectError) {
        var found: [Reference?] = []
        for extern in compiled.externs { found.append(try reference(to: extern)) }
        for (function, uses) in compiled.externUses {
            for (slot, index) in uses {
                guard let reference = found[index] else { continue }
                object.functions[function].references[slot] = reference
                write(reference, function, slot)
            }
        }
    }

    private mutating func reference(to extern: Extern) throws(ObjectError) -> Reference? {
        let name = extern.kernelName
        switch extern.kind {
        case .configuration: return nil
        case .kernelFunction:
            var type: BTF.TypeID?
            for candidate in kernel.ids(named: name, .function) {
                let mine = compiled.btf.record(extern.type).sizeOrType
                let theirs = kernel.record(candidate).sizeOrType
                if try matcher.areCompatible(mine, theirs) {
                    type = candidate
                } else if !extern.isWeak {
                    object.problems.append(
                        ObjectError(.unresolved, "the kernel's function '\(name)' takes or returns something else"))
                }
                break
            }
            if type == nil, !extern.isWeak, kernel.id(named: name, .function) == nil {
                object.problems.append(ObjectError(.unresolved, "the kernel has no function '\(name)'"))
            }
            return .kernelFunction(name: name, typeID: type, isAvailable: type != nil)
        case .kernelVariable:
            let type = kernel.id(named: name, .variable)
            // Without a type it is found among the kernel's symbols, which we do not have; most of those exist.
            let isTyped = compiled.btf.target(of: extern.type).map {
                compiled.btf.kind(compiled.btf.resolve($0)) != .void
            }
            let isAvailable = type != nil || isTyped == false
            if !isAvailable, !extern.isWeak {
                object.problems.append(ObjectError(.unresolved, "the kernel has no variable '\(name)'"))
            }
            return .kernelSymbol(name: name, typeID: type, isAvailable: isAvailable)
        }
    }

    private mutating func write(_ reference: Reference, _ function: Int, _ slot: Int) {
        let type: BTF.TypeID
        switch reference {
        case .kernelFunction(_, let id, _), .kernelSymbol(_, let id, _): type = id ?? 0
        default: return
        }
        let instruction = object.functions[function].instructions[slot]
        object.functions[function].instructions[slot].immediate = Int32(truncatingIfNeeded: type)
        if instruction.isCall {
            object.functions[function].instructions[slot].src = Instruction.CallKind.kernelFunction
            object.functions[function].instructions[slot].offset = 0
        } else if slot + 1 < object.functions[function].instructions.count {
            object.functions[function].instructions[slot].src =
                type == 0 ? Instruction.LoadKind.constant : Instruction.LoadKind.kernelSymbol
            object.functions[function].instructions[slot + 1].immediate = 0
        }
    }

    // MARK: Tables

    /// A member that the kernel does not know must be empty.
    mutating func checkTables() {
        for table in object.tables {
            guard let type = kernel.id(named: table.type, .structure) else {
                object.problems.append(ObjectError(.unresolved, "the kernel has no operations '\(table.type)'"))
                continue
            }
            let known = Set(kernel.members(of: type).map(\.name))
            let set = table.functions.keys.map { $0 } + table.numbers.filter { $0.value != 0 }.map(\.key)
            for member in set.sorted() where !known.contains(member) {
                object.problems.append(
                    ObjectError(.unresolved, "this kernel's \(table.type) has no member '\(member)'"))
            }
        }
    }
}
