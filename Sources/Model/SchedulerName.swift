/// The name of a scheduler in the repository: a lower-case letter, then up to 63 of `a-z 0-9 _ -`.
///
/// A name is never a path: nothing that passes this check can leave a folder.
package struct SchedulerName: Hashable, Sendable, CustomStringConvertible {
    package static let maxLength = 64

    package let text: String

    package init(_ text: String) throws(Failure) {
        guard Self.isValid(text) else {
            throw Failure(
                .invalidArgument, "\(text.quotedForDisplay()) is not a scheduler's name",
                hint: "a name is a lower-case letter followed by up to \(Self.maxLength - 1) of a-z 0-9 _ -")
        }
        self.text = text
    }

    package var description: String { text }

    private static func isValid(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, isLower(first), bytes.count <= maxLength else { return false }
        return bytes.allSatisfy { isLower($0) || (48...57).contains($0) || $0 == 95 || $0 == 45 }
    }

    private static func isLower(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
}

extension StringProtocol {
    /// Without the white space at its ends.
    package var trimmed: String {
        let start = drop { $0.isWhitespace }
        return String(start.prefix(start.count - start.reversed().prefix { $0.isWhitespace }.count))
    }

    /// The text in quotes with every control character, quote and line end escaped and the length bounded, so that
    /// a string from outside cannot forge a line of a log or a terminal sequence.
    package func quotedForDisplay(limit: Int = 80) -> String {
        "\"" + escapedForDisplay(limit: limit) + "\""
    }

    /// As `quotedForDisplay`, without the quotes around it. `limit` is in Unicode scalars.
    package func escapedForDisplay(limit: Int = .max) -> String {
        var out = ""
        for (index, scalar) in unicodeScalars.enumerated() {
            if index == limit { return out + "…" }
            switch scalar {
            case "\"", "\\": out += "\\" + String(scalar)
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            default:
                if scalar.properties.isHarmless {
                    out.unicodeScalars.append(scalar)
                } else {
                    out += "\\u{" + String(scalar.value, radix: 16) + "}"
                }
            }
        }
        return out
    }
}

extension Unicode.Scalar.Properties {
    /// Neither a control nor a format character (the latter can reorder what a reader sees).
    fileprivate var isHarmless: Bool {
        switch generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
