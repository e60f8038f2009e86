/// The words and signs of a C source, with their lines: comments, strings and the preprocessor's lines are left out.
/// Nothing is expanded and nothing included.
struct SourceTokens {
    struct Token: Hashable {
        /// A word's bytes, a number's among them; of a sign only that.
        var text: ArraySlice<UInt8>
        /// Counts from 1.
        var line: Int
        /// Bytes from the line's start, from 1.
        var column: Int
        /// Between `#if` and `#endif`: the compiler may not have seen it.
        var isConditional: Bool

        func `is`(_ word: String) -> Bool { text.elementsEqual(word.utf8) }
    }

    private(set) var tokens: [Token] = []
    private let bytes: [UInt8]
    private var at = 0
    private var line = 1
    private var lineStart = 0
    private var conditions = 0
    /// Nothing but blanks since the line began: a `#` here is the preprocessor's.
    private var isLineStart = true

    static func read(_ bytes: [UInt8]) -> [Token] {
        var source = SourceTokens(bytes)
        while source.at < bytes.count { source.step() }
        return source.tokens
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func isWordByte(_ byte: UInt8) -> Bool {
        byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte >= 0x30 && byte <= 0x39 || byte == 0x5F || byte >= 0x80
    }

    private func byte(_ distance: Int = 0) -> UInt8 { at + distance < bytes.count ? bytes[at + distance] : 0 }

    private mutating func advance() {
        if byte() == 0x0A {
            line += 1
            lineStart = at + 1
            isLineStart = true
        }
        at += 1
    }

    private mutating func step() {
        switch byte() {
        case 0x09...0x0D, 0x20: advance()
        case UInt8(ascii: "\\"): at += 1
        case UInt8(ascii: "/") where skipComment(): break
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            isLineStart = false
            skipLiteral()
        case UInt8(ascii: "#") where isLineStart: directive()
        default:
            isLineStart = false
            let start = at
            at += 1
            if Self.isWordByte(bytes[start]) { while Self.isWordByte(byte()) { at += 1 } }
            tokens.append(
                Token(
                    text: bytes[start..<at], line: line, column: start - lineStart + 1, isConditional: conditions > 0))
        }
    }

    /// False where none begins here.
    private mutating func skipComment() -> Bool {
        if byte(1) == UInt8(ascii: "*") {
            at += 2
            while at < bytes.count, !(byte() == UInt8(ascii: "*") && byte(1) == UInt8(ascii: "/")) {
                let wasStart = isLineStart
                advance()
                isLineStart = wasStart
            }
            at = min(at + 2, bytes.count)
            return true
        }
        guard byte(1) == UInt8(ascii: "/") else { return false }
        skipToLineEnd { _ in false }
        return true
    }

    private mutating func skipLiteral() {
        let quote = byte()
        at += 1
        while at < bytes.count, byte() != quote, byte() != 0x0A { skipEscaped() }
        if byte() == quote { at += 1 }
    }

    private mutating func skipEscaped() {
        if byte() == UInt8(ascii: "\\") { at += 1 }
        if at < bytes.count { advance() }
    }

    /// - Parameter special: takes what is more than one byte; false: nothing was taken.
    private mutating func skipToLineEnd(_ special: (inout SourceTokens) -> Bool) {
        while at < bytes.count, byte() != 0x0A {
            if !special(&self) { skipEscaped() }
        }
    }

    /// A line of the preprocessor's, with all that is continued.
    private mutating func directive() {
        at += 1
        while byte() == 0x20 || byte() == 0x09 { at += 1 }
        let start = at
        while Self.isWordByte(byte()) { at += 1 }
        switch String(decoding: bytes[start..<at], as: UTF8.self) {
        case "if", "ifdef", "ifndef": conditions += 1
        case "endif": conditions = max(0, conditions - 1)
        default: break
        }
        skipToLineEnd { source in
            switch source.byte() {
            case UInt8(ascii: "/"): return source.skipComment()
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                source.skipLiteral()
                return true
            default: return false
            }
        }
    }
}
