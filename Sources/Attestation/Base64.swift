/// Base64 (RFC 4648) in which every value has one spelling in each alphabet: padding is demanded, unused bits are zero,
/// nothing else stands between the characters.
enum Base64 {
    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let standardValues = values(standard)
    private static let urlSafeValues = values(Array(standard.dropLast(2)) + Array("-_".utf8))
    private static let pad = UInt8(ascii: "=")

    private static func values(_ alphabet: [UInt8]) -> [UInt8?] {
        var table = [UInt8?](repeating: nil, count: 256)
        for (value, character) in alphabet.enumerated() { table[Int(character)] = UInt8(value) }
        return table
    }

    static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for byte in group { bits = bits << 8 | UInt32(byte) }
            bits <<= UInt32(3 - group.count) * 8
            for index in 0..<4 {
                out.append(index <= group.count ? standard[Int(bits >> UInt32(18 - 6 * index) & 63)] : pad)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Takes the standard or the URL-safe alphabet, as DSSE demands, but not a mixture.
    static func decode(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        return decode(characters, standardValues) ?? decode(characters, urlSafeValues)
    }

    private static func decode(_ characters: [UInt8], _ table: [UInt8?]) -> [UInt8]? {
        guard characters.count % 4 == 0 else { return nil }
        let padding = characters.suffix(2).reversed().prefix { $0 == pad }.count
        var out: [UInt8] = []
        out.reserveCapacity(characters.count / 4 * 3)
        var bits: UInt32 = 0
        var held = 0
        for character in characters.dropLast(padding) {
            guard let value = table[Int(character)] else { return nil }
            bits = (bits << 6 | UInt32(value)) & 0xFFFF
            held += 6
            if held >= 8 {
                held -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
            }
        }
        let unused = bits & ((1 << UInt32(held)) - 1)
        return unused == 0 ? out : nil
    }
}
