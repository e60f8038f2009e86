/// Types as BTF describes them: a kernel's, or those of an object.
///
/// One copy of the bytes and an index; nothing is allocated for a type until it is asked for, so that a kernel's 5 MB
/// are ready in milliseconds. Ids in the bytes are checked when they are read, so that a lookup cannot go astray, but
/// types may refer to each other in circles: whoever follows them counts his steps.
package struct BTF: Sendable {
    package typealias TypeID = UInt32

    package enum Kind: UInt8, CaseIterable, Sendable {
        case void = 0
        case int, pointer, array, structure, union, enumeration, forward, typedef, volatile, const, restrict
        case function, prototype, variable, dataSection, float, declarationTag, typeTag, enumeration64
    }

    /// One type, as it is: no typedef is followed.
    package struct Record: Hashable, Sendable {
        package var id: TypeID
        package var kind: Kind
        /// Members, enumerators, parameters or variables.
        package var count: Int
        /// Of structures: bit fields are marked; of enumerations: signed; of forwards: a union; of tags: an attribute.
        package var flag: Bool
        /// Bytes, where the kind has a size; else the id of what it refers to.
        package var sizeOrType: UInt32
        /// Where the name is among the strings.
        var nameOffset: UInt32
        /// Where what follows the fixed part begins.
        var payload: Int
    }

    /// The whole of BTF.
    let bytes: [UInt8]
    let strings: Range<Int>
    /// Where each type begins; index 0 is void.
    let starts: [UInt32]
    /// By name without its flavour.
    let names: NameIndex
    /// Enumerators by name; each is the id of its enumeration and its place there.
    let enumeratorNames: NameIndex
    let enumeratorOwners: [TypeID]
    let enumeratorPlaces: [UInt32]

    /// Without any type.
    package static var empty: BTF { BTF() }

    private init() {
        bytes = []
        strings = 0..<0
        starts = [0]
        names = NameIndex(count: 1)
        enumeratorNames = NameIndex(count: 0)
        enumeratorOwners = []
        enumeratorPlaces = []
    }

    /// Reads BTF of its own (not split).
    package init(parsing bytes: [UInt8]) throws(ObjectError) {
        let layout = try Self.readHeader(bytes)
        strings = layout.strings
        self.bytes = bytes
        starts = try Self.findTypes(bytes, layout.types, strings)
        (names, enumeratorNames, enumeratorOwners, enumeratorPlaces) = Self.index(bytes, starts, strings)
    }

    /// Types, without void.
    package var typeCount: Int { starts.count - 1 }

    /// The type; void for an id that does not exist.
    package func record(_ id: TypeID) -> Record {
        guard id > 0, Int(id) < starts.count else {
            return Record(id: 0, kind: .void, count: 0, flag: false, sizeOrType: 0, nameOffset: 0, payload: 0)
        }
        return Self.read(bytes, Int(starts[Int(id)]), id)
    }

    package func kind(_ id: TypeID) -> Kind { record(id).kind }

    /// The type's own name, flavour and all; empty where it has none.
    package func name(_ id: TypeID) -> String { string(record(id).nameOffset) }

    func string(_ offset: UInt32, limit: Int = BPFObject.Limit.nameLength) -> String {
        let start = strings.lowerBound + Int(offset)
        guard strings.contains(start) else { return "" }
        return bytes.text(at: start, limit: min(limit, strings.upperBound - start))
    }

    /// The ids of types with exactly this name, ascending.
    package func ids(named name: String, _ kind: Kind? = nil) -> [TypeID] {
        let wanted = Array(name.utf8)
        var found: [TypeID] = []
        for id in names.candidates(hash: NameIndex.hash(wanted[..<Flavour.essentialLength(wanted)])) {
            let record = record(id)
            guard kind == nil || record.kind == kind else { continue }
            if nameEquals(record.nameOffset, wanted[...]) { found.append(id) }
        }
        return found
    }

    /// The first type with exactly this name and kind.
    package func id(named name: String, _ kind: Kind) -> TypeID? { ids(named: name, kind).first }

    /// The ids of types whose names are equal to `name` but for flavours, ascending.
    func ids(essentially name: ArraySlice<UInt8>) -> [TypeID] {
        names.candidates(hash: NameIndex.hash(name)).filter { id in
            let own = nameBytes(record(id).nameOffset)
            return own.prefix(Flavour.essentialLength(own)).elementsEqual(name)
        }
    }

    func nameBytes(_ offset: UInt32) -> ArraySlice<UInt8> { Self.nameBytes(bytes, strings, offset) }

    private func nameEquals(_ offset: UInt32, _ wanted: ArraySlice<UInt8>) -> Bool {
        nameBytes(offset).elementsEqual(wanted)
    }

    /// The value of an enumerator, wherever it is defined; negative ones as two's complement.
    package func enumerator(named name: String) -> UInt64? {
        let wanted = Array(name.utf8)
        for entry in enumeratorNames.candidates(hash: NameIndex.hash(wanted[...])) {
            let owner = record(enumeratorOwners[Int(entry)])
            let place = Int(enumeratorPlaces[Int(entry)])
            let size = owner.kind == .enumeration64 ? 12 : 8
            guard let nameOffset = bytes.u32(at: owner.payload + place * size) else { continue }
            if nameEquals(nameOffset, wanted[...]) { return enumerator(of: owner, at: place)?.bits }
        }
        return nil
    }
}
