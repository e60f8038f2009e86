/// CRC-32C (Castagnoli; RFC 3720, appendix B.4), reflected, table driven.
package struct Checksum: Sendable {
    private static let table: [UInt32] = (0..<256).map { (index: UInt32) in
        (0..<8).reduce(index) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
    }

    private var register: UInt32

    /// Starts anew, or goes on from the value of an earlier checksum.
    package init(after earlier: UInt32 = 0) { register = ~earlier }

    package var value: UInt32 { ~register }

    package mutating func update(_ bytes: some Sequence<UInt8>) {
        let table = Self.table
        for byte in bytes {
            register = register >> 8 ^ table[Int(UInt8(truncatingIfNeeded: register) ^ byte)]
        }
    }

    package static func of(_ bytes: some Sequence<UInt8>, after earlier: UInt32 = 0) -> UInt32 {
        var checksum = Checksum(after: earlier)
        checksum.update(bytes)
        return checksum.value
    }
}
