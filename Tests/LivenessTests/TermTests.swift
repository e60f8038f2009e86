import Testing

@testable import Liveness

@Suite(.timeLimit(.minutes(5)))
struct TermTests {
    /// The number that a term has when its inputs have these.
    static func value(_ id: TermID, _ table: TermTable, _ inputs: [TermID: UInt64]) -> UInt64 {
        let term = table[id]
        switch term.kind {
        case .constant: return term.constant
        case .input: return inputs[id] ?? 0
        case .offset: return value(term.a, table, inputs) &+ term.constant
        case .binary:
            return BoundsTests.machine(
                term.operation, value(term.a, table, inputs), value(term.b, table, inputs), is32: term.is32)
        case .zeroExtend: return value(term.a, table, inputs) & 0xFFFF_FFFF
        case .signExtend:
            let number = value(term.a, table, inputs)
            switch term.width {
            case 8: return UInt64(bitPattern: Int64(Int8(truncatingIfNeeded: number)))
            case 16: return UInt64(bitPattern: Int64(Int16(truncatingIfNeeded: number)))
            default: return UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: number)))
            }
        case .negate: return 0 &- value(term.a, table, inputs)
        case .byteSwap: return value(term.a, table, inputs).byteSwapped
        }
    }

    /// Whatever a term is simplified to, it is the same number, and within its bounds.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func simplifiedTermsAreTheSameNumbers(seed: UInt64) {
        var generator = Generator(seed: seed)
        for _ in 0..<60 {
            var table = TermTable()
            var inputs: [TermID: UInt64] = [:]
            var known: [(term: TermID, value: UInt64)] = []
            for place in 0..<3 {
                let number = generator.number()
                let id = table.input(.argument(place), BoundsTests.about(number, &generator))
                inputs[id] = number
                known.append((id, number))
            }
            for _ in 0..<30 {
                let a = known[Int(generator.next() % UInt64(known.count))]
                let number = generator.number()
                let b =
                    generator.next() % 2 == 0
                    ? (table.constant(number), number) : known[Int(generator.next() % UInt64(known.count))]
                let is32 = generator.next() % 2 == 0
                var made: (TermID, UInt64)?
                switch generator.next() % 6 {
                case 0: made = (table.zeroExtended(a.term), a.value & 0xFFFF_FFFF)
                case 1:
                    made = (
                        table.signExtended(a.term, 32), UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: a.value)))
                    )
                default:
                    let operation = Operation.allCases[
                        Int(generator.next() % UInt64(Operation.allCases.count))]
                    if let term = table.binary(operation, a.term, b.0, is32: is32) {
                        made = (term, BoundsTests.machine(operation, a.value, b.1, is32: is32))
                    }
                }
                guard let made else { continue }
                #expect(Self.value(made.0, table, inputs) == made.1)
                #expect(table[made.0].bounds.contains(made.1))
                known.append((made.0, made.1))
            }
        }
    }

    @Test func equalTermsAreOne() {
        var table = TermTable()
        let x = table.input(.argument(0))
        let y = table.input(.argument(1))
        #expect(table.binary(.add, x, y, is32: false) == table.binary(.add, y, x, is32: false))
        #expect(table.offset(table.offset(x, 8), UInt64(bitPattern: -8)) == x)
        #expect(table.binary(.subtract, table.offset(x, 24), table.offset(x, 8), is32: false) == table.constant(16))
        #expect(table.input(.argument(0)) == x)
    }

    /// What compilers make of a division by a constant.
    @Test(
        arguments: [(3, 0xAAAA_AAAB, 33), (10, 0xCCCC_CCCD, 35), (100, 0x51EB_851F, 37), (5, 0xCCCC_CCCD, 34)]
            as [(UInt64, UInt64, UInt64)])
    func remaindersByMultiplicationHaveBounds(divisor: UInt64, factor: UInt64, shift: UInt64) throws {
        var table = TermTable()
        let x = table.input(.argument(0), .range(0, 0xFFFF_FFFF))
        let madeProduct = table.binary(.multiply, x, table.constant(factor), is32: false)
        let product = try #require(madeProduct)
        let madeQuotient = table.binary(.shiftRight, product, table.constant(shift), is32: false)
        let quotient = try #require(madeQuotient)
        let madeTaken = table.binary(.multiply, quotient, table.constant(divisor), is32: true)
        let taken = try #require(madeTaken)
        let madeRest = table.binary(.subtract, x, table.zeroExtended(taken), is32: true)
        let rest = try #require(madeRest)
        #expect(table[rest].bounds.unsigned == Interval(0, divisor - 1))
    }
}
