import Model

/// Keeps what a question costs within bounds: full text rates every entry that has any of the words, so that a few words that
/// half of all entries have would take longer than everything else, and say next to nothing.
actor FrequentWords {
    private let store: any SearchStore
    private var known: [String: Int] = [:]
    /// Of the store, when `known` was begun.
    private var since: Int64 = 0

    /// Entries that may be rated for one question; up to there no word is left out.
    static let budget = 20_000
    static let mostKnown = 4096
    /// How many the store counts at once.
    private static let most = 32

    init(store: any SearchStore) { self.store = store }

    /// The rarest of the words, in their order, as many as the budget allows and at least one.
    func affordable(_ words: [String]) async throws(Failure) -> [String] {
        let words = Array(words.prefix(Self.most))
        let counts = try await counts(words)
        var left = Self.budget
        var kept: Set<String> = []
        for word in words.sorted(by: { (counts[$0] ?? 0, $0) < (counts[$1] ?? 0, $1) }) {
            left -= counts[word] ?? 0
            if left < 0, !kept.isEmpty { break }
            kept.insert(word)
        }
        return words.filter(kept.contains)
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
