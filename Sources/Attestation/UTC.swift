/// Times in RFC 3339 as this package writes them: `2026-01-31T23:59:59Z`, UTC, whole seconds, years 1970 to 9999. No
/// locale, no time zone and no clock of the machine takes part.
package enum UTC {
    /// 9999-12-31T23:59:59Z.
    package static let last: Int64 = 253_402_300_799
    private static let secondsPerDay: Int64 = 86_400

    /// Nothing before 1970 or after 9999.
    package static func text(_ seconds: Int64) -> String? {
        guard (0...last).contains(seconds) else { return nil }
        let date = civil(days: seconds / secondsPerDay)
        let time = seconds % secondsPerDay
        return digits(date.year, 4) + "-" + digits(date.month, 2) + "-" + digits(date.day, 2) + "T"
            + digits(time / 3600, 2) + ":" + digits(time / 60 % 60, 2) + ":" + digits(time % 60, 2) + "Z"
    }

    /// Takes only what `text` writes: no fractions, no offsets, no leap seconds, no 31st of February.
    package static func seconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 20, let year = number(bytes[0..<4]), let month = number(bytes[5..<7]),
            let day = number(bytes[8..<10]), let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]),
            let second = number(bytes[17..<19]), year >= 1970, (1...12).contains(month), hour < 24, minute < 60,
            second < 60
        else { return nil }
        let seconds = days(year, month, day) * secondsPerDay + hour * 3600 + minute * 60 + second
        // The day of the month and the punctuation are right when the same text comes back.
        return Self.text(seconds) == text ? seconds : nil
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var number: Int64 = 0
        for byte in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return number
    }

    private static func digits(_ number: Int64, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }

    private static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    private static func daysBefore(year: Int64) -> Int64 {
        func leapYears(before year: Int64) -> Int64 { (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 }
        return (year - 1970) * 365 + leapYears(before: year) - leapYears(before: 1970)
    }

    private static func monthLengths(_ year: Int64) -> [Int64] {
        [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    }

    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        daysBefore(year: year) + monthLengths(year).prefix(Int(month) - 1).reduce(0, +) + day - 1
    }

    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // The longest year has 366 days, so this is the year or a few too early; at most 22 steps before 9999.
        var year = 1970 + days / 366
        while daysBefore(year: year + 1) <= days { year += 1 }
        var day = days - daysBefore(year: year)
        var month: Int64 = 1
        for length in monthLengths(year) {
            if day < length { break }
            day -= length
            month += 1
        }
        return (year, month, day + 1)
    }
}
