extension BTF {
    struct Layout {
        var types: Range<Int>
        var strings: Range<Int>
    }

    static func readHeader(_ bytes: [UInt8]) throws(ObjectError) -> Layout {
        guard bytes.count <= BPFObject.Limit.btfBytes else {
            throw ObjectError(.tooLarge, "BTF of \(bytes.count) bytes is more than \(BPFObject.Limit.btfBytes)")
        }
        guard let magic = bytes.u16(at: 0), let headerLength = bytes.u32(at: 4), let typeOffset = bytes.u32(at: 8),
            let typeLength = bytes.u32(at: 12), let stringOffset = bytes.u32(at: 16),
            let stringLength = bytes.u32(at: 20)
        else { throw ObjectError(.truncated, "BTF ends within its header") }
        guard magic == 0xEB9F else { throw ObjectError(.malformed, "BTF does not begin with its magic number") }
        guard bytes[2] == 1 else { throw ObjectError(.unsupported, "BTF version \(bytes[2]) is unknown") }
        let base = Int(headerLength)
        guard base >= 24, let types = bytes.part(base + Int(typeOffset), Int(typeLength)),
            let strings = bytes.part(base + Int(stringOffset), Int(stringLength))
        else { throw ObjectError(.truncated, "BTF's types or strings go past its end") }
        guard let first = strings.first, first == 0, strings.last == 0 else {
            throw ObjectError(.malformed, "BTF's strings do not begin and end with a zero byte")
        }
        return Layout(types: types.indices, strings: strings.indices)
    }

    /// The fixed part of a type; what cannot be there was refused before.
    static func read(_ bytes: [UInt8], _ start: Int, _ id: TypeID) -> Record {
        let info = bytes.u32(at: start + 4) ?? 0
        return Record(
            id: id, kind: Kind(rawValue: UInt8(truncatingIfNeeded: info >> 24 & 0x1F)) ?? .void,
            count: Int(info & 0xFF_FFFF), flag: info >> 31 == 1, sizeOrType: bytes.u32(at: start + 8) ?? 0,
            nameOffset: bytes.u32(at: start) ?? 0, payload: start + 12)
    }

    /// Bytes after the fixed part.
    private static func payloadSize(_ record: Record) -> Int {
        switch record.kind {
        case .int, .variable, .declarationTag: 4
        case .array: 12
        case .structure, .union, .dataSection, .enumeration64: 12 * record.count
        case .enumeration, .prototype: 8 * record.count
        case .void, .pointer, .forward, .typedef, .volatile, .const, .restrict, .function, .float, .typeTag: 0
        }
    }

    static func findTypes(_ bytes: [UInt8], _ types: Range<Int>, _ strings: Range<Int>) throws(ObjectError)
        -> [UInt32]
    {
        var starts: [UInt32] = [0]
        starts.reserveCapacity(types.count / 24)
        var at = types.lowerBound
        while at < types.upperBound {
            guard types.upperBound - at >= 12 else { throw ObjectError(.truncated, "BTF's last type is cut off") }
            let record = read(bytes, at, UInt32(starts.count))
            guard record.kind != .void else {
                throw ObjectError(.unsupported, "BTF's type \(starts.count) is of an unknown kind")
            }
            guard Int(record.nameOffset) < strings.count else {
                throw ObjectError(.malformed, "the name of BTF's type \(starts.count) is outside its strings")
            }
            let size = payloadSize(record)
            guard types.upperBound - record.payload >= size else {
                throw ObjectError(.truncated, "BTF's type \(starts.count) goes past the end of the types")
            }
            starts.append(UInt32(at))
            at = record.payload + size
        }
        try checkReferences(bytes, starts)
        return starts
    }

