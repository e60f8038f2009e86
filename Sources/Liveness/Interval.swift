/// All numbers from `low` to `high`, in the order of `T`.
package struct Interval<T: FixedWidthInteger & Sendable>: Hashable, Sendable {
    package var low: T
    package var high: T

    package init(_ low: T, _ high: T) {
        self.low = low
        self.high = high
    }

    package init(_ value: T) { self.init(value, value) }

    package static var full: Self { Self(.min, .max) }

    package var isEmpty: Bool { low > high }
    package var isConstant: Bool { low == high }
    package var isFull: Bool { low == .min && high == .max }

    package func contains(_ value: T) -> Bool { low <= value && value <= high }

    package func meet(_ other: Self) -> Self { Self(max(low, other.low), min(high, other.high)) }
    package func join(_ other: Self) -> Self { Self(min(low, other.low), max(high, other.high)) }

    /// Without a number at one of its ends. One that is all there is leaves the empty interval.
    package func excluding(_ value: T) -> Self {
        if low == high { return low == value ? Self(.max, .min) : self }
        return Self(low == value ? low + 1 : low, high == value ? high - 1 : high)
    }

    package func adding(_ other: Self) -> Self {
        let (first, firstWraps) = low.addingReportingOverflow(other.low)
        let (last, lastWraps) = high.addingReportingOverflow(other.high)
        guard firstWraps == lastWraps, first <= last, !(T.isSigned && firstWraps) else { return .full }
        return Self(first, last)
    }

    package func subtracting(_ other: Self) -> Self {
        let (first, firstWraps) = low.subtractingReportingOverflow(other.high)
        let (last, lastWraps) = high.subtractingReportingOverflow(other.low)
        guard firstWraps == lastWraps, first <= last, !(T.isSigned && firstWraps) else { return .full }
        return Self(first, last)
    }

    package func multiplying(_ other: Self) -> Self {
        var least: T?
        var most: T?
        for a in [low, high] {
            for b in [other.low, other.high] {
                let (product, overflows) = a.multipliedReportingOverflow(by: b)
                if overflows { return .full }
                least = min(least ?? product, product)
                most = max(most ?? product, product)
            }
        }
        guard let least, let most else { return .full }
        return Self(least, most)
    }
}

/// A number of which some bits are known: where `unknown` has a 0, the bit is that of `value`.
package struct KnownBits: Hashable, Sendable {
    package var value: UInt64
    package var unknown: UInt64

    package init(value: UInt64, unknown: UInt64) {
        self.value = value & ~unknown
        self.unknown = unknown
    }

    package init(_ value: UInt64) { self.init(value: value, unknown: 0) }

    package static let none = KnownBits(value: 0, unknown: .max)

    package var isConstant: Bool { unknown == 0 }

    package func contains(_ number: UInt64) -> Bool { number & ~unknown == value }

    /// Both hold; nil where they contradict each other.
    package func meet(_ other: Self) -> Self? {
        guard (value ^ other.value) & ~unknown & ~other.unknown == 0 else { return nil }
        return Self(value: value | other.value, unknown: unknown & other.unknown)
    }

    package func join(_ other: Self) -> Self {
        Self(value: value, unknown: unknown | other.unknown | (value ^ other.value))
    }

    /// The bits that all numbers from `low` to `high` share.
    package init(from low: UInt64, to high: UInt64) {
        let differing = low ^ high
        let shared = differing == 0 ? 64 : differing.leadingZeroBitCount
        self.init(value: low, unknown: shared == 64 ? 0 : UInt64.max >> UInt64(shared))
    }

    package func adding(_ other: Self) -> Self {
        let masks = unknown &+ other.unknown
        let values = value &+ other.value
        let carries = (masks &+ values) ^ values
        return Self(value: values, unknown: carries | unknown | other.unknown)
    }

    package func subtracting(_ other: Self) -> Self {
        let difference = value &- other.value
        let changed = (difference &+ unknown) ^ (difference &- other.unknown)
        return Self(value: difference, unknown: changed | unknown | other.unknown)
    }

    package func and(_ other: Self) -> Self {
        let both = value & other.value
        return Self(value: both, unknown: (value | unknown) & (other.value | other.unknown) & ~both)
    }

    package func or(_ other: Self) -> Self {
        let either = value | other.value
        return Self(value: either, unknown: (unknown | other.unknown) & ~either)
    }

    package func xor(_ other: Self) -> Self {
        Self(value: value ^ other.value, unknown: unknown | other.unknown)
    }

    package func shiftedLeft(_ count: UInt64) -> Self { Self(value: value << count, unknown: unknown << count) }
    package func shiftedRight(_ count: UInt64) -> Self { Self(value: value >> count, unknown: unknown >> count) }

    package func arithmeticShiftedRight(_ count: UInt64) -> Self {
        Self(
            value: UInt64(bitPattern: Int64(bitPattern: value) >> Int64(count)),
            unknown: UInt64(bitPattern: Int64(bitPattern: unknown) >> Int64(count)))
    }

    /// By the schoolbook: the sum of shifted copies, one for each bit that may be set.
    package func multiplying(_ other: Self) -> Self {
        var sum = KnownBits(0)
        var left = self
        var right = other
        while right.value | right.unknown != 0 {
            if right.value & 1 == 1 {
                sum = sum.adding(left)
            } else if right.unknown & 1 == 1 {
                sum = sum.adding(KnownBits(value: 0, unknown: left.value | left.unknown))
            }
            left = left.shiftedLeft(1)
            right = right.shiftedRight(1)
        }
        return sum
    }

    /// The lower 32 bits, the upper ones 0.
    package var low32: Self { Self(value: value & 0xFFFF_FFFF, unknown: unknown & 0xFFFF_FFFF) }
}
