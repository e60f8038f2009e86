import Foundation
import Linux
import Model

/// How things look to a person. Colours and progress only on a terminal; nothing from outside reaches it unescaped.
enum Terminal {
    static let isColoured = ThisProcess.isTerminal(.output) && ProcessInfo.processInfo.environment["NO_COLOR"] == nil
    static let showsProgress = ThisProcess.isTerminal(.error)

    enum Style: String {
        case bold = "1"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case dim = "2"
        case reverse = "7"
    }

    static func styled(_ text: String, _ style: Style) -> String {
        isColoured ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Free text from the daemon, line by line, without anything that a terminal would obey.
    static func safe(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isHarmless($0) ? $0 : "\u{FFFD}" }))
    }

    /// As `safe`, for a cell of a table.
    static func oneLine(_ text: String) -> String {
        safe(text.split(whereSeparator: \.isNewline).joined(separator: " "))
    }

    /// Line ends and tabs are ours to lay out; controls and what reorders or hides text are not let through.
    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        if scalar == "\n" || scalar == "\t" { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }

    static func complain(_ failure: Failure, verbose: Bool = true) {
        var text = "error: \(safe(failure.message))\n"
        if !failure.detail.isEmpty && verbose { text += indented(excerpt(safe(failure.detail))) + "\n" }
        if !failure.hint.isEmpty { text += "       \(safe(failure.hint))\n" }
        ThisProcess.complain(text)
    }

    /// The end of a long log: its beginning is with --json.
    private static func excerpt(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count > 40 else { return text }
        return "… \(lines.count - 40) lines before, all of them with --json …\n"
            + lines.suffix(40).joined(separator: "\n")
    }

    static func indented(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: true).map { "  \($0)" }.joined(separator: "\n")
    }

    static func progress(_ text: String) {
        if showsProgress { ThisProcess.complain("\u{1B}[2K\r\(safe(text))…\r") }
    }

    static func endProgress() {
        if showsProgress { ThisProcess.complain("\u{1B}[2K\r") }
    }

    /// Shows steps as they come, and takes the line away again at the end.
    static func withProgress<R>(
        _ body: (@escaping (String) -> Void) async throws(Failure) -> R
    ) async throws(Failure) -> R {
        defer { endProgress() }
        return try await body { progress($0) }
    }

    /// Columns as wide as their widest cell; the last one is not padded.
    static func table(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { index, cell in
                index == row.count - 1 ? cell : cell.padding(toLength: widths[index], withPad: " ", startingAt: 0)
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// Local time, to the second; "-" for 0.
    static func time(_ nanoseconds: Int64) -> String {
        guard nanoseconds != 0 else { return "-" }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "yyyy-MM-dd HH:mm:ss"
        return formatter.string(from: Date(timeIntervalSince1970: Double(nanoseconds) / 1e9))
    }
}
