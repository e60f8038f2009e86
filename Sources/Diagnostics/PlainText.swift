/// Text from outside, made fit for a terminal.
enum PlainText {
    /// Without anything that a terminal would obey or that reorders or hides text; line ends and tabs stay.
    static func safe(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isHarmless($0) ? $0 : "\u{FFFD}" }))
    }

    /// As `safe`, on one line.
    static func oneLine(_ text: String) -> String {
        safe(text.split(whereSeparator: \.isNewline).joined(separator: " "))
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\n" || scalar == "\t" { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }

    /// Words in lines of at most so many characters.
    static func wrapped(_ text: String, width: Int) -> [String] {
        var lines = [""]
        for word in oneLine(text).split(separator: " ") {
            let last = lines[lines.count - 1]
            if !last.isEmpty && last.count + word.count + 1 > width {
                lines.append(String(word))
            } else {
                lines[lines.count - 1] = last.isEmpty ? String(word) : "\(last) \(word)"
            }
        }
        return lines
    }

    /// "0.21 s", "3 min 20 s".
    static func duration(_ nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        guard milliseconds < 120_000 else { return "\(milliseconds / 60_000) min \(milliseconds / 1000 % 60) s" }
        let hundredths = (milliseconds + 5) / 10
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
    }
}
