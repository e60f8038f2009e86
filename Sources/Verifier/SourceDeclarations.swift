import Liveness
import Model

/// Where a candidate's own text declares something, for findings that no instruction belongs to. A place is only named
/// where exactly one fits and the compiler has surely seen it: macros are not expanded, headers not read, and what
/// stands between `#if` and `#endif` is not trusted.
struct SourceDeclarations {
    private typealias Token = SourceTokens.Token

    private let file: String
    private let text: [UInt8]
    private let tokens: [Token]

    init(file: String, text: [UInt8]) {
        self.file = file
        self.text = text
        tokens = SourceTokens.read(text)
    }

    func place(of declaration: Declaration) -> SourceLocation? {
        switch declaration {
        case .member(let member, let table): only(members(member, of: table)).map(location)
        case .attribute(let attribute, let map): place(ofAttribute: attribute, map)
        case .map(let map): only(definitions(of: map)).map(location)
        }
    }

    private func place(ofAttribute attribute: String, _ map: String) -> SourceLocation? {
        guard let name = only(definitions(of: map)) else { return nil }
        let lines = attributes(attribute, before: name)
        return lines.isEmpty ? location(name) : only(lines).map(location)
    }

    private func only(_ places: [Int]) -> Int? {
        guard let place = places.first, places.count == 1, !tokens[place].isConditional else { return nil }
        return place
    }

    private func location(_ place: Int) -> SourceLocation {
        let token = tokens[place]
        let start = token.text.startIndex - (token.column - 1)
        let line = text[start...].prefix { $0 != 0x0A }
        return SourceLocation(
            file: file, line: token.line, column: token.column,
            text: String(decoding: line.trimmingBlanks, as: UTF8.self))
    }

    private func token(_ place: Int, is word: String) -> Bool {
        tokens.indices.contains(place) && tokens[place].is(word)
    }

    // MARK: tables of operations

    /// The `.member =` of a table's initialiser, which is behind `table =` or is given to a macro whose first argument is
    /// the table's name; none where the brackets do not match, as conditional code may have it.
    private func members(_ member: String, of table: String) -> [Int] {
        var open: [(closing: String, isTable: Bool)] = []
        var found: [Int] = []
        for place in tokens.indices {
            let token = tokens[place]
            if token.is("{") || token.is("(") || token.is("[") {
                open.append((Self.closing(token), isTable(place, table)))
            } else if token.is("}") || token.is(")") || token.is("]") {
                guard let last = open.popLast(), token.is(last.closing) else { return [] }
            } else if token.is("."), open.last?.isTable == true, self.token(place + 1, is: member),
                self.token(place + 2, is: "="),
                ["{", ",", "("].contains(where: { self.token(place - 1, is: $0) })
            {
                found.append(place)
            }
        }
        return open.isEmpty ? found : []
    }

    private static func closing(_ token: Token) -> String { token.is("{") ? "}" : token.is("(") ? ")" : "]" }

    private func isTable(_ place: Int, _ table: String) -> Bool {
        if tokens[place].is("(") { return token(place + 1, is: table) && token(place + 2, is: ",") }
        guard tokens[place].is("{"), token(place - 1, is: "=") else { return false }
        // Attributes may stand between the name and the sign: `name SEC("…") =`.
        var before = place - 2
        while token(before, is: ")") {
            var depth = 0
            repeat {
                if token(before, is: ")") { depth += 1 } else if token(before, is: "(") { depth -= 1 }
                before -= 1
            } while depth > 0 && before >= 0
            before -= 1
        }
        return token(before, is: table)
    }

    // MARK: maps

    /// The name in `struct {…} name SEC(".maps")`.
    private func definitions(of map: String) -> [Int] {
        tokens.indices.filter { token($0, is: map) && token($0 + 1, is: "SEC") && token($0 + 2, is: "(") }
    }

    /// The `__uint(attribute, …)` in the structure that ends before a map's name.
    private func attributes(_ attribute: String, before name: Int) -> [Int] {
        guard token(name - 1, is: "}") else { return [] }
        var found: [Int] = []
        var depth = 0
        for place in (0..<name).reversed() {
            if token(place, is: "}") { depth += 1 } else if token(place, is: "{") { depth -= 1 }
            if depth == 0 { break }
            if token(place, is: "__uint"), token(place + 1, is: "("), token(place + 2, is: attribute) {
                found.append(place)
            }
        }
        return found
    }
}

extension ArraySlice<UInt8> {
    fileprivate var trimmingBlanks: ArraySlice<UInt8> {
        let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let front = drop(while: isBlank)
        return front[..<(front.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? front.startIndex)]
    }
}
