import Model
import Testing

@Suite struct ParameterTypeTests {
    /// A structure and not a tuple: the test library crashes on a long tuple with 128-bit numbers in it.
    struct Row: Sendable, CustomTestStringConvertible {
        let type: ParameterType
        let size: Int
        let isSigned: Bool
        let low: Int128
        let high: Int128
        var testDescription: String { type.rawValue }

        init(_ type: ParameterType, _ size: Int, _ isSigned: Bool, _ low: Int128, _ high: Int128) {
            self.type = type
            self.size = size
            self.isSigned = isSigned
            self.low = low
            self.high = high
        }
    }

    static let table = [
        Row(.bool, 1, false, 0, 1), Row(.u8, 1, false, 0, 255), Row(.u16, 2, false, 0, 65_535),
        Row(.u32, 4, false, 0, 4_294_967_295), Row(.u64, 8, false, 0, 18_446_744_073_709_551_615),
        Row(.s8, 1, true, -128, 127), Row(.s16, 2, true, -32_768, 32_767),
        Row(.s32, 4, true, -2_147_483_648, 2_147_483_647),
        Row(.s64, 8, true, -9_223_372_036_854_775_808, 9_223_372_036_854_775_807),
    ]

    @Test(arguments: table) func sizeSignAndRange(_ row: Row) {
        #expect(row.type.size == row.size)
        #expect(row.type.isSigned == row.isSigned)
        #expect(row.type.representable.lowerBound == row.low)
        #expect(row.type.representable.upperBound == row.high)
        #expect(ParameterType(rawValue: row.type.rawValue) == row.type)
    }

    @Test func everyTypeIsInTheTable() { #expect(Self.table.map(\.type) == ParameterType.allCases) }

    @Test(arguments: table) func theBoundsFitAndOneMoreDoesNot(_ row: Row) throws {
        guard row.type != .bool else { return }
        let spec = try ParameterSpec(name: "p", type: row.type, defaultValue: row.low, range: row.low...row.high)
        for value in [row.low, row.high] {
            let parsed = try spec.parse("\(value)")
            #expect(parsed.number == value)
            #expect(parsed.text == "\(value)")
            #expect(parsed.bytes.count == row.size)
            // Little-endian two's complement, put together again.
            let bits = parsed.bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let mask = row.size == 8 ? UInt64.max : (1 << UInt64(row.size * 8)) - 1
            #expect(bits == UInt64(truncatingIfNeeded: value) & mask)
        }
        for value in [row.low - 1, row.high + 1] {
            let failure = #expect(throws: Failure.self) { try spec.parse("\(value)") }
            #expect(failure?.code == .invalidArgument)
        }
    }
}

@Suite struct ParameterParseTests {
    static func spec(_ type: ParameterType, _ range: ClosedRange<Int128>? = nil, unit: String = "") throws
        -> ParameterSpec
    {
        let range = range ?? type.representable
        return try ParameterSpec(name: "p", type: type, defaultValue: range.lowerBound, range: range, unit: unit)
    }

    static let numbers: [(String, Int128)] = [
        ("0", 0), ("1", 1), ("007", 7), ("+5", 5), ("0x10", 16), ("0xff", 255), ("0xFF", 255), ("0x0", 0),
        ("18446744073709551615", 18_446_744_073_709_551_615), ("0xffffffffffffffff", 18_446_744_073_709_551_615),
    ]

    @Test(arguments: numbers) func aNumberAsPeopleWriteIt(text: String, value: Int128) throws {
        #expect(try Self.spec(.u64).parse(text).number == value)
    }

    @Test(arguments: [("-1", -1), ("-0", 0), ("-9223372036854775808", Int128(Int64.min)), ("0x7f", 127)])
    func aSignedNumber(text: String, value: Int128) throws {
        #expect(try Self.spec(.s64).parse(text).number == value)
    }

    static let garbage = [
        "", " ", " 1", "1 ", "1\n", "one", "1.0", "1e3", "1_000", "1,000", "0x", "0xg", "0b1", "--1", "++1", "0x-1",
        "0x+1",
        "-0x1", "0X10", "١", "１", "true", "yes", "∞", "NaN", "1;2", "\u{1B}[31m", "1\u{0}", "5000us",
        "340282366920938463463374607431768211456", String(repeating: "9", count: 25),
        String(repeating: "0", count: 1000),
    ]

