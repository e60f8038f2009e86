import Model

/// The members of a JSON object, each taken once; whoever is done asks whether any is left.
struct Fields {
    private let place: String
    private var left: [String: JSON]

    /// `place` is the object's path, for the reason of a refusal; empty for the outermost.
    init(_ json: JSON, at place: String) throws(Refusal) {
        guard case .object(let members) = json else {
            throw place.isEmpty ? .malformed("it is not a JSON object") : .badField(place)
        }
        self.place = place
        left = members
    }

    func has(_ name: String) -> Bool { left[name] != nil }

    func path(_ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }

    /// A field that nobody understands may be a condition, so it is never passed over.
    func finish() throws(Refusal) {
        if let name = left.keys.min() { throw .unknownField(path(name)) }
    }

    private mutating func take(_ name: String) throws(Refusal) -> JSON {
        guard let value = left.removeValue(forKey: name) else { throw .badField(path(name)) }
        return value
    }

    mutating func object(_ name: String) throws(Refusal) -> Fields { try Fields(try take(name), at: path(name)) }

    mutating func array(_ name: String) throws(Refusal) -> [JSON] {
        guard case .array(let elements) = try take(name) else { throw .badField(path(name)) }
        return elements
    }

    mutating func text(_ name: String, _ bytes: ClosedRange<Int>) throws(Refusal) -> String {
        guard case .string(let text) = try take(name), bytes.contains(text.utf8.count) else {
            throw .badField(path(name))
        }
        return text
    }

    mutating func name(_ name: String) throws(Refusal) -> String {
        try text(name, 1...AttestationClaims.maxNameBytes)
    }

    mutating func integer(_ name: String) throws(Refusal) -> Int64 {
        guard case .integer(let number) = try take(name) else { throw .badField(path(name)) }
        return number
    }

    mutating func hex(_ name: String, digits: Int) throws(Refusal) -> String {
        guard case .string(let text) = try take(name), Hex.isHex(text, digits: digits) else {
            throw .badField(path(name))
        }
        return text
    }

    /// SHA-256.
    mutating func digest(_ name: String) throws(Refusal) -> String { try hex(name, digits: 64) }

    mutating func base64(_ name: String) throws(Refusal) -> [UInt8] {
        guard case .string(let text) = try take(name), let bytes = Base64.decode(text) else {
            throw .badField(path(name))
        }
        return bytes
    }

    mutating func time(_ name: String) throws(Refusal) -> Int64 {
        guard case .string(let text) = try take(name), let seconds = UTC.seconds(text) else {
            throw .badField(path(name))
        }
        return seconds
    }
}
