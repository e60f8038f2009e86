import CLibBPF
package import Model

/// Where an object keeps what may be changed while it runs, and what is there when it is loaded.
package struct LiveLayout: Hashable, Sendable {
    package struct Place: Hashable, Sendable {
        package let type: ParameterType
        let offset: Int

        package init(type: ParameterType, offset: Int) {
            self.type = type
            self.offset = offset
        }
    }

    static let tunablesSection = ".data.tunables"
    static let layersSection = ".data.layers"
    static let statsMap = "schedcp_stats"

    package let tunables: [String: Place]
    /// As the object was compiled.
    package let compiled: [String: Int128]
    /// The layers that it is compiled with; nil where it has none.
    package let layers: LayerTable?

    package init(tunables: [String: Place], compiled: [String: Int128], layers: LayerTable?) {
        self.tunables = tunables
        self.compiled = compiled
        self.layers = layers
    }

    package static let none = LiveLayout(tunables: [:], compiled: [:], layers: nil)

    init(handle: borrowing ObjectHandle) {
        guard let types = TypeTable(object: handle.raw) else {
            self = .none
            return
        }
        var places: [String: Place] = [:]
        for variable in types.variables(inSection: Self.tunablesSection) where variable.offset >= 0 {
            guard let type = types.parameterType(of: variable.type), type.size == variable.size else { continue }
            places[variable.name] = Place(type: type, offset: variable.offset)
        }
        let tables = types.variables(inSection: Self.layersSection).filter {
            $0.name == LayerBytes.variable && $0.offset == 0 && $0.size == LayerBytes.size
        }
        self.init(
            tunables: places,
            compiled: Self.read(places, in: Self.initial(Self.tunablesSection, handle)),
            layers: tables.isEmpty ? nil : LayerBytes.decode(Self.initial(Self.layersSection, handle)))
    }

    /// The bytes that a section has before it is loaded.
    private static func initial(_ section: String, _ handle: borrowing ObjectHandle) -> [UInt8] {
        var size = 0
        guard let map = handle.section(section), let memory = bpf_map__initial_value(map, &size) else { return [] }
        // SAFETY: libbpf's memory of the section, of the size that it has just given.
        return Array(UnsafeRawBufferPointer(start: memory, count: size))
    }

    static func read(_ places: [String: Place], in bytes: [UInt8]) -> [String: Int128] {
        var values: [String: Int128] = [:]
        for (name, place) in places where place.offset + place.type.size <= bytes.count {
            values[name] = number(place, bytes)
        }
        return values
    }

    private static func number(_ place: Place, _ bytes: [UInt8]) -> Int128 {
        let raw = LittleEndian.number(bytes, at: place.offset, size: place.type.size)
        guard place.type.isSigned else { return place.type == .bool ? (raw == 0 ? 0 : 1) : Int128(raw) }
        let unused = UInt64(64 - place.type.size * 8)
        return Int128(Int64(bitPattern: raw << unused) >> Int64(unused))
    }

    /// The section with these values in it.
    /// - Throws: where the object has no such variable, or one of another type.
    func patch(_ bytes: [UInt8], with values: [ParameterValue]) throws(Failure) -> [UInt8] {
        var bytes = bytes
        for value in values {
            guard let place = tunables[value.name], place.offset + place.type.size <= bytes.count else {
                throw Failure(
                    .invalidArgument, "the object has no tunable variable \(value.name.quotedForDisplay())")
            }
            guard place.type == value.type else {
                throw Failure(
                    .malformedObject,
                    "'\(value.name)' is \(place.type.rawValue) in the object and \(value.type.rawValue) in its description"
                )
            }
            bytes.replaceSubrange(place.offset..<(place.offset + place.type.size), with: value.bytes)
        }
        return bytes
    }
}
