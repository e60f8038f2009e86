import Model

/// A person's words as a query of FTS5: each word in quotes, so that nothing in them is an operator, joined by OR.
struct TextQuery {
    static let maxBytes = 4096
    static let maxTerms = 32

    let terms: [String]

    /// Throws where there is nothing to look for, or too much.
    init(_ text: String) throws(Failure) {
        guard text.utf8.count <= Self.maxBytes else {
            throw Failure(
                .invalidArgument, "a search for \(text.utf8.count) bytes of text, more than \(Self.maxBytes)",
                hint: "a sentence is enough")
        }
        var terms: [String] = []
        for word in text.lowercased().split(whereSeparator: { !Self.isPart($0) }) {
            let term = String(word.prefix(64))
            if !terms.contains(term) { terms.append(term) }
        }
        guard !terms.isEmpty else {
            throw Failure(.invalidArgument, "a search for nothing", hint: "say in a few words what is wanted")
        }
        self.terms = Array(terms.prefix(Self.maxTerms))
    }

    var match: String { terms.map(Self.quoted).joined(separator: " OR ") }

    static func quoted(_ term: String) -> String { "\"" + term.replacing("\"", with: "") + "\"" }

    /// What FTS5's unicode61 takes for a part of a word.
    private static func isPart(_ character: Character) -> Bool { character.isLetter || character.isNumber }
}
