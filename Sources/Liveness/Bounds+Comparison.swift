/// The conditions of BPF's jumps, by the upper four bits of the opcode.
package enum Condition: UInt8, CaseIterable, Sendable {
    case equal = 0x10
    case greater = 0x20
    case greaterOrEqual = 0x30
    /// Bits in common.
    case sharesBits = 0x40
    case notEqual = 0x50
    case signedGreater = 0x60
    case signedGreaterOrEqual = 0x70
    case less = 0xA0
    case lessOrEqual = 0xB0
    case signedLess = 0xC0
    case signedLessOrEqual = 0xD0

    package func holds(_ a: UInt64, _ b: UInt64, is32: Bool) -> Bool {
        let (x, y) = is32 ? (a & 0xFFFF_FFFF, b & 0xFFFF_FFFF) : (a, b)
        let s = is32 ? Int64(Int32(truncatingIfNeeded: x)) : Int64(bitPattern: x)
        let t = is32 ? Int64(Int32(truncatingIfNeeded: y)) : Int64(bitPattern: y)
        return switch self {
        case .equal: x == y
        case .notEqual: x != y
        case .greater: x > y
        case .greaterOrEqual: x >= y
        case .less: x < y
        case .lessOrEqual: x <= y
        case .sharesBits: x & y != 0
        case .signedGreater: s > t
        case .signedGreaterOrEqual: s >= t
        case .signedLess: s < t
        case .signedLessOrEqual: s <= t
        }
    }

    /// What holds where this does not; nil for the one that has no opposite among them.
    package var opposite: Condition? {
        switch self {
        case .equal: .notEqual
        case .notEqual: .equal
        case .greater: .lessOrEqual
        case .lessOrEqual: .greater
        case .less: .greaterOrEqual
        case .greaterOrEqual: .less
        case .signedGreater: .signedLessOrEqual
        case .signedLessOrEqual: .signedGreater
        case .signedLess: .signedGreaterOrEqual
        case .signedGreaterOrEqual: .signedLess
        case .sharesBits: nil
        }
    }

    /// The same with the sides exchanged.
    package var mirrored: Condition {
        switch self {
        case .equal, .notEqual, .sharesBits: self
        case .greater: .less
        case .less: .greater
        case .greaterOrEqual: .lessOrEqual
        case .lessOrEqual: .greaterOrEqual
        case .signedGreater: .signedLess
        case .signedLess: .signedGreater
        case .signedGreaterOrEqual: .signedLessOrEqual
        case .signedLessOrEqual: .signedGreaterOrEqual
        }
    }

    /// Which of the five ways in which two numbers can lie fulfil it: equal; less or greater unsigned, with less or
    /// greater signed. 0 where that does not decide it.
    package var ways: UInt8 {
        switch self {
        case .equal: 0b00001
        case .notEqual: 0b11110
        case .less: 0b00110
        case .greater: 0b11000
        case .lessOrEqual: 0b00111
        case .greaterOrEqual: 0b11001
        case .signedLess: 0b01010
        case .signedGreater: 0b10100
        case .signedLessOrEqual: 0b01011
        case .signedGreaterOrEqual: 0b10101
        case .sharesBits: 0
        }
    }

    /// A set of ways seen from the other side.
    package static func mirror(_ ways: UInt8) -> UInt8 {
        (ways & 1) | (ways & 2) << 3 | (ways & 4) << 1 | (ways & 8) >> 1 | (ways & 16) >> 3
    }
}

extension Bounds {
    /// The numbers of `self` for which the condition can hold with some number of `other`. Empty: it cannot.
    package func assuming(_ condition: Condition, _ other: Bounds, is32: Bool) -> Bounds {
        if isEmpty || other.isEmpty { return .none }
        return is32 ? assuming32(condition, other) : assuming64(condition, other)
    }

