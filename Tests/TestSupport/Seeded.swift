// TestSupport: what the fast tests share: seeds, temporary folders, child processes, a real daemon, and a client that
// sends whatever it is told to.

/// A generator of random numbers that can be repeated (SplitMix64). Tests take the seed as an argument, so that a failure
/// names it.
package struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    package init(_ seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    package mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<max(1, bound), using: &self) }

    package mutating func chance(_ part: Int) -> Bool { below(part) == 0 }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }

    /// Text of up to `limit` scalars: mostly plain, with control, multi-byte and reordering characters among them.
    package mutating func text(_ limit: Int = 24) -> String {
        var out = ""
        for _ in 0..<below(limit + 1) {
            let scalar: Unicode.Scalar? =
                switch below(8) {
                case 0: Unicode.Scalar(UInt32.random(in: 0...0x1F, using: &self))
                case 1: Unicode.Scalar(UInt32.random(in: 0x80...0x2FFF, using: &self))
                case 2: Unicode.Scalar(UInt32.random(in: 0x1_0000...0x10_FFFF, using: &self))
                default: Unicode.Scalar(UInt32.random(in: 0x20...0x7E, using: &self))
                }
            if let scalar { out.unicodeScalars.append(scalar) }
        }
        return out
    }
}
