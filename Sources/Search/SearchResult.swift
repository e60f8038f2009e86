package import Model

/// The answer to a question.
package struct SearchResult: Hashable, Sendable {
    package let hits: [SearchHit]
    /// Why only words were compared; nil where meaning was, too.
    package let wordsOnly: String?

    package init(hits: [SearchHit], wordsOnly: String?) {
        self.hits = hits
        self.wordsOnly = wordsOnly
    }
}

/// An entry that answers a question, and why.
package struct SearchHit: Hashable, Sendable {
    package let record: EntryRecord
    /// Larger is better; comparable within one answer.
    package let score: Double
    /// The words of the question that the entry has.
    package let terms: [String]
    /// The sentence of the entry that is nearest to the question, and its cosine; nil where only words were compared.
    package let sentence: Passage?
    package let similarity: Double?
    /// What was measured of it: effects that are surely better or worse first, then the newest.
    package let measured: [Outcome]

    package init(
        record: EntryRecord, score: Double, terms: [String] = [], sentence: Passage? = nil, similarity: Double? = nil,
        measured: [Outcome] = []
    ) {
        self.record = record
        self.score = score
        self.terms = terms
        self.sentence = sentence
        self.similarity = similarity
        self.measured = measured
    }

    /// "matches 'wakeup', 'build'; near to: 'mixed interactive and batch work' (0.61)"
    package var why: String {
        var parts: [String] = []
        if !terms.isEmpty { parts.append("matches " + terms.map { "'\($0)'" }.joined(separator: ", ")) }
        if let sentence, let similarity {
            let hundredths = Int((similarity * 100).rounded())
            let figure = hundredths < 0 ? "below 0" : "0." + (hundredths < 10 ? "0" : "") + "\(min(99, hundredths))"
            parts.append("near to: '\(sentence.text.escapedForDisplay(limit: 160))' (\(figure))")
        }
        return parts.joined(separator: "; ")
    }
}
