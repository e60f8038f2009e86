package import Embedding
package import Model

/// Answers questions from a store of entries, with a model of sentences or by words alone.
package struct SearchEngine: Sendable {
    private let store: any SearchStore
    private let embedder: (any Embedder)?
    private let index: SentenceIndex?
    /// Why there is no model.
    private let lack: String
    private let ranking: Ranking
    private let frequent: FrequentWords

    /// Entries that are looked at closely, for each way to find them.
    static let breadth = 100

    /// - Parameter lack: what to say where there is no embedder.
    package init(
        store: any SearchStore, embedder: (any Embedder)?, lack: String = "there is no model for sentences"
    ) {
        self.init(store: store, embedder: embedder, lack: lack, ranking: .standard)
    }

    init(store: any SearchStore, embedder: (any Embedder)?, lack: String = "", ranking: Ranking) {
        self.store = store
        self.embedder = embedder
        self.lack = lack
        self.ranking = ranking
        frequent = FrequentWords(store: store)
        index = embedder.map { SentenceIndex(store: store, embedder: $0, common: ranking.common) }
    }

    /// Makes vectors of entries that have none of this model, at most `most`, and returns how many. To be called at start and
    /// after changes; until then such entries are found by their words.
    @discardableResult
    package func makeVectors(most: Int = .max) async throws(Failure) -> Int {
        try await index?.make(most: most) ?? 0
    }

    /// Drops what other models made; to be called once vectors of this one are made.
    package func forgetOtherModels() async throws(Failure) { try await index?.forgetOthers() }

    package func search(_ query: SearchQuery) async throws(Failure) -> SearchResult {
        guard let embedder, let index, query.means != .words else {
            let hits = try await hits(query, nil, breadth: Self.breadth).hits
            return SearchResult(hits: hits, wordsOnly: embedder == nil ? lack : nil)
        }
        let question: [Float]
        do throws(Failure) { question = try await embedder.vector(for: query.text) } catch {
            // A service that does not answer leaves the words, which are better than nothing.
            if error.code == .cancelled || query.means == .sentences { throw error }
            let hits = try await hits(query, nil, breadth: Self.breadth).hits
            return SearchResult(hits: hits, wordsOnly: error.message)
        }
        if query.means == .hybrid, try await index.lacksMany() {
            let hits = try await hits(query, nil, breadth: Self.breadth).hits
            return SearchResult(hits: hits, wordsOnly: "the vectors of many entries are still being made")
        }
        // A filter may leave too few of those that were looked at: then more are.
        var breadth = Self.breadth
        while true {
            let found = try await hits(query, (question, index), breadth: breadth)
            if found.hits.count >= query.limit || !found.isMoreThere {
                return SearchResult(hits: found.hits, wordsOnly: nil)
            }
            breadth *= 8
        }
    }

    func near(
        _ profile: WorkloadProfile, _ machine: MachineShape?, _ filter: EntryFilter
    ) async throws(Failure) -> [NearOutcome] {
        try await store.nearest(to: profile, machine: machine, filter: filter, limit: Self.maxNear)
    }

    func records(_ ids: [Int64], _ filter: EntryFilter) async throws(Failure) -> [EntryRecord] {
        try await store.entries(ids: ids, filter: filter)
    }

    /// What is known of an entry before it is read.
    private struct Candidate {
        let id: Int64
        var similarity: Float = 0
        var nearness: Nearness?
        var match: Float = 0
        var terms: [String] = []
    }

    private func hits(
        _ query: SearchQuery, _ meaning: (question: [Float], index: SentenceIndex)?, breadth: Int
    ) async throws(Failure) -> (hits: [SearchHit], isMoreThere: Bool) {
        var candidates: [Int64: Candidate] = [:]
        if query.means != .sentences, !query.words.isEmpty {
            let matches = try await matches(query, breadth)
            let best = matches.first?.score ?? 0
            for match in matches {
                candidates[match.id] = Candidate(
                    id: match.id, match: ranking.match(match, best: best), terms: match.terms)
            }
        }
        var isMoreThere = false
        if let meaning {
            let near = try await meaning.index.nearest(to: meaning.question, limit: breadth)
            isMoreThere = near.count == breadth
            for entry in near where candidates[entry.id] == nil { candidates[entry.id] = Candidate(id: entry.id) }
            let question = Question(meaning.question, beside: await meaning.index.centre.common)
            for (id, sentences) in try await meaning.index.sentences(of: Array(candidates.keys)) {
                let nearness = sentences.nearness(to: question)
                candidates[id]?.nearness = nearness
                candidates[id]?.similarity = ranking.similarity(nearness)
            }
        }
        let scored = candidates.values
            .map { ($0, ranking.score(query.means, similarity: $0.similarity, match: $0.match)) }
            .sorted { ($0.1, $1.0.id) > ($1.1, $0.0.id) }
        return (try await judged(query, scored), isMoreThere)
    }

    private func matches(_ query: SearchQuery, _ limit: Int) async throws(Failure) -> [TextMatch] {
        let affordable = try await frequent.affordable(query.words)
        func matches(_ words: [String], _ part: Double) async throws(Failure) -> [TextMatch] {
            if words.isEmpty { return [] }
            return try await store.matches(
                words.joined(separator: " "), filter: query.filter, weights: ranking.texts, part: part, limit: limit)
        }
        let rare = try await matches(affordable.words, 1)
        guard let next = affordable.next, rare.count < limit else { return rare }
        let known = Set(rare.map(\.id))
        let more = try await matches([next], affordable.part).filter { !known.contains($0.id) }
        return Array((rare + more).sorted { ($0.score, $1.id) > ($1.score, $0.id) }.prefix(limit))
    }

    /// Reads the best, leaves out what is not wanted, and lets history decide among what is left.
    private func judged(
        _ query: SearchQuery, _ scored: [(Candidate, Float)]
    ) async throws(Failure) -> [SearchHit] {
        var hits: [SearchHit] = []
        var next = 0
        // What is added now moves an entry by a few places, not from the end to the top.
        let enough = query.limit + 10
        while next < scored.count, hits.count < enough {
            let part = scored[next..<min(scored.count, next + enough)]
            next += part.count
            let records = try await store.entries(ids: part.map(\.0.id), filter: query.filter)
            let byID = Dictionary(records.map { ($0.id, $0) }) { first, _ in first }
            for (candidate, score) in part {
                guard let record = byID[candidate.id] else { continue }
                let preference = ranking.preference(for: record.entry.kind, asksForCode: query.asksForCode)
                hits.append(try await hit(record, candidate, score + preference))
            }
        }
        return Array(hits.sorted { ($0.score, $1.record.id) > ($1.score, $0.record.id) }.prefix(query.limit))
    }

    private func hit(_ record: EntryRecord, _ candidate: Candidate, _ score: Float) async throws(Failure) -> SearchHit {
        let outcomes = try await store.outcomes(of: record.id, limit: 50)
        var sentence: (Passage, Double)?
        if let cosines = candidate.nearness?.cosines,
            let nearest = cosines.indices.max(by: { cosines[$0] < cosines[$1] })
        {
            let passages = Passages.of(record.entry)
            if passages.indices.contains(nearest) { sentence = (passages[nearest], Double(cosines[nearest])) }
        }
        return SearchHit(
            record: record, score: Double(score + Ranking.history(record.status, outcomes)), terms: candidate.terms,
            sentence: sentence?.0, similarity: sentence?.1, measured: Self.telling(outcomes))
    }

    /// The outcomes that say most, at most five.
    static func telling(_ outcomes: [Outcome]) -> [Outcome] {
        func rank(_ outcome: Outcome) -> (Int, Int, Int64) {
            (outcome.origin.isEvidence ? 1 : 0, outcome.effect.direction == .unclear ? 0 : 1, outcome.measuredAt)
        }
        return Array(outcomes.sorted { rank($0) > rank($1) }.prefix(5))
    }
}
