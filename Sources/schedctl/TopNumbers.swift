import Foundation

/// Figures in few cells.
enum TopNumbers {
    /// Two or three digits with the unit: 950ns, 1.2us, 16us, 3.1s, 2m, 26h.
    static func duration(_ nanoseconds: UInt64) -> String {
        let value = Double(nanoseconds)
        for (unit, scale, limit) in [("ns", 1.0, 1e3), ("us", 1e3, 1e6), ("ms", 1e6, 1e9), ("s", 1e9, 100e9)]
        where value < limit * 0.9995 {
            return short(value / scale) + unit
        }
        return value < 100 * 60e9 ? "\(Int(value / 60e9))m" : "\(Int(value / 3600e9))h"
    }

    /// As `3m12s` or `2d4h`.
    static func age(_ nanoseconds: Int64) -> String {
        let seconds = max(0, nanoseconds / 1_000_000_000)
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m\(seconds % 60)s"
        case ..<86400: return "\(seconds / 3600)h\(seconds / 60 % 60)m"
        default: return "\(seconds / 86400)d\(seconds / 3600 % 24)h"
        }
    }

    /// Whole numbers up to 99999, then 123k, 4.5M and so on.
    static func count(_ value: UInt64) -> String { value < 100_000 ? "\(value)" : scaled(Double(value)) }

    /// A rate: with a digit after the point where it is small.
    static func rate(_ value: Double) -> String {
        guard abs(value) < 1e21 else { return "?" }
        if abs(value) < 0.05 { return "0" }
        return abs(value) < 100_000 ? short(value) : scaled(value)
    }

    private static func scaled(_ value: Double) -> String {
        var (value, unit) = (value, "")
        for next in ["k", "M", "G", "T", "P", "E"] where abs(value) >= 999.5 { (value, unit) = (value / 1000, next) }
        return short(value) + unit
    }

    private static func short(_ value: Double) -> String {
        let text = String(format: abs(value) < 9.95 ? "%.1f" : "%.0f", value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    static func percent(_ part: Double) -> String { "\(Int((Glyphs.part(part) * 100).rounded()))%" }

    /// A counter's total and its rate, in its unit; time as time.
    static func counter(_ total: UInt64, _ rate: Double, unit: String) -> (total: String, rate: String) {
        guard unit == "ns", rate.isFinite, rate >= 0, rate < 1e18 else {
            return (count(total), self.rate(rate) + "/s")
        }
        return (duration(total), duration(UInt64(rate)) + "/s")
    }
}
