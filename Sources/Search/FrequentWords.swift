import Model

/// Keeps what a question costs within bounds: full text rates every entry that has any of the words, so that a few words that
/// half of all entries have would take longer than everything else, and say next to nothing.
actor FrequentWords {
    private let store: any SearchStore
    private var known: [String: Int] = [:]
    /// Of the store, when `known` was begun.
    private var since: Int64 = 0

    /// What may be looked for.
    struct Affordable: Hashable, Sendable {
        /// In all entries, in the order of the question.
        var words: [String]
        /// Where those are in too few entries to answer: the next one, in the newest entries, and which part they are.
        var next: String?
        var part = 1.0
    }

    /// Entries that may be rated for one question; up to there no word is left out.
    static let budget = 12_000
    /// Entries among which the best are chosen.
    static let enough = SearchEngine.breadth
    static let mostKnown = 4096
    /// How many the store counts at once.
    private static let most = 32

    init(store: any SearchStore) { self.store = store }

    /// The rarest of the words, as many as the budget allows.
    func affordable(_ words: [String]) async throws(Failure) -> Affordable {
        let words = Array(words.prefix(Self.most))
        let counts = try await counts(words)
        var rated = 0
        var kept: Set<String> = []
        for word in words.sorted(by: { (counts[$0] ?? 0, $0) < (counts[$1] ?? 0, $1) }) {
            let count = counts[word] ?? 0
            if rated + count > Self.budget {
                let rest = words.filter(kept.contains)
                guard rated < Self.enough else { return Affordable(words: rest) }
                return Affordable(words: rest, next: word, part: Double(Self.budget - rated) / Double(count))
            }
            rated += count
            kept.insert(word)
        }
        return Affordable(words: words)
    }

    private func counts(_ words: [String]) async throws(Failure) -> [String: Int] {
        let now = try await store.generation
        // Counts need not be exact, but they have to grow with the store.
        if now > since + since / 10 + 100 || known.count > Self.mostKnown {
            known = [:]
            since = now
        }
        let new = words.filter { known[$0] == nil }
        if !new.isEmpty {
            for (word, count) in try await store.frequency(of: new) { known[word] = count }
        }
        return known
    }
}