    private func assuming64(_ condition: Condition, _ other: Bounds) -> Bounds {
        let u = other.unsigned
        let s = other.signed
        switch condition {
        case .equal: return meet(other)
        case .notEqual:
            guard let value = other.constant else { return self }
            return excluding(value)
        case .less: return u.high == 0 ? .none : with(Interval(0, u.high - 1))
        case .lessOrEqual: return with(Interval(0, u.high))
        case .greater: return u.low == .max ? .none : with(Interval(u.low + 1, .max))
        case .greaterOrEqual: return with(Interval(u.low, .max))
        case .signedLess: return s.high == .min ? .none : with(Interval(.min, s.high - 1))
        case .signedLessOrEqual: return with(Interval(.min, s.high))
        case .signedGreater: return s.low == .max ? .none : with(Interval(s.low + 1, .max))
        case .signedGreaterOrEqual: return with(Interval(s.low, .max))
        case .sharesBits: return sharing(other.bits.value | other.bits.unknown)
        }
    }

    private func assuming32(_ condition: Condition, _ other: Bounds) -> Bounds {
        let u = other.unsigned32
        let s = other.signed32
        switch condition {
        case .equal: return with(u).with(s).with(lowBits: other.bits)
        case .notEqual:
            guard u.isConstant else { return self }
            return excluding32(u.low)
        case .less: return u.high == 0 ? .none : with(Interval<UInt32>(0, u.high - 1))
        case .lessOrEqual: return with(Interval<UInt32>(0, u.high))
        case .greater: return u.low == .max ? .none : with(Interval<UInt32>(u.low + 1, .max))
        case .greaterOrEqual: return with(Interval<UInt32>(u.low, .max))
        case .signedLess: return s.high == .min ? .none : with(Interval<Int32>(.min, s.high - 1))
        case .signedLessOrEqual: return with(Interval<Int32>(.min, s.high))
        case .signedGreater: return s.low == .max ? .none : with(Interval<Int32>(s.low + 1, .max))
        case .signedGreaterOrEqual: return with(Interval<Int32>(s.low, .max))
        case .sharesBits: return sharing((other.bits.value | other.bits.unknown) & 0xFFFF_FFFF)
        }
    }

    /// The numbers of `self` without a bit in common with the constant `mask`.
    package func sharingNothing(with mask: UInt64) -> Bounds {
        meet(Bounds(bits: KnownBits(value: 0, unknown: ~mask)))
    }

    private func sharing(_ possible: UInt64) -> Bounds {
        if (bits.value | bits.unknown) & possible == 0 { return .none }
        // One bit only: then that is the one.
        if possible.nonzeroBitCount == 1 { return meet(Bounds(bits: KnownBits(value: possible, unknown: ~possible))) }
        return excluding(0)
    }

    private func excluding(_ value: UInt64) -> Bounds {
        if constant == value { return .none }
        var result = self
        result.unsigned = unsigned.excluding(value)
        result.signed = signed.excluding(Int64(bitPattern: value))
        // With one unknown bit there are two numbers, and this is not the one.
        if bits.unknown.nonzeroBitCount == 1, bits.contains(value) {
            return Bounds(value ^ bits.unknown).meet(result)
        }
        return result.settled
    }

    private func excluding32(_ value: UInt32) -> Bounds {
        if unsigned32.isConstant, unsigned32.low == value { return .none }
        var result = self
        result.unsigned32 = unsigned32.excluding(value)
        result.signed32 = signed32.excluding(Int32(bitPattern: value))
        return result.settled
    }

    private func with(_ interval: Interval<UInt64>) -> Bounds { meet(Bounds(unsigned: interval)) }
    private func with(_ interval: Interval<Int64>) -> Bounds { meet(Bounds(signed: interval)) }
    private func with(_ interval: Interval<UInt32>) -> Bounds { meet(Bounds(unsigned32: interval)) }
    private func with(_ interval: Interval<Int32>) -> Bounds { meet(Bounds(signed32: interval)) }
    private func with(lowBits: KnownBits) -> Bounds {
        meet(
            Bounds(
                bits: KnownBits(value: lowBits.value & 0xFFFF_FFFF, unknown: lowBits.unknown | 0xFFFF_FFFF_0000_0000)))
    }
}
