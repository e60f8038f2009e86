import Foundation
import Model

/// How often each word is in each part of an entry. Words in what an entry is not for do not count, as in the daemon.
struct EntryWords: Sendable {
    private let parts: [[String: Int]]
    let length: Int

    init(_ entry: PolicyEntry) {
        let texts = [
            entry.key.name.text, entry.summary, entry.targetWorkloads.joined(separator: " "), entry.description,
            entry.algorithm,
        ]
        let words = texts.map(Self.split)
        parts = words.map { Dictionary($0.map { ($0, 1) }, uniquingKeysWith: +) }
        length = words.reduce(0) { $0 + $1.count }
    }

    static func split(_ text: String) -> [String] {
        text.lowercased().split { !($0.isLetter || $0.isNumber) }.map(String.init)
    }

    func count(_ word: String) -> Int { parts.reduce(0) { $0 + ($1[word] ?? 0) } }

    func weighed(_ word: String, _ weights: TextWeights) -> Double {
        let all = [weights.name, weights.summary, weights.targets, weights.description, weights.algorithm]
        return zip(parts, all).reduce(0) { $0 + Double($1.0[word] ?? 0) * $1.1 }
    }

    var words: Set<String> { parts.reduce(into: []) { $0.formUnion($1.keys) } }
}

/// BM25 (Robertson and Zaragoza 2009) with weighed parts, k1 = 1.2 and b = 0.75: as SQLite's FTS5 rates.
struct WordStatistics: Sendable {
    private let frequency: [String: Int]
    private let count: Int
    private let meanLength: Double

    init(_ documents: [EntryWords]) {
        var frequency: [String: Int] = [:]
        for document in documents { for word in document.words { frequency[word, default: 0] += 1 } }
        self.frequency = frequency
        count = documents.count
        meanLength = max(1, Double(documents.reduce(0) { $0 + $1.length }) / Double(max(1, documents.count)))
    }

    func entries(with word: String) -> Int { frequency[word] ?? 0 }

    func score(_ words: [String], in document: EntryWords, _ weights: TextWeights) -> Double {
        words.reduce(0) { sum, word in
            let with = Double(entries(with: word))
            // A word that most entries have says little, but never speaks against one.
            let rarity = max(1e-6, log((Double(count) - with + 0.5) / (with + 0.5)))
            let times = document.weighed(word, weights)
            let long = 1.2 * (0.25 + 0.75 * Double(document.length) / meanLength)
            return sum + rarity * times * 2.2 / (times + long)
        }
    }
}
