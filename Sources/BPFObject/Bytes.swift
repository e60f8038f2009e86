/// Little-endian numbers out of bytes; nil where they would go past the end.
extension [UInt8] {
    func u16(at offset: Int) -> UInt16? {
        guard offset >= 0, count >= 2, offset <= count - 2 else { return nil }
        return UInt16(self[offset]) | UInt16(self[offset + 1]) << 8
    }

    func u32(at offset: Int) -> UInt32? {
        guard offset >= 0, count >= 4, offset <= count - 4 else { return nil }
        return UInt32(self[offset]) | UInt32(self[offset + 1]) << 8 | UInt32(self[offset + 2]) << 16
            | UInt32(self[offset + 3]) << 24
    }

    func u64(at offset: Int) -> UInt64? {
        guard let low = u32(at: offset), let high = u32(at: offset + 4) else { return nil }
        return UInt64(low) | UInt64(high) << 32
    }

    /// An unsigned number of 1, 2, 4 or 8 bytes.
    func number(at offset: Int, size: Int) -> UInt64? {
        switch size {
        case 1: indices.contains(offset) ? UInt64(self[offset]) : nil
        case 2: u16(at: offset).map(UInt64.init)
        case 4: u32(at: offset).map(UInt64.init)
        case 8: u64(at: offset)
        default: nil
        }
    }

    /// The bytes from `offset`; nil where they are not all there.
    func part(_ offset: Int, _ length: Int) -> ArraySlice<UInt8>? {
        guard offset >= 0, length >= 0, offset <= count, length <= count - offset else { return nil }
        return self[offset..<offset + length]
    }

    /// Text up to the first zero byte or the end, at most `limit` bytes.
    func text(at offset: Int, limit: Int = BPFObject.Limit.nameLength) -> String {
        guard indices.contains(offset) else { return "" }
        let end = Swift.min(count, offset + limit)
        let stop = self[offset..<end].firstIndex(of: 0) ?? end
        return String(decoding: self[offset..<stop], as: UTF8.self)
    }

    mutating func store(_ value: UInt64, at offset: Int, size: Int) {
        guard offset >= 0, size >= 0, size <= 8, offset <= count, size <= count - offset else { return }
        for index in 0..<size { self[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }
}

/// A name without its flavour: `task_struct___old` and `task_struct` mean the same type. As the loader has it, the
/// flavour begins at the last `___` that has a character before it and is not followed by another underscore.
enum Flavour {
    /// How many of the name's bytes are essential.
    static func essentialLength<Name: RandomAccessCollection>(_ name: Name) -> Int
    where Name.Element == UInt8, Name.Index == Int {
        let underscore = UInt8(ascii: "_")
        guard name.count >= 5 else { return name.count }
        let start = name.startIndex
        var index = name.count - 5
        while index >= 0 {
            let at = start + index
            if name[at] != underscore, name[at + 1] == underscore, name[at + 2] == underscore,
                name[at + 3] == underscore, name[at + 4] != underscore
            {
                return index + 1
            }
            index -= 1
        }
        return name.count
    }

    static func essential(_ name: String) -> String {
        let bytes = Array(name.utf8)
        let length = essentialLength(bytes)
        return length == bytes.count ? name : String(decoding: bytes[..<length], as: UTF8.self)
    }
}
