import Model

/// A mistake in the rules, or what deserves a second look.
package struct RulesProblem: Hashable, Sendable, CustomStringConvertible {
    package let line: Int
    /// In bytes, from 1.
    package let column: Int
    package let message: String
    package let hint: String
    package let isWarning: Bool

    /// As compilers say it.
    package var description: String {
        let place = "\(AccessRules.fileName):\(line):\(column): \(isWarning ? "warning" : "error"): \(message)"
        return hint.isEmpty ? place : "\(place) (\(hint))"
    }
}

/// What came of reading the rules. With a single error there are none.
package struct RulesReport: Sendable {
    package let rules: AccessRules?
    package let errors: [RulesProblem]
    package let warnings: [RulesProblem]

    /// More of them help nobody.
    static let most = 50
}

/// A word of a line, and where it begins.
struct Word: Hashable, Sendable {
    let text: String
    let column: Int
}

/// The lines of the file as words; comments and empty lines are left out.
enum Lines {
    struct Line: Sendable {
        let number: Int
        let words: [Word]
    }

    /// Never throws: a problem is noted, and the line left out.
    static func read(_ bytes: [UInt8], _ note: (RulesProblem) -> Void) -> [Line] {
        var lines: [Line] = []
        for (index, raw) in bytes.split(
            separator: 10, maxSplits: AccessRules.maxLines, omittingEmptySubsequences: false
        )
        .enumerated() {
            let number = index + 1
            func problem(_ column: Int, _ message: String, _ hint: String = "") {
                note(RulesProblem(line: number, column: column, message: message, hint: hint, isWarning: false))
            }
            guard number <= AccessRules.maxLines else {
                problem(1, "the file has more than \(AccessRules.maxLines) lines")
                break
            }
            guard raw.count <= AccessRules.maxLineBytes else {
                problem(AccessRules.maxLineBytes, "the line is longer than \(AccessRules.maxLineBytes) bytes")
                continue
            }
            if let bad = raw.firstIndex(where: { $0 < 32 && $0 != 9 || $0 == 127 }) {
                problem(bad - raw.startIndex + 1, "a control character", "only printed characters, spaces and tabs")
                continue
            }
            guard let text = String(validating: raw, as: UTF8.self) else {
                problem(1, "the line is not UTF-8")
                continue
            }
            // What a reader of the file does not see must not decide anything, nor hide in a comment.
            if let hidden = text.unicodeScalars.firstIndex(where: { isHidden($0) }) {
                let column = text.utf8.distance(from: text.startIndex, to: hidden) + 1
                problem(column, "an invisible or reordering character", "only characters that are seen")
                continue
            }
            let words = words(of: raw)
            if !words.isEmpty { lines.append(Line(number: number, words: words)) }
        }
        return lines
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return false }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return true
        default: return scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    private static func words(of raw: ArraySlice<UInt8>) -> [Word] {
        var words: [Word] = []
        var at = raw.startIndex
        while at < raw.endIndex {
            if raw[at] == 32 || raw[at] == 9 {
                at += 1
                continue
            }
            if raw[at] == 35 { break }
            let end = raw[at...].firstIndex { $0 == 32 || $0 == 9 } ?? raw.endIndex
            words.append(Word(text: String(decoding: raw[at..<end], as: UTF8.self), column: at - raw.startIndex + 1))
            at = end
        }
        return words
    }
}

/// The known word that a mistyped one is closest to.
enum Spelling {
    /// - Parameter edits: more than so many make it another word.
    static func hint(_ word: String, _ known: [String], within edits: Int = 2) -> String {
        let near = known.filter { distance(word, $0) <= edits }.min { distance(word, $0) < distance(word, $1) }
        if let near { return "did you mean '\(near)'?" }
        return "known: " + known.joined(separator: ", ")
    }

    /// Edits between two short words.
    private static func distance(_ one: String, _ two: String) -> Int {
        let (a, b) = (Array(one.utf8.prefix(40)), Array(two.utf8.prefix(40)))
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var corner = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let next = min(row[j] + 1, row[j + 1] + 1, corner + (x == y ? 0 : 1))
                corner = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[b.count]
    }
}
