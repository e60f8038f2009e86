import Model

/// A look at the text before the compiler sees it, for what is never allowed. The walls around the compiler are what
/// protects the machine; this says in plain words what would otherwise be a strange error.
struct CompileSource {
    let name: String
    let bytes: [UInt8]

    /// Of the check `compile-include`, or `compile` for a text that is none.
    func findings(limit: Int) -> [Finding] {
        if bytes.count > limit {
            let message = "the source has \(bytes.count) bytes, more than the \(limit) that are compiled"
            return [finding("compile-limits", message, remedy: "Take generated tables out of the source.")]
        }
        if bytes.contains(0) {
            return [finding("compile", "the source holds a NUL byte, so it is no C text")]
        }
        var findings: [Finding] = []
        let lines = Self.code(of: bytes)
        let hasAssembler = lines.contains { $0.text.contains("asm") }
        for line in lines {
            if let found = directive(line) {
                findings.append(found)
            } else if hasAssembler, let word = [".incbin", ".include"].first(where: line.text.contains) {
                findings.append(
                    finding(
                        "compile-include", "the assembler's \(word) would read another file", at: line,
                        remedy: "Put what it would read into the source as an array."))
            }
            if findings.count >= 20 { break }
        }
        return findings
    }

    private func directive(_ line: Line) -> Finding? {
        var text = line.text.drop { $0 == " " || $0 == "\t" }
        if text.hasPrefix("#") {
            text = text.dropFirst()
        } else if text.hasPrefix("%:") {
            text = text.dropFirst(2)
        } else {
            return nil
        }
        text = text.drop { $0 == " " || $0 == "\t" }
        let word = text.prefix { $0.isLetter || $0 == "_" }
        let rest = text.dropFirst(word.count).drop { $0 == " " || $0 == "\t" }
        switch word {
        case "include", "include_next", "import": return include(rest, line)
        case "embed":
            return finding(
                "compile-include", "#embed would read another file into the object", at: line,
                remedy: "Put what it would read into the source as an array.")
        case "pragma":
            let words = rest.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.first == "clang", words.count > 1, ["__debug", "module"].contains(words[1]) else { return nil }
            return finding(
                "compile-include", "#pragma clang \(words[1]) is for the compiler's makers", at: line,
                remedy: "Leave it out.")
        default: return nil
        }
    }

    private func include(_ rest: Substring, _ line: Line) -> Finding? {
        guard let open = rest.first, open == "<" || open == "\"" else { return nil }
        let path = rest.dropFirst().prefix { $0 != ">" && $0 != "\"" }
        let remedy = "Include by a name below an include folder; -I names more of them."
        if path.hasPrefix("/") {
            return finding(
                "compile-include", "the absolute path \(path) is not included", at: line,
                why: "A candidate must not read the verifier's files, and must compile to the same object elsewhere.",
                remedy: remedy)
        }
        if path.split(separator: "/").contains("..") {
            return finding(
                "compile-include", "\(path) leads out of its folder and is not included", at: line,
                why: "A candidate must not read the verifier's files, and must compile to the same object elsewhere.",
                remedy: remedy)
        }
        return nil
    }

    private func finding(
        _ check: String, _ message: String, at line: Line? = nil, why: String = "", remedy: String = ""
    ) -> Finding {
        let location = line.map { SourceLocation(file: name, line: $0.number, text: $0.text.trimmed) }
        return Finding(
            stage: .compile, check: check, message: message, location: location, why: why, remedy: remedy)
    }

    struct Line {
        let number: Int
        let text: String
    }

    /// The text without comments, in logical lines: continued ones are joined, and numbered by their first.
    static func code(of bytes: [UInt8]) -> [Line] {
        var lines: [Line] = []
        var (current, number, start) = ([UInt8](), 1, 1)
        var state = State.code
        var index = 0
        func at(_ offset: Int) -> UInt8 { index + offset < bytes.count ? bytes[index + offset] : 0 }
        func finish() {
            lines.append(Line(number: start, text: String(decoding: current, as: UTF8.self)))
            current.removeAll(keepingCapacity: true)
        }
        while index < bytes.count {
            let byte = bytes[index]
            let next = at(1)
            if byte == Byte.backslash, next == Byte.newline || (next == Byte.carriage && at(2) == Byte.newline) {
                number += 1
                index += next == Byte.newline ? 2 : 3
                continue
            }
            if byte == Byte.newline {
                number += 1
                if state == .lineComment || state == .string || state == .character { state = .code }
                if state == .code {
                    finish()
                    start = number
                }
                index += 1
                continue
            }
            switch state {
            case .code where byte == Byte.slash && next == Byte.slash: state = .lineComment
            case .code where byte == Byte.slash && next == Byte.star:
                state = .comment
                current.append(Byte.space)
                index += 1
            case .code:
                if byte == Byte.quote { state = .string } else if byte == Byte.apostrophe { state = .character }
                current.append(byte)
            case .comment:
                if byte == Byte.star && next == Byte.slash {
                    state = .code
                    index += 1
                }
            case .lineComment: break
            case .string, .character:
                current.append(byte)
                if byte == Byte.backslash && next != 0 {
                    current.append(next)
                    index += 1
                } else if byte == (state == .string ? Byte.quote : Byte.apostrophe) {
                    state = .code
                }
            }
            index += 1
        }
        finish()
        return lines
    }

    private enum State { case code, comment, lineComment, string, character }

    private enum Byte {
        static let newline = UInt8(ascii: "\n"), carriage = UInt8(ascii: "\r"), backslash = UInt8(ascii: "\\")
        static let slash = UInt8(ascii: "/"), star = UInt8(ascii: "*"), space = UInt8(ascii: " ")
        static let quote = UInt8(ascii: "\""), apostrophe = UInt8(ascii: "'")
    }
}
