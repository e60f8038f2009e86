import Foundation

/// Text by the cells that it takes on a screen.
enum Cells {
    /// Free text for one line: nothing that a terminal would obey, nothing that moves what stands behind it.
    static func clean(_ text: some StringProtocol) -> String {
        if isPlain(text) { return String(text) }
        var out = String.UnicodeScalarView()
        for scalar in Terminal.safe(String(text)).unicodeScalars {
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark: continue
            default: out.append(scalar == "\n" || scalar == "\t" ? " " : scalar)
            }
        }
        return String(out)
    }

    static func width(_ text: String) -> Int {
        isPlain(text) ? text.utf8.count : text.unicodeScalars.reduce(0) { $0 + width($1) }
    }

    /// A cell for each byte, and nothing to be afraid of: nearly all there is.
    private static func isPlain(_ text: some StringProtocol) -> Bool {
        text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
    }

    /// One for most, two for the wide ones of East Asia and for pictures; of `clean` text.
    static func width(_ scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x1100 { return 1 }
        return wide.contains { $0.contains(scalar.value) } || scalar.properties.isEmojiPresentation ? 2 : 1
    }

    /// East Asian Width W and F (Unicode's UAX #11), by blocks.
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
        0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1F200...0x1F2FF, 0x20000...0x3FFFD,
    ]

    /// At most so many cells; where something is left out, `mark` (of one cell) says so.
    static func fit(_ text: String, _ cells: Int, mark: String = "…") -> String {
        if width(text) <= cells { return text }
        guard cells > 0 else { return "" }
        var (out, used) = (String.UnicodeScalarView(), 0)
        for scalar in text.unicodeScalars {
            used += width(scalar)
            if used > cells - 1 { break }
            out.append(scalar)
        }
        return String(out) + mark
    }

    /// Exactly so many cells where it is not longer.
    static func pad(_ text: String, _ cells: Int, right: Bool = false) -> String {
        let spaces = String(repeating: " ", count: max(0, cells - width(text)))
        return right ? spaces + text : text + spaces
    }
}

/// A line of the screen.
struct Line: Hashable, Sendable {
    struct Span: Hashable, Sendable {
        var text: String
        var style: Terminal.Style?
    }

    var spans: [Span]

    init(_ text: String = "", _ style: Terminal.Style? = nil) {
        spans = text.isEmpty ? [] : [Span(text: text, style: style)]
    }

    static func + (a: Line, b: Line) -> Line {
        var line = a
        line.spans += b.spans
        return line
    }

    var text: String { spans.map(\.text).joined() }
    var cells: Int { spans.reduce(0) { $0 + Cells.width($1.text) } }

    func padded(to cells: Int) -> Line { self + Line(String(repeating: " ", count: max(0, cells - self.cells))) }

    /// At most so many cells.
    func fit(_ cells: Int, mark: String) -> Line {
        guard self.cells > cells else { return self }
        var (line, left) = (Line(), cells)
        for span in spans {
            let width = Cells.width(span.text)
            // The last one that fits is cut, too: something follows it.
            let isCut = width >= left
            line.spans.append(
                Span(text: Cells.fit(span.text + (isCut ? " " : ""), left, mark: mark), style: span.style))
            if isCut { break }
            left -= width
        }
        return line
    }

    func ansi(isColoured: Bool) -> String {
        guard isColoured else { return text }
        return spans.map { span in span.style.map { "\u{1B}[\($0.rawValue)m\(span.text)\u{1B}[0m" } ?? span.text }
            .joined()
    }
}

/// How bars and marks are drawn.
struct Glyphs: Hashable, Sendable {
    /// Parts of a cell from the left, nothing first and the whole last.
    let bar: [String]
    /// From the bottom.
    let column: [String]
    let mark: String
    let range: String

    static let blocks = Glyphs(
        bar: [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"],
        column: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"], mark: "…", range: "–")
    static let plain = Glyphs(
        bar: [" ", " ", "-", "-", "-", "=", "=", "=", "#"], column: [" ", ".", ".", ":", "-", "=", "+", "*", "#"],
        mark: "~", range: "-")

    /// What this program's locale can show.
    static func of(environment: [String: String]) -> Glyphs {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let isUTF8 = locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
        return isUTF8 ? .blocks : .plain
    }

    /// A bar of so many cells, filled to a part from 0 to 1.
    func bar(_ part: Double, cells: Int) -> String {
        let eighths = Int((Self.part(part) * Double(cells * 8)).rounded())
        return (0..<cells).map { bar[min(8, max(0, eighths - $0 * 8))] }.joined()
    }

    /// One cell; something that is not nothing is seen.
    func column(_ part: Double) -> String {
        let part = Self.part(part)
        return column[part > 0 ? max(1, Int((part * 8).rounded())) : 0]
    }

    static func part(_ value: Double) -> Double { value.isNaN ? 0 : min(1, max(0, value)) }
}
