/// Finds in the kernel's types what an object's relocations mean, as a loader does.
struct CoreMatcher {
    let local: BTF
    let kernel: BTF
    /// Kernel types by the object's type.
    private var candidateCache: [BTF.TypeID: [BTF.TypeID]] = [:]
    /// What is left of the work that one object may cause.
    private(set) var budget = 20_000_000

    init(local: BTF, kernel: BTF) {
        self.local = local
        self.kernel = kernel
    }

    mutating func spend(_ steps: Int = 1) throws(ObjectError) {
        budget -= steps
        guard budget > 0 else {
            throw ObjectError(.tooLarge, "the object's CO-RE relocations are too much work to resolve")
        }
    }

    /// The kernel's types of the same kind and name, flavours aside.
    mutating func candidates(for type: BTF.TypeID) throws(ObjectError) -> [BTF.TypeID] {
        if let known = candidateCache[type] { return known }
        let record = local.record(type)
        let name = local.nameBytes(record.nameOffset)
        let essential = name.prefix(Flavour.essentialLength(name))
        var found: [BTF.TypeID] = []
        if !essential.isEmpty {
            for id in kernel.ids(essentially: essential) {
                try spend()
                if Self.sameKind(kernel.kind(id), record.kind) { found.append(id) }
            }
        }
        candidateCache[type] = found
        return found
    }

    /// Enumerations of both sizes are one kind.
    static func sameKind(_ a: BTF.Kind, _ b: BTF.Kind) -> Bool {
        func plain(_ kind: BTF.Kind) -> BTF.Kind { kind == .enumeration64 ? .enumeration : kind }
        return plain(a) == plain(b)
    }

    /// The same thing in a type of the kernel; nil where that type does not have it.
    mutating func match(
        _ specification: CoreSpecification, _ kind: RelocationKind, in candidate: BTF.TypeID
    ) throws(ObjectError) -> CoreSpecification? {
        try spend()
        switch kind {
        case .typeIDLocal, .typeIDTarget, .typeExists, .typeSize:
            guard try areCompatible(specification.root, candidate) else { return nil }
            return CoreSpecification(root: candidate, steps: [], bitOffset: 0)
        case .typeMatches:
            guard try doesMatch(specification.root, candidate) else { return nil }
            return CoreSpecification(root: candidate, steps: [], bitOffset: 0)
        case .enumeratorExists, .enumeratorValue: return try matchEnumerator(specification, candidate)
        case .fieldByteOffset, .fieldByteSize, .fieldExists, .fieldSigned, .fieldLeftShift, .fieldRightShift:
            return try matchField(specification, candidate)
        }
    }

    private mutating func matchEnumerator(
        _ specification: CoreSpecification, _ candidate: BTF.TypeID
    ) throws(ObjectError) -> CoreSpecification? {
        let id = kernel.resolve(candidate)
        let record = kernel.record(id)
        guard record.kind == .enumeration || record.kind == .enumeration64, let wanted = specification.steps.first?.name
        else { return nil }
        let essential = Flavour.essential(wanted)
        for index in 0..<record.count {
            try spend()
            guard let enumerator = kernel.enumerator(of: record, at: index),
                Flavour.essential(enumerator.name) == essential
            else { continue }
            let step = CoreSpecification.Step(type: id, index: index, name: enumerator.name)
            return CoreSpecification(root: candidate, steps: [step], bitOffset: 0)
        }
        return nil
    }

    private mutating func matchField(
        _ specification: CoreSpecification, _ candidate: BTF.TypeID
    ) throws(ObjectError) -> CoreSpecification? {
        var current = kernel.resolve(candidate)
        var found = CoreSpecification(root: candidate, steps: [], bitOffset: 0)
        for (place, step) in specification.steps.enumerated() {
            if let name = step.name {
                guard let member = local.member(of: local.record(step.type), at: step.index),
                    let (owner, index, bitOffset) = try findMember(Array(name.utf8), in: current, depth: 0),
                    let target = kernel.member(of: kernel.record(owner), at: index),
                    try fieldsAreCompatible(member.type, target.type)
                else { return nil }
                found.steps.append(CoreSpecification.Step(type: owner, index: index, name: name))
                found.bitOffset += bitOffset
                current = kernel.resolve(target.type)
            } else {
                if place > 0 {
                    // The kernel's array may be shorter than the object's. One of at most one element may be open.
                    guard let array = kernel.array(current), step.index < array.count || array.count <= 1 else {
                        return nil
                    }
                    current = kernel.resolve(array.element)
                }
                guard let size = kernel.size(of: current) else { return nil }
                found.steps.append(CoreSpecification.Step(type: current, index: step.index, name: nil))
                found.bitOffset += try local.scaled(step.index, size)
            }
        }
        return found
    }

    /// The member of that name, also inside of anonymous members.
    private mutating func findMember(
        _ name: [UInt8], in type: BTF.TypeID, depth: Int
    ) throws(ObjectError) -> (owner: BTF.TypeID, index: Int, bitOffset: Int)? {
        guard depth < BPFObject.Limit.typeDepth else { return nil }
        let record = kernel.record(kernel.resolve(type))
        guard record.kind == .structure || record.kind == .union else { return nil }
        try spend(record.count)
        for index in 0..<record.count {
            let own = kernel.memberNameBytes(of: record, at: index)
            if own.isEmpty {
                guard let member = kernel.member(of: record, at: index),
                    var inner = try findMember(name, in: member.type, depth: depth + 1)
                else { continue }
                inner.bitOffset += member.bitOffset
                return inner
            }
            if own.elementsEqual(name), let member = kernel.member(of: record, at: index) {
                return (record.id, index, member.bitOffset)
            }
        }
        return nil
    }

    /// May a field of the one type be read as one of the other?
    private mutating func fieldsAreCompatible(
        _ localType: BTF.TypeID, _ kernelType: BTF.TypeID
    ) throws(ObjectError) -> Bool {
        var a = local.record(local.resolve(localType))
        var b = kernel.record(kernel.resolve(kernelType))
        for _ in 0..<BPFObject.Limit.typeDepth {
            try spend()
            let bothComposite = [a, b].allSatisfy { $0.kind == .structure || $0.kind == .union }
            if bothComposite { return true }
            guard Self.sameKind(a.kind, b.kind) else { return false }
            switch a.kind {
            case .pointer, .float, .int: return true
            case .forward, .enumeration, .enumeration64:
                let mine = local.nameBytes(a.nameOffset)
                let theirs = kernel.nameBytes(b.nameOffset)
                let length = Flavour.essentialLength(mine)
                return length == 0 || theirs.isEmpty
                    || mine.prefix(length).elementsEqual(theirs.prefix(Flavour.essentialLength(theirs)))
            case .array:
                guard let mine = local.array(a.id), let theirs = kernel.array(b.id) else { return false }
                a = local.record(local.resolve(mine.element))
                b = kernel.record(kernel.resolve(theirs.element))
            default: return false
            }
        }
        return false
    }
}