    private static func checkReferences(_ bytes: [UInt8], _ starts: [UInt32]) throws(ObjectError) {
        let count = UInt32(starts.count)
        for id in 1..<count {
            let record = read(bytes, Int(starts[Int(id)]), id)
            var good = true
            switch record.kind {
            case .pointer, .typedef, .volatile, .const, .restrict, .function, .variable, .declarationTag, .typeTag:
                good = record.sizeOrType < count
            case .prototype:
                good = record.sizeOrType < count && payload(bytes, record, stride: 8, type: 4, below: count)
            case .array:
                good = (bytes.u32(at: record.payload) ?? count) < count
            case .structure, .union: good = payload(bytes, record, stride: 12, type: 4, below: count)
            case .dataSection: good = payload(bytes, record, stride: 12, type: 0, below: count)
            case .void, .int, .enumeration, .forward, .float, .enumeration64: break
            }
            guard good else {
                throw ObjectError(.malformed, "BTF's type \(id) refers to a type that does not exist")
            }
        }
    }

    private static func payload(_ bytes: [UInt8], _ record: Record, stride: Int, type: Int, below count: UInt32) -> Bool
    {
        for index in 0..<record.count {
            guard let id = bytes.u32(at: record.payload + index * stride + type), id < count else { return false }
        }
        return true
    }

    static func nameBytes(_ bytes: [UInt8], _ strings: Range<Int>, _ offset: UInt32) -> ArraySlice<UInt8> {
        let start = strings.lowerBound + Int(offset)
        guard strings.contains(start) else { return [] }
        var end = start
        let limit = min(strings.upperBound, start + BPFObject.Limit.nameLength)
        while end < limit, bytes[end] != 0 { end += 1 }
        return bytes[start..<end]
    }

    /// Indexes types and enumerators by name, so that each name's entries come out in ascending order.
    static func index(
        _ bytes: [UInt8], _ starts: [UInt32], _ strings: Range<Int>
    ) -> (NameIndex, NameIndex, [TypeID], [UInt32]) {
        var types = NameIndex(count: starts.count)
        var owners: [TypeID] = []
        var places: [UInt32] = []
        var offsets: [UInt32] = []
        for id in 1..<UInt32(starts.count) {
            let record = read(bytes, Int(starts[Int(id)]), id)
            guard record.kind == .enumeration || record.kind == .enumeration64 else { continue }
            let stride = record.kind == .enumeration64 ? 12 : 8
            for place in 0..<record.count {
                owners.append(id)
                places.append(UInt32(place))
                offsets.append(bytes.u32(at: record.payload + place * stride) ?? 0)
            }
        }
        var enumerators = NameIndex(count: owners.count)
        for entry in owners.indices.reversed() {
            enumerators.insert(UInt32(entry), hash: NameIndex.hash(nameBytes(bytes, strings, offsets[entry])))
        }
        for id in (1..<UInt32(starts.count)).reversed() {
            let offset = read(bytes, Int(starts[Int(id)]), id).nameOffset
            guard offset != 0 else { continue }
            let name = nameBytes(bytes, strings, offset)
            types.insert(id, hash: NameIndex.hash(name.prefix(Flavour.essentialLength(name))))
        }
        return (types, enumerators, owners, places)
    }
}

/// From a name's hash to the entries that have it, newest first, without an allocation an entry.
struct NameIndex: Sendable {
    private var heads: [UInt32]
    private var next: [UInt32]
    private var hashes: [UInt32]
    private static let none = UInt32.max

    init(count: Int) {
        var buckets = 16
        while buckets < count { buckets *= 2 }
        heads = Array(repeating: Self.none, count: buckets)
        next = Array(repeating: Self.none, count: count)
        hashes = Array(repeating: 0, count: count)
    }

    /// FNV-1a.
    static func hash(_ name: ArraySlice<UInt8>) -> UInt32 {
        var value: UInt32 = 2_166_136_261
        for byte in name { value = (value ^ UInt32(byte)) &* 16_777_619 }
        return value
    }

    mutating func insert(_ entry: UInt32, hash: UInt32) {
        let bucket = Int(hash) & (heads.count - 1)
        hashes[Int(entry)] = hash
        next[Int(entry)] = heads[bucket]
        heads[bucket] = entry
    }

    /// Entries with this hash; their names may differ still.
    func candidates(hash: UInt32) -> [UInt32] {
        var found: [UInt32] = []
        var entry = heads[Int(hash) & (heads.count - 1)]
        var left = BPFObject.Limit.sameName
        while entry != Self.none, left > 0 {
            left -= 1
            if hashes[Int(entry)] == hash { found.append(entry) }
            entry = next[Int(entry)]
        }
        return found
    }
}
