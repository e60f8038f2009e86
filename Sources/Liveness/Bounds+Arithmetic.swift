/// The operations of BPF's arithmetic instructions, by the upper four bits of the opcode.
package enum Operation: UInt8, CaseIterable, Sendable {
    case add = 0x00
    case subtract = 0x10
    case multiply = 0x20
    case divide = 0x30
    case or = 0x40
    case and = 0x50
    case shiftLeft = 0x60
    case shiftRight = 0x70
    case modulo = 0x90
    case xor = 0xA0
    case arithmeticShiftRight = 0xC0
    /// Signed division and remainder are coded as the unsigned ones with offset 1; here they have numbers of their own.
    case signedDivide = 0x31
    case signedModulo = 0x91

    /// What the machine does with two numbers; `is32` takes the lower halves and clears the upper half of the result.
    package func apply(_ a: UInt64, _ b: UInt64, is32: Bool) -> UInt64 {
        if is32 {
            let result = apply32(UInt32(truncatingIfNeeded: a), UInt32(truncatingIfNeeded: b))
            return UInt64(result)
        }
        let x = Int64(bitPattern: a)
        let y = Int64(bitPattern: b)
        return switch self {
        case .add: a &+ b
        case .subtract: a &- b
        case .multiply: a &* b
        case .divide: b == 0 ? 0 : a / b
        case .modulo: b == 0 ? a : a % b
        case .or: a | b
        case .and: a & b
        case .xor: a ^ b
        case .shiftLeft: a << (b & 63)
        case .shiftRight: a >> (b & 63)
        case .arithmeticShiftRight: UInt64(bitPattern: x >> (y & 63))
        case .signedDivide: UInt64(bitPattern: y == 0 ? 0 : x.dividedReportingOverflow(by: y).partialValue)
        case .signedModulo: UInt64(bitPattern: y == 0 ? x : y == -1 ? 0 : x % y)
        }
    }

    private func apply32(_ a: UInt32, _ b: UInt32) -> UInt32 {
        let x = Int32(bitPattern: a)
        let y = Int32(bitPattern: b)
        return switch self {
        case .add: a &+ b
        case .subtract: a &- b
        case .multiply: a &* b
        case .divide: b == 0 ? 0 : a / b
        case .modulo: b == 0 ? a : a % b
        case .or: a | b
        case .and: a & b
        case .xor: a ^ b
        case .shiftLeft: a << (b & 31)
        case .shiftRight: a >> (b & 31)
        case .arithmeticShiftRight: UInt32(bitPattern: x >> (y & 31))
        case .signedDivide: UInt32(bitPattern: y == 0 ? 0 : x.dividedReportingOverflow(by: y).partialValue)
        case .signedModulo: UInt32(bitPattern: y == 0 ? x : y == -1 ? 0 : x % y)
        }
    }
}

extension Bounds {
    /// Contains every result of the operation on numbers of the two.
    package func applying(_ operation: Operation, _ other: Bounds, is32: Bool) -> Bounds {
        if isEmpty || other.isEmpty { return .none }
        if let a = constant, let b = other.constant { return Bounds(operation.apply(a, b, is32: is32)) }
        if is32 {
            // The lower halves, as if they were whole numbers: then the 64-bit rules hold, but for the wrapping.
            let result = zeroExtended.applying64(
                operation, other.shiftMasked(operation, 31).zeroExtended, halvesOnly: true, of: (self, other))
            return result.zeroExtended
        }
        return applying64(operation, other.shiftMasked(operation, 63), halvesOnly: false, of: (self, other)).settled
    }

    private func shiftMasked(_ operation: Operation, _ mask: UInt64) -> Bounds {
        switch operation {
        case .shiftLeft, .shiftRight, .arithmeticShiftRight:
            if let constant { return Bounds(constant & mask) }
            return unsigned.high <= mask ? self : .range(0, mask)
        default: return self
        }
    }

