/// Numbers that look random and are the same on every run.
struct Generator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number as programs have them: often small, often at an edge, sometimes anything.
    mutating func number() -> UInt64 {
        let raw = next()
        switch raw % 8 {
        case 0: return next() % 16
        case 1: return next() % 1024
        case 2: return UInt64(bitPattern: -Int64(next() % 16))
        case 3:
            return [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, 1 << 63, .max, UInt64(Int64.max)][
                Int(next() % 9)]
        case 4: return next() & 0xFFFF_FFFF
        case 5: return 1 << (next() % 64)
        default: return next()
        }
    }
}
