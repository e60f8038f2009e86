import GRDB
package import Model

/// What a search is made of: words, vectors, and outcomes under like workloads. How they are weighed is not decided here.
extension PolicyRepository {
    /// The entries that hold any of the words, the best first. Words in what an entry is not for do not count.
    /// - Parameter part: of all entries, those that are looked at: the newest ones.
    package func matches(
        _ text: String, filter: EntryFilter, weights: TextWeights = .standard, part: Double = 1, limit: Int
    ) async throws(Failure) -> [TextMatch] {
        let query = try TextQuery(text)
        let condition = try FilterSQL(filter)
        let ranking = [weights.name, weights.summary, weights.targets, weights.description, weights.algorithm]
        guard ranking.allSatisfy({ $0.isFinite && $0 >= 0 }) else { throw Failure(.invalidArgument, "bad weights") }
        let sql = """
            SELECT entry_text.rowid AS id, bm25(entry_text, \(ranking.map { "\($0)" }.joined(separator: ", "))) AS rating
            FROM entry_text JOIN standing ON standing.entry = entry_text.rowid
            WHERE entry_text MATCH ? AND entry_text.rowid > CAST((SELECT MAX(id) FROM entry) * ? AS INTEGER)
                AND \(condition.sql)
            ORDER BY rating, id LIMIT ?
            """
        let older = 1 - min(1, max(0, part))
        let words: StatementArguments = [query.match, older]
        let arguments = words + condition.arguments + [Self.bounded(limit)]
        return try await look("search") { database in
            let found = try Row.fetchAll(database, sql: sql, arguments: arguments).map { row in
                (id: try row.number("id"), rating: Double.fromDatabaseValue(row["rating"]) ?? 0)
            }
            let terms = try Self.terms(query, in: found.map(\.id), database)
            return found.map { TextMatch(id: $0.id, score: -$0.rating, terms: terms[$0.id] ?? []) }
        }
    }

    /// Which of the words are in which of the entries, in the words' order.
    private static func terms(
        _ query: TextQuery, in ids: [Int64], _ database: Database
    ) throws -> [Int64: [String]] {
        var found: [Int64: [String]] = [:]
        let list = ids.map(String.init).joined(separator: ",")
        let statement = try database.makeStatement(
            sql: "SELECT rowid FROM entry_text WHERE entry_text MATCH ? AND rowid IN (\(list))")
        for term in query.terms {
            for id in try Int64.fetchAll(statement, arguments: [TextQuery.quoted(term)]) {
                found[id, default: []].append(term)
            }
        }
        return found
    }

    /// In how many entries each word occurs, all versions counted; 0 for one that is in none.
    package func frequency(of terms: [String]) async throws(Failure) -> [String: Int] {
        guard terms.count <= TextQuery.maxTerms else { throw Failure(.tooMany, "\(terms.count) words at once") }
        return try await look("count words") { database in
            var counts: [String: Int] = [:]
            for term in terms {
                counts[term] = try Int.fetchOne(
                    database, sql: "SELECT COUNT(*) FROM entry_text WHERE entry_text MATCH ?",
                    arguments: [TextQuery.quoted(term)])
            }
            return counts
        }
    }

    // MARK: Vectors

    /// Entries whose words can be turned into vectors, in the order in which they were added.
    package func documents(after id: Int64, limit: Int) async throws(Failure) -> [EntryDocument] {
        try await documents("entry.id > ? ORDER BY entry.id LIMIT ?", [id, Self.bounded(limit)])
    }

    private func documents(
        _ condition: String, _ arguments: StatementArguments
    ) async throws(Failure) -> [EntryDocument] {
        try await look("read documents") { database in
            try EntryRows.fetch(database, "WHERE \(condition)", arguments).map {
                EntryDocument(id: $0.id, digest: EntryRows.documentDigest($0.entry), entry: $0.entry)
            }
        }
    }

    /// Documents of which this model has made no vectors yet.
    package func lacking(model: String, limit: Int) async throws(Failure) -> [EntryDocument] {
        var from = complete[model] ?? 0
        var lacking: [Int64] = []
        while lacking.count < Self.bounded(limit) {
            let some = try await digests("entry.id > ? ORDER BY entry.id LIMIT 1000", [from])
            guard let last = some.last else { break }
            let there = try await cache.has(some.map(\.digest), model: model)
            lacking += some.filter { !there.contains($0.digest) }.map(\.id)
            // Nothing before this one is looked at again.
            if lacking.isEmpty { complete[model] = last.id }
            from = last.id
        }
        // The usual case, and asked at every search.
        if lacking.isEmpty { return [] }
        let ids = lacking.prefix(Self.bounded(limit)).map(String.init).joined(separator: ",")
        return try await documents("entry.id IN (\(ids)) ORDER BY entry.id", [])
    }