    @Test(arguments: garbage) func whatIsNoNumberIsRefusedAndShownSafely(_ text: String) throws {
        for type in ParameterType.allCases where type != .bool {
            let failure = #expect(throws: Failure.self) { try Self.spec(type).parse(text) }
            #expect(failure?.code == .invalidArgument)
            #expect(failure?.message.unicodeScalars.allSatisfy { $0.value >= 32 } == true)
            #expect((failure?.message.count ?? 0) < 300)
        }
    }

    @Test(arguments: ["true", "yes", "on", "1"]) func aTruth(_ text: String) throws {
        let value = try Self.spec(.bool).parse(text)
        #expect(value.number == 1)
        #expect(value.text == "true")
        #expect(value.bytes == [1])
    }

    @Test(arguments: ["false", "no", "off", "0"]) func aFalsehood(_ text: String) throws {
        let value = try Self.spec(.bool).parse(text)
        #expect(value.number == 0)
        #expect(value.text == "false")
        #expect(value.bytes == [0])
    }

    @Test(arguments: ["", "True", "TRUE", "2", "-1", "00", "y", "t", "true ", "0x1", "maybe"])
    func whatIsNoTruthIsRefused(_ text: String) throws {
        let failure = #expect(throws: Failure.self) { try Self.spec(.bool).parse(text) }
        #expect(failure?.message.contains("true or false") == true)
    }

    @Test func aRangeInsideTheTypeHolds() throws {
        let spec = try Self.spec(.u32, 1000...2000, unit: "us")
        for value in [1000, 1500, 2000] { #expect(try spec.parse("\(value)").number == Int128(value)) }
        for value in [999, 2001, 0, -1, 4_294_967_296] {
            let failure = #expect(throws: Failure.self) { try spec.parse("\(value)") }
            #expect(failure?.message.contains("between 1000 and 2000 us") == true)
            #expect(failure?.hint.contains("1000") == true)
        }
    }

    @Test func aBooleanMayBeHeldToOneValue() throws {
        let spec = try Self.spec(.bool, 1...1)
        #expect(try spec.parse("on").number == 1)
        #expect(throws: Failure.self) { try spec.parse("off") }
    }

    @Test(arguments: ParameterType.allCases) func aRangeThatDoesNotFitItsTypeIsRefused(_ type: ParameterType) {
        let range = type.representable
        for wrong in [(range.lowerBound - 1)...range.upperBound, range.lowerBound...(range.upperBound + 1)] {
            let failure = #expect(throws: Failure.self) {
                try ParameterSpec(name: "p", type: type, defaultValue: range.lowerBound, range: wrong)
            }
            #expect(failure?.code == .invalidArgument)
        }
    }

    @Test(arguments: [9, 21, -1, Int128.max, .min]) func aDefaultOutsideItsRangeIsRefused(_ value: Int128) {
        #expect(throws: Failure.self) { try ParameterSpec(name: "p", type: .s32, defaultValue: value, range: 10...20) }
    }

    static let bytes: [(ParameterType, Int128, [UInt8])] = [
        (.u8, 0x12, [0x12]), (.u16, 0x1234, [0x34, 0x12]), (.u32, 0x1234_5678, [0x78, 0x56, 0x34, 0x12]),
        (.u64, 0x0102_0304_0506_0708, [8, 7, 6, 5, 4, 3, 2, 1]), (.s8, -1, [0xFF]), (.s16, -2, [0xFE, 0xFF]),
        (.s32, -2_147_483_648, [0, 0, 0, 0x80]), (.s64, -1, [UInt8](repeating: 0xFF, count: 8)), (.bool, 1, [1]),
    ]

    @Test(arguments: bytes) func theBytesAreLittleEndian(type: ParameterType, number: Int128, bytes: [UInt8]) {
        #expect(ParameterValue(name: "p", type: type, number: number).bytes == bytes)
    }
}
