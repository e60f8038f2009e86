extension ObjectBuilder {
    /// Turns the relocations of code, and the calls that need none, into references.
    mutating func relocate() throws(ObjectError) {
        for (section, relocations) in elf.relocations where functionsOfSection[section] != nil {
            for relocation in relocations {
                guard let function = functionContaining(section: section, offset: relocation.offset) else { continue }
                let offset = relocation.offset - places[function].offset
                guard offset % 8 == 0 else {
                    throw ObjectError(.malformed, "a relocation points into the middle of an instruction")
                }
                try relocate(function, offset / 8, elf.symbols[relocation.symbol])
            }
        }
        try findNearCalls()
    }

    private mutating func relocate(_ function: Int, _ slot: Int, _ symbol: ELF.Symbol) throws(ObjectError) {
        let instruction = object.functions[function].instructions[slot]
        if instruction.isWideLoad {
            guard slot + 1 < object.functions[function].instructions.count else {
                throw ObjectError(.malformed, "the last instruction of '\(object.functions[function].name)' is cut off")
            }
        } else if !instruction.isCall {
            // The kernel has no other instruction with an address in it, but a later compiler may know one.
            throw ObjectError(
                .unsupported,
                "'\(object.functions[function].name)' has an address in an instruction \(instruction.opcode)")
        }
        if symbol.isUndefined {
            try useExtern(function, slot, symbol)
        } else if instruction.isCall {
            try call(function, slot, symbol)
        } else {
            try load(function, slot, symbol)
        }
    }

    private mutating func useExtern(_ function: Int, _ slot: Int, _ symbol: ELF.Symbol) throws(ObjectError) {
        guard let index = externNamed[symbol.name] else {
            throw ObjectError(
                .unresolved,
                "'\(symbol.name)' is neither defined here nor declared as the kernel's (__ksym)")
        }
        let extern = object.externs[index]
        let name = extern.kernelName
        let reference: Reference
        switch extern.kind {
        case .kernelFunction: reference = .kernelFunction(name: name, typeID: nil, isAvailable: false)
        case .kernelVariable: reference = .kernelSymbol(name: name, typeID: nil, isAvailable: false)
        case .configuration:
            guard let map = configurationMap else { return }
            reference = .mapValue(map: map, offset: extern.offset)
        }
        object.externUses[function, default: [:]][slot] = index
        object.functions[function].references[slot] = reference
    }

    private mutating func call(_ function: Int, _ slot: Int, _ symbol: ELF.Symbol) throws(ObjectError) {
        let instruction = object.functions[function].instructions[slot]
        // The immediate counts slots from the symbol, or from the section's start, to just before the target.
        let target = symbol.value + (Int(instruction.immediate) + 1) * 8
        guard instruction.src == Instruction.CallKind.subprogram,
            let callee = functionIndex(section: symbol.section, offset: target)
        else {
            throw ObjectError(
                .malformed, "'\(object.functions[function].name)' calls something that is not a function")
        }
        object.functions[function].references[slot] = .call(function: callee)
    }

    private mutating func load(_ function: Int, _ slot: Int, _ symbol: ELF.Symbol) throws(ObjectError) {
        let immediate = Int(object.functions[function].instructions[slot].immediate)
        let name = object.functions[function].name
        if symbol.section == mapsSection {
            guard let map = mapAtOffset[symbol.value] ?? mapAtOffset[symbol.value + immediate] else {
                throw ObjectError(.malformed, "'\(name)' refers to a map that is not declared")
            }
            object.functions[function].references[slot] = .mapPointer(map: map)
        } else if let map = mapOfSection[symbol.section] {
            object.functions[function].references[slot] = .mapValue(map: map, offset: symbol.value + immediate)
        } else if functionsOfSection[symbol.section] != nil {
            guard let target = functionIndex(section: symbol.section, offset: symbol.value + immediate) else {
                throw ObjectError(.malformed, "'\(name)' takes the address of something that is not a function")
            }
            object.functions[function].references[slot] = .functionPointer(function: target)
        } else {
            let section = elf.sections.indices.contains(symbol.section) ? elf.sections[symbol.section].name : "?"
            throw ObjectError(.unsupported, "'\(name)' refers to '\(symbol.name)' in section '\(section)'")
        }
    }

    /// Calls inside a section are relative, and need no relocation.
    private mutating func findNearCalls() throws(ObjectError) {
        for index in object.functions.indices {
            let place = places[index]
            var slot = 0
            while slot < object.functions[index].instructions.count {
                let instruction = object.functions[index].instructions[slot]
                if instruction.isCall, instruction.src == Instruction.CallKind.subprogram,
                    object.functions[index].references[slot] == nil
                {
                    let target = place.offset + (slot + 1 + Int(instruction.immediate)) * 8
                    guard let callee = functionIndex(section: place.section, offset: target) else {
                        throw ObjectError(
                            .malformed, "'\(object.functions[index].name)' calls something that is not a function")
                    }
                    object.functions[index].references[slot] = .call(function: callee)
                }
                slot += instruction.isWideLoad ? 2 : 1
            }
        }
    }
}
