/// The answer to a relocation in one set of types.
struct CoreValue: Hashable {
    var value: UInt64
    /// The size of the field's load or store and the field's type; nil where the size must not be adjusted.
    var access: Access?
    /// The number that the object has now may be another one, as for a type's id.
    var isUnchecked = false

    struct Access: Hashable {
        var size: Int
        var isPointer: Bool
        var isUnsigned: Bool
    }
}

extension BTF {
    /// What the relocation asks of the thing that was found, or nil where it cannot be said.
    func value(of found: CoreSpecification, _ kind: RelocationKind) -> CoreValue? {
        switch kind {
        case .fieldExists, .typeExists, .typeMatches, .enumeratorExists: return CoreValue(value: 1)
        case .typeIDLocal, .typeIDTarget: return CoreValue(value: UInt64(found.root), isUnchecked: true)
        case .typeSize: return size(of: found.root).map { CoreValue(value: UInt64($0)) }
        case .enumeratorValue:
            guard let step = found.steps.first, let enumerator = enumerator(of: record(step.type), at: step.index)
            else { return nil }
            return CoreValue(value: enumerator.bits)
        case .fieldByteOffset, .fieldByteSize, .fieldSigned, .fieldLeftShift, .fieldRightShift:
            return fieldValue(of: found, kind)
        }
    }

    private func fieldValue(of found: CoreSpecification, _ kind: RelocationKind) -> CoreValue? {
        guard let last = found.steps.last else { return nil }
        guard last.name != nil, let member = member(of: record(last.type), at: last.index) else {
            // An element of an array, or the whole type.
            switch kind {
            case .fieldByteOffset:
                return CoreValue(value: UInt64(found.bitOffset / 8), access: access(to: last.type))
            case .fieldByteSize: return size(of: last.type).map { CoreValue(value: UInt64($0)) }
            default: return nil
            }
        }
        guard let place = storage(of: member, atBit: found.bitOffset) else { return nil }
        switch kind {
        case .fieldByteOffset:
            return CoreValue(
                value: UInt64(place.byteOffset), access: place.isBitfield ? nil : access(to: member.type))
        case .fieldByteSize: return CoreValue(value: UInt64(place.byteSize))
        case .fieldSigned:
            let type = record(resolve(member.type))
            let isEnumeration = type.kind == .enumeration || type.kind == .enumeration64
            let isSigned = isEnumeration ? type.flag : integer(type.id)?.isSigned ?? false
            return CoreValue(value: isSigned ? 1 : 0)
        case .fieldLeftShift:
            return CoreValue(value: UInt64(max(64 - (found.bitOffset + place.bitSize - place.byteOffset * 8), 0)))
        case .fieldRightShift: return CoreValue(value: UInt64(max(64 - place.bitSize, 0)))
        default: return nil
        }
    }

    struct Storage {
        var byteOffset: Int
        var byteSize: Int
        var bitSize: Int
        var isBitfield: Bool
    }

    /// The bytes to load for a member: of a bit field the aligned word around it.
    func storage(of member: Member, atBit bitOffset: Int) -> Storage? {
        guard let size = size(of: member.type) else {
            // A flexible array has no size but has a place.
            guard array(resolve(member.type)) != nil, member.bitfieldSize == 0 else { return nil }
            return Storage(byteOffset: bitOffset / 8, byteSize: 0, bitSize: 0, isBitfield: false)
        }
        guard member.bitfieldSize > 0 else {
            return Storage(byteOffset: bitOffset / 8, byteSize: size, bitSize: size * 8, isBitfield: false)
        }
        guard size > 0, size <= 8 else { return nil }
        var word = size
        var offset = bitOffset / 8 / word * word
        while bitOffset + member.bitfieldSize - offset * 8 > word * 8 {
            guard word < 8 else { return nil }
            word *= 2
            offset = bitOffset / 8 / word * word
        }
        return Storage(byteOffset: offset, byteSize: word, bitSize: member.bitfieldSize, isBitfield: true)
    }

    /// How one element of the type is loaded or stored.
    private func access(to type: TypeID) -> CoreValue.Access? {
        var current = resolve(type)
        for _ in 0..<BPFObject.Limit.typeDepth {
            guard let array = array(current) else { break }
            current = resolve(array.element)
        }
        guard let size = size(of: current) else { return nil }
        let isInteger = kind(current) == .int
        return CoreValue.Access(
            size: size, isPointer: kind(current) == .pointer,
            isUnsigned: isInteger && !(integer(current)?.isSigned ?? true))
    }
}
