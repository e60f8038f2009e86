package import Model

/// A sentence of an entry, as it is compared with a question.
package struct Passage: Hashable, Sendable {
    package enum Role: String, Sendable {
        case summary, target, description, algorithm
        /// What it is not for: a question like this one is answered by others.
        case antiTarget
    }

    package let role: Role
    package let text: String
}

/// How the words of an entry are cut into sentences.
package enum Passages {
    /// Part of the name under which vectors are kept: another way to cut makes other vectors.
    static let scheme = "sentences-1"
    static let most = 48

    /// Wanted ones first, then what it is not for.
    package static func of(_ entry: PolicyEntry) -> [Passage] {
        let name =
            entry.key.name.text + (entry.kind == .primitive ? ", a building block of schedulers, code to reuse" : "")
        var passages = [Passage(role: .summary, text: "\(name): \(entry.summary)")]
        passages += entry.targetWorkloads.map { Passage(role: .target, text: $0) }
        passages += sentences(entry.description).map { Passage(role: .description, text: $0) }
        passages.append(Passage(role: .algorithm, text: entry.algorithm))
        let not = entry.notFor.prefix(most / 4).map { Passage(role: .antiTarget, text: $0) }
        return passages.filter { !$0.text.isEmpty }.prefix(most - not.count) + not.filter { !$0.text.isEmpty }
    }

    /// A sentence ends at a full stop, a question or exclamation mark that white space follows.
    static func sentences(_ text: String) -> [String] {
        var sentences: [String] = []
        var sentence = ""
        var ended = false
        for character in text {
            if ended, character.isWhitespace {
                sentences.append(sentence)
                sentence = ""
            } else if !(sentence.isEmpty && character.isWhitespace) {
                sentence.append(character.isWhitespace ? " " : character)
            }
            ended = character == "." || character == "!" || character == "?"
        }
        sentences.append(sentence)
        return sentences.filter { $0.contains { $0.isLetter } }
    }
}
