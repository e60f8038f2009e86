/// Writes little-endian integers and length-prefixed strings.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    mutating func raw(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    mutating func integer<T: FixedWidthInteger & UnsignedInteger>(_ value: T) {
        for shift in stride(from: 0, to: T.bitWidth, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }

    mutating func string(_ text: String) {
        integer(UInt32(truncatingIfNeeded: text.utf8.count))
        raw(text.utf8)
    }

    mutating func strings(_ list: [String]) {
        integer(UInt32(truncatingIfNeeded: list.count))
        for text in list { string(text) }
    }
}

/// Reads what ``ByteWriter`` wrote, from bytes that may be anything.
struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func raw(_ count: Int) throws(ProtocolError) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw ProtocolError(.malformed, "the message ends too early") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func integer<T: FixedWidthInteger & UnsignedInteger>(_: T.Type = T.self) throws(ProtocolError)
        -> T
    {
        var value: T = 0
        for (index, byte) in try raw(T.bitWidth / 8).enumerated() { value |= T(byte) << T(8 * index) }
        return value
    }

    mutating func string() throws(ProtocolError) -> String {
        let length: UInt32 = try integer()
        guard let text = String(validating: try raw(Int(length)), as: UTF8.self) else {
            throw ProtocolError(.malformed, "a text is not UTF-8")
        }
        return text
    }

    /// A list is no longer than its bytes allow: each text takes at least its length field.
    mutating func strings() throws(ProtocolError) -> [String] {
        let count: UInt32 = try integer()
        guard Int(count) <= rest.count / 4 else {
            throw ProtocolError(.malformed, "a list is longer than its message")
        }
        var list: [String] = []
        list.reserveCapacity(Int(count))
        for _ in 0..<count { list.append(try string()) }
        return list
    }

    mutating func flag() throws(ProtocolError) -> Bool {
        switch try integer(UInt8.self) {
        case 0: return false
        case 1: return true
        case let other: throw ProtocolError(.malformed, "\(other) is neither true nor false")
        }
    }

    /// Everything that is left.
    mutating func remainder() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }

    func finish() throws(ProtocolError) {
        guard rest.isEmpty else { throw ProtocolError(.malformed, "\(rest.count) bytes follow the message") }
    }
}
