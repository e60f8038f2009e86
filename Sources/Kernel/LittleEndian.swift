/// Whole numbers as the bytes that a map's key or value has, on the machines that there are for this: x86-64 and arm64.
enum LittleEndian {
    static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T(8 * $0)) }
    }

    /// The bytes are there: the caller has looked.
    static func number<T: FixedWidthInteger & UnsignedInteger>(_ bytes: [UInt8], at place: Int, _ type: T.Type) -> T {
        T(truncatingIfNeeded: number(bytes, at: place, size: T.bitWidth / 8))
    }

    /// - Parameter size: bytes, at most 8.
    static func number(_ bytes: [UInt8], at place: Int = 0, size: Int) -> UInt64 {
        bytes[place..<place + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
