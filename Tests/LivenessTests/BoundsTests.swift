import Testing

@testable import Liveness

@Suite(.timeLimit(.minutes(5)))
struct BoundsTests {
    /// What is known of `value`, in one of many ways, some of them of several at once.
    static func about(_ value: UInt64, _ generator: inout Generator) -> Bounds {
        var bounds = Bounds.any
        for _ in 0...(generator.next() % 3) {
            switch generator.next() % 6 {
            case 0: bounds = bounds.meet(Bounds(value))
            case 1:
                let low = value &- min(value, generator.number())
                let high = value &+ min(.max - value, generator.number())
                bounds = bounds.meet(.range(low, high))
            case 2:
                let signed = Int64(bitPattern: value)
                let low = signed.subtractingReportingOverflow(Int64(generator.next() % 1_000_000))
                let high = signed.addingReportingOverflow(Int64(generator.next() % 1_000_000))
                bounds = bounds.meet(
                    .signedRange(low.overflow ? .min : low.partialValue, high.overflow ? .max : high.partialValue))
            case 3: bounds = bounds.meet(Bounds(bits: KnownBits(value: value, unknown: generator.number())))
            case 4:
                let half = Int32(truncatingIfNeeded: value)
                let low = half.subtractingReportingOverflow(Int32(generator.next() % 1000))
                let high = half.addingReportingOverflow(Int32(generator.next() % 1000))
                bounds = bounds.meet(
                    .lower(low.overflow ? .min : low.partialValue, high.overflow ? .max : high.partialValue))
            default: break
            }
        }
        return bounds
    }

    /// What the machine does, written down apart from what is tested.
    static func machine(_ operation: Operation, _ a: UInt64, _ b: UInt64, is32: Bool) -> UInt64 {
        let width: UInt64 = is32 ? 32 : 64
        let mask: UInt64 = is32 ? 0xFFFF_FFFF : .max
        let (x, y) = (a & mask, b & mask)
        func signed(_ number: UInt64) -> Int64 {
            is32 ? Int64(Int32(truncatingIfNeeded: number)) : Int64(bitPattern: number)
        }
        let shift = y & (width - 1)
        let result: UInt64
        switch operation {
        case .add: result = x &+ y
        case .subtract: result = x &- y
        case .multiply: result = x &* y
        case .divide: result = y == 0 ? 0 : x / y
        case .modulo: result = y == 0 ? x : x % y
        case .or: result = x | y
        case .and: result = x & y
        case .xor: result = x ^ y
        case .shiftLeft: result = x << shift
        case .shiftRight: result = x >> shift
        case .arithmeticShiftRight: result = UInt64(bitPattern: signed(x) >> Int64(shift))
        case .signedDivide:
            let (s, t) = (signed(x), signed(y))
            result = t == 0 ? 0 : t == -1 ? 0 &- x : UInt64(bitPattern: s / t)
        case .signedModulo:
            let (s, t) = (signed(x), signed(y))
            result = t == 0 ? x : t == -1 ? 0 : UInt64(bitPattern: s % t)
        }
        return result & mask
    }

    @Test(arguments: Operation.allCases, [false, true])
    func arithmeticContainsWhatTheMachineDoes(operation: Operation, is32: Bool) {
        var generator = Generator(seed: UInt64(operation.rawValue) << 1 | (is32 ? 1 : 0))
        for _ in 0..<1500 {
            let (a, b) = (generator.number(), generator.number())
            let (left, right) = (Self.about(a, &generator), Self.about(b, &generator))
            let expected = Self.machine(operation, a, b, is32: is32)
            #expect(operation.apply(a, b, is32: is32) == expected)
            let result = left.applying(operation, right, is32: is32)
            #expect(
                result.contains(expected), "\(a) \(operation) \(b) = \(expected), from \(left) and \(right): \(result)")
        }
    }

    @Test(arguments: Condition.allCases, [false, true])
    func conditionsKeepWhatFulfilsThem(condition: Condition, is32: Bool) {
        var generator = Generator(seed: UInt64(condition.rawValue) << 8 | (is32 ? 1 : 0))
        for _ in 0..<1500 {
            let a = generator.number()
            let b = generator.next() % 4 == 0 ? a : generator.number()
            let (left, right) = (Self.about(a, &generator), Self.about(b, &generator))
            let holds = condition.holds(a, b, is32: is32)
            if let opposite = condition.opposite { #expect(opposite.holds(a, b, is32: is32) == !holds) }
            #expect(condition.mirrored.holds(b, a, is32: is32) == holds)
            if holds {
                #expect(left.assuming(condition, right, is32: is32).contains(a), "\(a) \(condition) \(b)")
                #expect(right.assuming(condition.mirrored, left, is32: is32).contains(b), "\(a) \(condition) \(b)")
            } else if condition == .sharesBits {
                let mask = is32 ? b & 0xFFFF_FFFF : b
                #expect(left.sharingNothing(with: mask).contains(a))
            }
        }
    }

    @Test func extensionsContainWhatTheMachineDoes() {
        var generator = Generator(seed: 7)
        for _ in 0..<3000 {
            let a = generator.number()
            let bounds = Self.about(a, &generator)
            #expect(bounds.contains(a))
            #expect(bounds.zeroExtended.contains(a & 0xFFFF_FFFF))
            #expect(bounds.signExtended(32).contains(UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: a)))))
            #expect(bounds.signExtended(16).contains(UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: a)))))
            #expect(bounds.signExtended(8).contains(UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: a)))))
            #expect(bounds.negated.contains(0 &- a))
            let b = generator.number()
            let other = Self.about(b, &generator)
            #expect(bounds.join(other).contains(a) && bounds.join(other).contains(b))
            let widened = bounds.widened(by: bounds.join(other))
            #expect(widened.contains(a) && widened.contains(b))
        }
    }

    @Test func boundsAreAsTightAsTheKernelsVerifierHasThem() {
        // An int that is not negative, moved to another register.
        let cpu = Bounds.lower(-4095, 8191).assuming(.signedGreaterOrEqual, Bounds(0), is32: true).zeroExtended
        #expect(cpu.unsigned == Interval(0, 8191))
        // x & 7, then x + 1.
        let slot = Bounds.any.applying(.and, Bounds(7), is32: false).applying(.add, Bounds(1), is32: false)
        #expect(slot.unsigned == Interval(1, 8))
        // A remainder.
        #expect(Bounds.range(0, 0xFFFF_FFFF).applying(.modulo, .range(1, 4), is32: true).unsigned == Interval(0, 3))
        // A contradiction.
        #expect(Bounds.range(0, 3).assuming(.greater, Bounds(5), is32: false).isEmpty)
    }
}
