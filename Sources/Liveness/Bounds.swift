/// What is known of a 64-bit number: five views of it, each of which bounds it, kept in step with each other.
package struct Bounds: Hashable, Sendable {
    package var unsigned: Interval<UInt64>
    package var signed: Interval<Int64>
    /// The lower half, as an unsigned and as a signed number.
    package var unsigned32: Interval<UInt32>
    package var signed32: Interval<Int32>
    package var bits: KnownBits

    package init(
        unsigned: Interval<UInt64> = .full, signed: Interval<Int64> = .full, unsigned32: Interval<UInt32> = .full,
        signed32: Interval<Int32> = .full, bits: KnownBits = .none
    ) {
        self.unsigned = unsigned
        self.signed = signed
        self.unsigned32 = unsigned32
        self.signed32 = signed32
        self.bits = bits
    }

    package static let any = Bounds()
    package static let none = Bounds(unsigned: Interval(1, 0))

    package init(_ value: UInt64) {
        let low = UInt32(truncatingIfNeeded: value)
        self.init(
            unsigned: Interval(value), signed: Interval(Int64(bitPattern: value)), unsigned32: Interval(low),
            signed32: Interval(Int32(bitPattern: low)), bits: KnownBits(value))
    }

    /// From `low` to `high`, unsigned.
    package static func range(_ low: UInt64, _ high: UInt64) -> Bounds {
        Bounds(unsigned: Interval(low, high)).settled
    }

    /// From `low` to `high`, signed.
    package static func signedRange(_ low: Int64, _ high: Int64) -> Bounds {
        Bounds(signed: Interval(low, high)).settled
    }

    /// The lower half from `low` to `high`, signed, and the upper half unknown: what a function that returns an `int` gives.
    package static func lower(_ low: Int32, _ high: Int32) -> Bounds {
        Bounds(signed32: Interval(low, high)).settled
    }

    package var isEmpty: Bool { unsigned.isEmpty || signed.isEmpty || unsigned32.isEmpty || signed32.isEmpty }
    package var constant: UInt64? { unsigned.isConstant ? unsigned.low : nil }
    package var isAny: Bool { self == .any }

    package func contains(_ value: UInt64) -> Bool {
        let low = UInt32(truncatingIfNeeded: value)
        return unsigned.contains(value) && signed.contains(Int64(bitPattern: value)) && unsigned32.contains(low)
            && signed32.contains(Int32(bitPattern: low)) && bits.contains(value)
    }

    package func meet(_ other: Bounds) -> Bounds {
        guard let bits = bits.meet(other.bits) else { return .none }
        return Bounds(
            unsigned: unsigned.meet(other.unsigned), signed: signed.meet(other.signed),
            unsigned32: unsigned32.meet(other.unsigned32), signed32: signed32.meet(other.signed32), bits: bits
        ).settled
    }

    package func join(_ other: Bounds) -> Bounds {
        if isEmpty { return other }
        if other.isEmpty { return self }
        return Bounds(
            unsigned: unsigned.join(other.unsigned), signed: signed.join(other.signed),
            unsigned32: unsigned32.join(other.unsigned32), signed32: signed32.join(other.signed32),
            bits: bits.join(other.bits))
    }

    /// What a loop may come to: bounds that grew are given up, on that side.
    package func widened(by later: Bounds) -> Bounds {
        func widen<T>(_ old: Interval<T>, _ new: Interval<T>) -> Interval<T> {
            Interval(new.low < old.low ? .min : old.low, new.high > old.high ? .max : old.high)
        }
        // From not negative to negative is not what counting does; so 0 is the first thing to fall back to.
        func widenSigned<T: SignedInteger>(_ old: Interval<T>, _ new: Interval<T>) -> Interval<T> {
            Interval(
                new.low < old.low ? (new.low >= 0 ? 0 : .min) : old.low, new.high > old.high ? .max : old.high)
        }
        return Bounds(
            unsigned: widen(unsigned, later.unsigned), signed: widenSigned(signed, later.signed),
            unsigned32: widen(unsigned32, later.unsigned32), signed32: widenSigned(signed32, later.signed32),
            bits: bits == later.bits ? bits : .none
        ).settled
    }

    /// Each view tightened by what the others say; the same numbers.
    package var settled: Bounds {
        var result = self
        result.settle()
        if !result.isEmpty { result.settle() }
        return result
    }

    private mutating func settle() {
        settleFromBits()
        settleSigns()
        settleHalves()
        guard !isEmpty else { return }
        if let met = bits.meet(KnownBits(from: unsigned.low, to: unsigned.high)),
            let both = met.meet(
                KnownBits(
                    value: KnownBits(from: UInt64(unsigned32.low), to: UInt64(unsigned32.high)).value,
                    unknown: KnownBits(from: UInt64(unsigned32.low), to: UInt64(unsigned32.high)).unknown
                        | 0xFFFF_FFFF_0000_0000))
        {
            bits = both
        } else {
            self = .none
        }
    }

    private mutating func settleFromBits() {
        let signBit: UInt64 = 1 << 63
        unsigned = unsigned.meet(Interval(bits.value, bits.value | bits.unknown))
        signed = signed.meet(
            Interval(
                Int64(bitPattern: bits.value | (bits.unknown & signBit)),
                Int64(bitPattern: bits.value | (bits.unknown & ~signBit))))
        let value = UInt32(truncatingIfNeeded: bits.value)
        let unknown = UInt32(truncatingIfNeeded: bits.unknown)
        unsigned32 = unsigned32.meet(Interval(value, value | unknown))
        signed32 = signed32.meet(
            Interval(
                Int32(bitPattern: value | (unknown & 1 << 31)), Int32(bitPattern: value | (unknown & ~(1 << 31)))))
    }

    /// Where a range lies on one side of the sign, the signed and the unsigned view are the same range.
    private mutating func settleSigns() {
        if unsigned.high <= UInt64(Int64.max) || unsigned.low > UInt64(Int64.max) {
            signed = signed.meet(Interval(Int64(bitPattern: unsigned.low), Int64(bitPattern: unsigned.high)))
        }
        if signed.low >= 0 || signed.high < 0 {
            unsigned = unsigned.meet(Interval(UInt64(bitPattern: signed.low), UInt64(bitPattern: signed.high)))
        }
        if unsigned32.high <= UInt32(Int32.max) || unsigned32.low > UInt32(Int32.max) {
            signed32 = signed32.meet(Interval(Int32(bitPattern: unsigned32.low), Int32(bitPattern: unsigned32.high)))
        }
        if signed32.low >= 0 || signed32.high < 0 {
            unsigned32 = unsigned32.meet(Interval(UInt32(bitPattern: signed32.low), UInt32(bitPattern: signed32.high)))
        }
    }

    private mutating func settleHalves() {
        guard !isEmpty else { return }
        let upper: UInt64 = 0xFFFF_FFFF_0000_0000
        if unsigned.low & upper == unsigned.high & upper {
            unsigned32 = unsigned32.meet(
                Interval(UInt32(truncatingIfNeeded: unsigned.low), UInt32(truncatingIfNeeded: unsigned.high)))
        }
        if signed.low >= Int64(Int32.min), signed.high <= Int64(Int32.max) {
            signed32 = signed32.meet(
                Interval(Int32(truncatingIfNeeded: signed.low), Int32(truncatingIfNeeded: signed.high)))
        }
        guard !isEmpty else { return }
        unsigned = unsigned.meet(
            Interval(
                unsigned.low & upper | UInt64(unsigned32.low), unsigned.high & upper | UInt64(unsigned32.high)))
    }

    /// The lower half with the upper half 0, as 32-bit operations leave it.
    package var zeroExtended: Bounds {
        if isEmpty { return .none }
        return Bounds(
            unsigned: Interval(UInt64(unsigned32.low), UInt64(unsigned32.high)), unsigned32: unsigned32,
            signed32: signed32, bits: bits.low32
        ).settled
    }

    /// The lower `width` bits (8, 16 or 32), extended with their sign.
    package func signExtended(_ width: Int) -> Bounds {
        if isEmpty { return .none }
        let half = Int64(1) << Int64(width - 1)
        let full = Bounds.signedRange(-half, half - 1)
        if width == 32 {
            return Bounds(signed: Interval(Int64(signed32.low), Int64(signed32.high)), unsigned32: unsigned32).settled
        }
        if signed.low >= -half, signed.high < half { return self }
        let mask = (UInt64(1) << UInt64(width)) - 1
        guard bits.unknown & mask == 0 else { return full }
        let low = bits.value & mask
        return Bounds(low & (1 << UInt64(width - 1)) == 0 ? low : low | ~mask)
    }
}