    /// - Parameter halvesOnly: a 32-bit operation, on the numbers' zero-extended halves; the result's lower half counts.
    private func applying64(
        _ operation: Operation, _ other: Bounds, halvesOnly: Bool, of original: (Bounds, Bounds)
    ) -> Bounds {
        switch operation {
        case .add:
            return Bounds(
                unsigned: unsigned.adding(other.unsigned), signed: signed.adding(other.signed),
                unsigned32: unsigned32.adding(other.unsigned32), signed32: signed32.adding(other.signed32),
                bits: bits.adding(other.bits))
        case .subtract:
            return Bounds(
                unsigned: unsigned.subtracting(other.unsigned), signed: signed.subtracting(other.signed),
                unsigned32: unsigned32.subtracting(other.unsigned32), signed32: signed32.subtracting(other.signed32),
                bits: bits.subtracting(other.bits))
        case .multiply:
            return Bounds(
                unsigned: unsigned.multiplying(other.unsigned), signed: signed.multiplying(other.signed),
                unsigned32: unsigned32.multiplying(other.unsigned32), signed32: signed32.multiplying(other.signed32),
                bits: bits.multiplying(other.bits))
        case .divide:
            guard other.unsigned.low > 0 else { return .range(0, unsigned.high) }
            return .range(unsigned.low / other.unsigned.high, unsigned.high / other.unsigned.low)
        case .modulo:
            guard other.unsigned.low > 0 else { return .range(0, unsigned.high) }
            if unsigned.high < other.unsigned.low { return self }
            return .range(0, min(unsigned.high, other.unsigned.high - 1))
        case .and:
            return Bounds(
                unsigned: Interval(0, min(unsigned.high, other.unsigned.high)),
                signed: signed.low >= 0 || other.signed.low >= 0
                    ? Interval(
                        0, min(signed.low >= 0 ? signed.high : .max, other.signed.low >= 0 ? other.signed.high : .max))
                    : .full,
                bits: bits.and(other.bits)
            ).settled
        case .or:
            return Bounds(
                unsigned: Interval(max(unsigned.low, other.unsigned.low), .max), bits: bits.or(other.bits)
            ).settled
        case .xor: return Bounds(bits: bits.xor(other.bits)).settled
        case .shiftLeft, .shiftRight, .arithmeticShiftRight:
            return shifted(operation, other.unsigned, halvesOnly: halvesOnly, of: original.0)
        case .signedDivide, .signedModulo:
            return signedDivision(operation, other, halvesOnly: halvesOnly)
        }
    }

    private func shifted(
        _ operation: Operation, _ count: Interval<UInt64>, halvesOnly: Bool, of original: Bounds
    ) -> Bounds {
        switch operation {
        case .shiftLeft:
            let known = count.isConstant ? bits.shiftedLeft(count.low) : .none
            let top = unsigned.high == 0 ? 64 : UInt64(unsigned.high.leadingZeroBitCount)
            let range =
                count.high < top || unsigned.high == 0
                ? Interval(unsigned.low << count.low, unsigned.high << count.high) : .full
            return Bounds(unsigned: range, bits: known).settled
        case .shiftRight:
            return Bounds(
                unsigned: Interval(unsigned.low >> count.high, unsigned.high >> count.low),
                bits: count.isConstant ? bits.shiftedRight(count.low) : .none
            ).settled
        default:
            if halvesOnly {
                // On the half's own sign: extend it, shift, and let the caller cut it again.
                let half = original.signExtended(32)
                return half.shifted(operation, count, halvesOnly: false, of: half)
            }
            let ends = [
                signed.low >> Int64(count.low), signed.low >> Int64(count.high), signed.high >> Int64(count.low),
                signed.high >> Int64(count.high),
            ]
            return Bounds(
                signed: Interval(ends.min() ?? .min, ends.max() ?? .max),
                bits: count.isConstant ? bits.arithmeticShiftedRight(count.low) : .none
            ).settled
        }
    }

    /// Only where no sign is in play, which is where bounds help anybody.
    private func signedDivision(_ operation: Operation, _ other: Bounds, halvesOnly: Bool) -> Bounds {
        let positive =
            halvesOnly
            ? signed32.low >= 0 && other.signed32.low > 0 : signed.low >= 0 && other.signed.low > 0
        guard positive else { return .any }
        return applying64(
            operation == .signedDivide ? .divide : .modulo, other, halvesOnly: halvesOnly, of: (self, other))
    }

    package var negated: Bounds { Bounds(0).applying(.subtract, self, is32: false) }
}
