import Model

/// What a server demands, of the header `WWW-Authenticate` (RFC 9110, 11.6.1).
struct AuthChallenge: Hashable, Sendable {
    /// In lower case.
    let scheme: String
    /// Names in lower case.
    var parameters: [String: String]

    /// All that can be read; what cannot is passed over. A header may hold several, and a header may be there several times.
    static func parse(_ headers: [String]) -> [AuthChallenge] {
        var challenges: [AuthChallenge] = []
        for header in headers where header.utf8.count <= 8192 {
            for item in items(header) {
                var words = item[...]
                // `Bearer realm="…"` begins one, `service="…"` goes on with it.
                let name = words.prefix(while: isToken)
                words = words.dropFirst(name.count)
                if words.isEmpty || words.first == " " {
                    challenges.append(AuthChallenge(scheme: name.lowercased(), parameters: [:]))
                    words = words.drop { $0 == " " }
                } else {
                    words = item[...]
                }
                guard let (name, value) = parameter(words), !challenges.isEmpty else { continue }
                challenges[challenges.count - 1].parameters[name] = value
            }
        }
        return challenges
    }

    private static func isToken(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "!#$%&'*+-.^_`|~".contains(character))
    }

    /// Between commas, but not those in quotes.
    private static func items(_ header: String) -> [String] {
        var items: [String] = [""]
        var isQuoted = false
        var isEscaped = false
        for character in header {
            if character == "," && !isQuoted {
                items.append("")
                continue
            }
            if character == "\"" && !isEscaped { isQuoted.toggle() }
            isEscaped = character == "\\" && isQuoted && !isEscaped
            items[items.count - 1].append(character)
        }
        return items.map(\.trimmed).filter { !$0.isEmpty }
    }

    private static func parameter(_ text: Substring) -> (name: String, value: String)? {
        guard let equals = text.firstIndex(of: "=") else { return nil }
        let name = text[..<equals].lowercased()
        let value = text[text.index(after: equals)...]
        guard !name.isEmpty, name.allSatisfy(isToken) else { return nil }
        guard value.hasPrefix("\"") else { return (name, String(value)) }
        guard value.count >= 2, value.hasSuffix("\"") else { return nil }
        var out = ""
        var isEscaped = false
        for character in value.dropFirst().dropLast() {
            if character == "\\" && !isEscaped {
                isEscaped = true
            } else {
                out.append(character)
                isEscaped = false
            }
        }
        return (name, out)
    }
}
