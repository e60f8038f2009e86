/// Reads JSON from an untrusted sender in one pass (RFC 8259, less what `JSON` leaves out). It recurses no deeper than
/// `maxDepth`, refuses a key that an object has twice however it is escaped, and takes no byte after the value.
struct JSONReader {
    static let maxDepth = 16

    private let bytes: [UInt8]
    private var at = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func parse(_ bytes: [UInt8]) throws(Refusal) -> JSON {
        var reader = JSONReader(bytes)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.at == bytes.count else { throw reader.malformed("there is something after the end of the JSON") }
        return value
    }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private func malformed(_ what: String) -> Refusal { .malformed("\(what), at byte \(at)") }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func value(depth: Int) throws(Refusal) -> JSON {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"): return .integer(try integer())
        case .some(let byte) where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte):
            return .integer(try integer())
        default: throw malformed("a JSON value is missing")
        }
    }

    private mutating func object(depth: Int) throws(Refusal) -> JSON {
        guard depth <= Self.maxDepth else { throw .nestedTooDeep }
        at += 1
        var members: [String: JSON] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw malformed("the key of an object is missing") }
            let key = try string()
            // Swift compares text by what it means, not by its bytes: "K" equals the Kelvin sign.
            guard key.utf8.allSatisfy({ $0 < 0x80 }) else { throw malformed("a key is not ASCII") }
            skipSpace()
            guard take(":") else { throw malformed("a colon is missing") }
            let value = try value(depth: depth)
            guard members.updateValue(value, forKey: key) == nil else { throw .duplicateKey(key) }
            skipSpace()
        } while take(",")
        guard take("}") else { throw malformed("an object is not closed") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(Refusal) -> JSON {
        guard depth <= Self.maxDepth else { throw .nestedTooDeep }
        at += 1
        var elements: [JSON] = []
        skipSpace()
        if take("]") { return .array(elements) }
        repeat {
            elements.append(try value(depth: depth))
            skipSpace()
        } while take(",")
        guard take("]") else { throw malformed("an array is not closed") }
        return .array(elements)
    }

    private mutating func word(_ word: String, _ value: JSON) throws(Refusal) -> JSON {
        guard bytes[at...].starts(with: word.utf8) else { throw malformed("a JSON value is missing") }
        at += word.utf8.count
        return value
    }

    /// Whole numbers of 64 bits in their one spelling.
    private mutating func integer() throws(Refusal) -> Int64 {
        let start = at
        if next == UInt8(ascii: "-") { at += 1 }
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { at += 1 }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        guard text.utf8.count <= 20, let number = Int64(text), String(number) == text else {
            throw malformed("a number is not a whole number of 64 bits")
        }
        if let byte = next, byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e") {
            throw malformed("a number is not a whole number of 64 bits")
        }
        return number
    }

    private mutating func string() throws(Refusal) -> String {
        at += 1
        var out: [UInt8] = []
        while let byte = next {
            at += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: out, as: UTF8.self) else { throw malformed("text is not UTF-8") }
                return text
            case UInt8(ascii: "\\"): try escape(into: &out)
            case 0..<0x20: throw malformed("a control character is not escaped")
            default: out.append(byte)
            }
        }
        throw malformed("text is not closed")
    }

    private mutating func escape(into out: inout [UInt8]) throws(Refusal) {
        guard let byte = next else { throw malformed("text is not closed") }
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            guard let scalar = Unicode.Scalar(try codePoint()) else { throw malformed("half of a surrogate pair") }
            out += Array(String(scalar).utf8)
        default: throw malformed("an unknown escape")
        }
    }

    /// After `\u`: four digits, and four more where they are the first half of a surrogate pair.
    private mutating func codePoint() throws(Refusal) -> UInt32 {
        let first = try fourDigits()
        guard (0xD800..<0xDC00).contains(first) else { return first }
        guard take("\\"), take("u") else { throw malformed("half of a surrogate pair") }
        let second = try fourDigits()
        guard (0xDC00..<0xE000).contains(second) else { throw malformed("half of a surrogate pair") }
        return 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
    }

    private mutating func fourDigits() throws(Refusal) -> UInt32 {
        var number: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw malformed("four hexadecimal digits are missing")
            }
            number = number << 4 | UInt32(digit)
            at += 1
        }
        return number
    }
}
