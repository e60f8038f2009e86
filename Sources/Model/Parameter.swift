/// The types that a scheduler's parameter can have: those of a `const volatile` global in `.rodata`.
package enum ParameterType: String, CaseIterable, Sendable {
    case bool, u8, u16, u32, u64, s8, s16, s32, s64

    /// Bytes in `.rodata`.
    package var size: Int {
        switch self {
        case .bool, .u8, .s8: 1
        case .u16, .s16: 2
        case .u32, .s32: 4
        case .u64, .s64: 8
        }
    }

    package var isSigned: Bool {
        switch self {
        case .s8, .s16, .s32, .s64: true
        case .bool, .u8, .u16, .u32, .u64: false
        }
    }

    /// The values that the type itself can hold.
    package var representable: ClosedRange<Int128> {
        if self == .bool { return 0...1 }
        let bits = size * 8
        return isSigned
            ? -(Int128(1) << (bits - 1))...((Int128(1) << (bits - 1)) - 1)
            : 0...((Int128(1) << bits) - 1)
    }
}

/// What one parameter of a scheduler may be set to.
package struct ParameterSpec: Hashable, Sendable {
    package var name: String
    package var type: ParameterType
    package var defaultValue: Int128
    /// The values that make sense, inside what the type can hold.
    package var range: ClosedRange<Int128>
    /// For people: "µs", "ms", "tasks"; may be empty.
    package var unit: String
    package var description: String
    /// It may be changed while the scheduler runs.
    package var isLive: Bool

    package init(
        name: String, type: ParameterType, defaultValue: Int128, range: ClosedRange<Int128>, unit: String = "",
        description: String = "", isLive: Bool = false
    ) throws(Failure) {
        guard type.representable.contains(range) else {
            throw Failure(
                .invalidArgument,
                "the range \(range.lowerBound)…\(range.upperBound) of '\(name)' does not fit the type \(type.rawValue)")
        }
        guard range.contains(defaultValue) else {
            throw Failure(
                .invalidArgument,
                "the default \(defaultValue) of '\(name)' is outside \(range.lowerBound)…\(range.upperBound)")
        }
        self.name = name
        self.type = type
        self.defaultValue = defaultValue
        self.range = range
        self.unit = unit
        self.description = description
        self.isLive = isLive
    }

    /// Reads a value as a person writes it, and refuses what the type or the range does not allow.
    package func parse(_ text: String) throws(Failure) -> ParameterValue {
        guard let number = ParameterValue.number(in: text, isBool: type == .bool) else {
            let wanted = type == .bool ? "true or false" : "a whole number"
            throw Failure(
                .invalidArgument, "parameter '\(name)' is \(wanted), not \(text.quotedForDisplay())",
                hint: "see `schedctl show` for the parameters and their ranges")
        }
        guard range.contains(number) else {
            throw Failure(
                .invalidArgument,
                "parameter '\(name)' must be between \(range.lowerBound) and \(range.upperBound)"
                    + (unit.isEmpty ? "" : " \(unit)") + ", not \(number)",
                hint: "its default is \(defaultValue)")
        }
        return ParameterValue(name: name, type: type, number: number)
    }
}

/// A checked value, ready for `.rodata`.
package struct ParameterValue: Hashable, Sendable {
    package let name: String
    package let type: ParameterType
    package let number: Int128

    package init(name: String, type: ParameterType, number: Int128) {
        self.name = name
        self.type = type
        self.number = number
    }

    package var text: String { type == .bool ? (number == 0 ? "false" : "true") : "\(number)" }

    /// The value in little-endian order, two's complement, `type.size` bytes.
    package var bytes: [UInt8] {
        (0..<type.size).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }

    static func number(in text: String, isBool: Bool) -> Int128? {
        if isBool {
            switch text {
            case "true", "yes", "on", "1": return 1
            case "false", "no", "off", "0": return 0
            default: return nil
            }
        }
        // Longer than any 64-bit number: not worth a parse.
        guard text.utf8.count <= 24 else { return nil }
        if text.hasPrefix("0x") {
            let digits = text.dropFirst(2)
            // A radix alone would also take a sign here.
            return digits.first?.isHexDigit == true ? Int128(digits, radix: 16) : nil
        }
        return Int128(text)
    }
}

extension ClosedRange where Bound == Int128 {
    func contains(_ other: ClosedRange<Int128>) -> Bool {
        lowerBound <= other.lowerBound && other.upperBound <= upperBound
    }
}
