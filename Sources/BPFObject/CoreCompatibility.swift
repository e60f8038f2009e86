extension CoreMatcher {
    /// The loose relation of `bpf_core_type_exists` and of kernel functions: the same kinds, names aside.
    mutating func areCompatible(
        _ localType: BTF.TypeID, _ kernelType: BTF.TypeID, depth: Int = 0
    ) throws(ObjectError) -> Bool {
        var a = local.resolve(localType)
        var b = kernel.resolve(kernelType)
        for level in depth..<BPFObject.Limit.typeDepth {
            try spend()
            let mine = local.record(a)
            let theirs = kernel.record(b)
            guard Self.sameKind(mine.kind, theirs.kind) else { return false }
            switch mine.kind {
            case .void, .structure, .union, .enumeration, .enumeration64, .forward, .int: return true
            case .pointer:
                a = local.resolve(mine.sizeOrType)
                b = kernel.resolve(theirs.sizeOrType)
            case .array:
                guard let mine = local.array(a), let theirs = kernel.array(b) else { return false }
                a = local.resolve(mine.element)
                b = kernel.resolve(theirs.element)
            case .prototype:
                guard mine.count == theirs.count else { return false }
                for index in 0..<mine.count {
                    guard let own = local.bytes.u32(at: mine.payload + index * 8 + 4),
                        let other = kernel.bytes.u32(at: theirs.payload + index * 8 + 4),
                        try areCompatible(own, other, depth: level + 1)
                    else { return false }
                }
                a = local.resolve(mine.sizeOrType)
                b = kernel.resolve(theirs.sizeOrType)
            default: return false
            }
        }
        return false
    }

    /// The strict relation of `bpf_core_type_matches`: every member of the object's type is in the kernel's.
    mutating func doesMatch(
        _ localType: BTF.TypeID, _ kernelType: BTF.TypeID, behindPointer: Bool = false, depth: Int = 0
    ) throws(ObjectError) -> Bool {
        try spend()
        guard depth < BPFObject.Limit.typeDepth else { return false }
        let mine = local.record(local.resolve(localType))
        let theirs = kernel.record(kernel.resolve(kernelType))
        guard haveSameName(mine, theirs) else { return false }
        if mine.kind != theirs.kind {
            // A forward declaration stands for the structure behind a pointer; enumerations differ in size only.
            if behindPointer, mine.kind == .forward {
                return theirs.kind == (mine.flag ? .union : .structure)
            }
            if behindPointer, theirs.kind == .forward {
                return mine.kind == (theirs.flag ? .union : .structure)
            }
            guard Self.sameKind(mine.kind, theirs.kind) else { return false }
        }
        switch mine.kind {
        case .void: return true
        case .forward: return mine.flag == theirs.flag
        case .int:
            guard let a = local.integer(mine.id), let b = kernel.integer(theirs.id) else { return false }
            return a.isSigned == b.isSigned && mine.sizeOrType == theirs.sizeOrType
        case .enumeration, .enumeration64: return try enumerationsMatch(mine, theirs, behindPointer)
        case .structure, .union: return try membersMatch(mine, theirs, behindPointer, depth)
        case .pointer:
            return try doesMatch(mine.sizeOrType, theirs.sizeOrType, behindPointer: true, depth: depth + 1)
        case .array:
            guard let a = local.array(mine.id), let b = kernel.array(theirs.id), a.count == b.count else {
                return false
            }
            return try doesMatch(a.element, b.element, behindPointer: behindPointer, depth: depth + 1)
        case .prototype:
            guard mine.count == theirs.count else { return false }
            for index in 0..<mine.count {
                guard let own = local.bytes.u32(at: mine.payload + index * 8 + 4),
                    let other = kernel.bytes.u32(at: theirs.payload + index * 8 + 4),
                    try doesMatch(own, other, behindPointer: behindPointer, depth: depth + 1)
                else { return false }
            }
            return try doesMatch(mine.sizeOrType, theirs.sizeOrType, behindPointer: behindPointer, depth: depth + 1)
        default: return false
        }
    }

    private func haveSameName(_ a: BTF.Record, _ b: BTF.Record) -> Bool {
        let mine = local.nameBytes(a.nameOffset)
        let theirs = kernel.nameBytes(b.nameOffset)
        return mine.prefix(Flavour.essentialLength(mine))
            .elementsEqual(theirs.prefix(Flavour.essentialLength(theirs)))
    }

    private mutating func enumerationsMatch(
        _ mine: BTF.Record, _ theirs: BTF.Record, _ behindPointer: Bool
    ) throws(ObjectError) -> Bool {
        if behindPointer { return true }
        guard mine.count <= theirs.count else { return false }
        try spend(mine.count + theirs.count)
        let names = Set(
            (0..<theirs.count).compactMap { kernel.enumerator(of: theirs, at: $0) }
                .map { Flavour.essential($0.name) })
        return (0..<mine.count).allSatisfy { index in
            local.enumerator(of: mine, at: index).map { names.contains(Flavour.essential($0.name)) } ?? false
        }
    }

    private mutating func membersMatch(
        _ mine: BTF.Record, _ theirs: BTF.Record, _ behindPointer: Bool, _ depth: Int
    ) throws(ObjectError) -> Bool {
        if behindPointer { return true }
        guard mine.count <= theirs.count else { return false }
        for index in 0..<mine.count {
            guard let member = local.member(of: mine, at: index) else { return false }
            let name = Array(member.name.utf8)
            var found = false
            for place in 0..<theirs.count where !found {
                try spend()
                guard kernel.memberNameBytes(of: theirs, at: place).elementsEqual(name),
                    let other = kernel.member(of: theirs, at: place)
                else { continue }
                found = try doesMatch(member.type, other.type, depth: depth + 1)
            }
            guard found else { return false }
        }
        return true
    }
}