    private func digests(
        _ condition: String, _ arguments: StatementArguments
    ) async throws(Failure) -> [(id: Int64, digest: String)] {
        try await look("read documents") { database in
            try Row.fetchAll(database, sql: "SELECT id, document FROM entry WHERE \(condition)", arguments: arguments)
                .map { (try $0.number("id"), try $0.text("document")) }
        }
    }

    package func store(
        _ vectors: [UInt8], for document: EntryDocument, model: String
    ) async throws(Failure) {
        try await cache.store(vectors, document: document.digest, model: model)
    }

    /// The vectors of the entries after `id`, in the order of their numbers; an entry that has none is left out. When
    /// fewer than `limit` come, go on after the last one all the same: only an empty answer is the end.
    package func vectors(model: String, after id: Int64, limit: Int) async throws(Failure) -> [EntryVectors] {
        var from = id
        while true {
            let some = try await digests("entry.id > ? ORDER BY entry.id LIMIT ?", [from, Self.bounded(limit)])
            guard let last = some.last else { return [] }
            let found = try await vectors(some, model)
            if !found.isEmpty { return found }
            from = last.id
        }
    }

    package func vectors(model: String, ids: [Int64]) async throws(Failure) -> [EntryVectors] {
        guard ids.count <= Self.maxRows else { throw Failure(.tooMany, "\(ids.count) entries at once") }
        let list = ids.map(String.init).joined(separator: ",")
        return try await vectors(digests("id IN (\(list)) ORDER BY id", []), model)
    }

    private func vectors(
        _ documents: [(id: Int64, digest: String)], _ model: String
    ) async throws(Failure) -> [EntryVectors] {
        let contents = try await cache.contents(of: documents.map(\.digest), model: model)
        return documents.compactMap { one in contents[one.digest].map { EntryVectors(id: one.id, vectors: $0) } }
    }

    /// Forgets what other models have made.
    package func forgetVectors(except model: String) async throws(Failure) {
        try await cache.forget(except: model)
        complete = complete.filter { $0.key == model }
    }

    // MARK: Outcomes

    /// Outcomes under the workloads most like this one, the most alike first: profile and machine multiplied.
    package func nearest(
        to profile: WorkloadProfile, machine: MachineShape? = nil, filter: EntryFilter, limit: Int
    ) async throws(Failure) -> [NearOutcome] {
        try profile.check()
        try machine?.check()
        let condition = try FilterSQL(filter)
        let limit = Self.bounded(limit)
        return try await look("look for like workloads") { database in
            let profiles = try Self.profiles(like: profile, database)
            var found: [NearOutcome] = []
            for (id, similarity) in profiles {
                // What follows is less alike, however well its machine fits.
                if found.count >= limit, similarity <= found.last.map(Self.nearness) ?? 0 { break }
                found += try EvidenceRows.outcomes(
                    "WHERE profile = ? AND entry IN (SELECT entry FROM standing WHERE \(condition.sql)) ORDER BY id",
                    StatementArguments([id]) + condition.arguments, database
                ).map { entry, outcome in
                    NearOutcome(
                        id: entry, outcome: outcome, profileSimilarity: similarity,
                        machineSimilarity: machine?.similarity(to: outcome.machine) ?? 1)
                }
                found = Self.best(found, limit)
            }
            return found
        }
    }

    private static func profiles(
        like profile: WorkloadProfile, _ database: Database
    ) throws -> [(id: Int64, similarity: Double)] {
        var near: [(id: Int64, similarity: Double)] = []
        let rows = try Row.fetchCursor(database, sql: "SELECT * FROM profile")
        while let row = try rows.next() {
            guard RowSeal.matches(row, PolicyTables.columns("profile")) else { throw Damage(description: "a profile") }
            let stored = try StoredProfile(json: row["content"]).profile
            near.append((row["id"], profile.similarity(to: stored)))
        }
        return near.sorted { ($1.similarity, $0.id) < ($0.similarity, $1.id) }
    }

    private static func best(_ found: [NearOutcome], _ limit: Int) -> [NearOutcome] {
        Array(found.sorted { (nearness($1), $0.outcome.id) < (nearness($0), $1.outcome.id) }.prefix(limit))
    }

    private static func nearness(_ near: NearOutcome) -> Double { near.profileSimilarity * near.machineSimilarity }
}
