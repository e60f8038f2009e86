import Model

/// Durations as people write them: 1500us, 20ms, 1.5s, 2m, 1h.
enum DurationText {
    private static let units: [(suffix: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]

    static func parse(_ text: String) throws(Failure) -> UInt64 {
        for (suffix, scale) in units where text.hasSuffix(suffix) {
            guard let number = Double(text.dropLast(suffix.count)), number >= 0, number * scale < 1e18 else { continue }
            return UInt64(number * scale)
        }
        throw Failure(
            .invalidArgument, "\(text.quotedForDisplay()) is not a duration",
            hint: "write it as 1500us, 20ms, 1.5s, 2m or 1h")
    }

    static func format(_ nanoseconds: UInt64) -> String {
        for (suffix, scale) in units.reversed() where suffix != "µs" && Double(nanoseconds) >= scale {
            let value = Double(nanoseconds) / scale
            return value == value.rounded() ? "\(Int(value))\(suffix)" : "\((value * 100).rounded() / 100)\(suffix)"
        }
        return "\(nanoseconds)ns"
    }
}
