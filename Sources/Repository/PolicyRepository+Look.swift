import GRDB
package import Model

/// What can be asked of the repository.
extension PolicyRepository {
    /// The most that one call returns.
    package static let maxRows = 1000

    package func entry(_ key: EntryKey) async throws(Failure) -> EntryRecord {
        let version = key.version
        let found = try await entries(
            "WHERE name = ? AND major = ? AND minor = ? AND patch = ?",
            [key.name.text, Int64(version.major), Int64(version.minor), Int64(version.patch)])
        guard let record = found.first else { throw Self.unknown("\(key)") }
        return record
    }

    package func entry(id: Int64) async throws(Failure) -> EntryRecord {
        guard let record = try await entries("WHERE entry.id = ?", [id]).first else {
            throw Self.unknown("entry \(id)")
        }
        return record
    }

    /// The last version of a name.
    package func newest(_ name: SchedulerName) async throws(Failure) -> EntryRecord {
        guard let record = try await entries("WHERE name = ? AND newest = 1", [name.text]).first else {
            throw Self.unknown("'\(name)'")
        }
        return record
    }

    /// All versions of a name, the last one first; empty where there are none.
    package func versions(of name: SchedulerName) async throws(Failure) -> [EntryRecord] {
        try await entries("WHERE name = ? ORDER BY major DESC, minor DESC, patch DESC", [name.text])
    }

    /// The same as text, without the entries.
    package func versionTexts(of name: SchedulerName) async throws(Failure) -> [String] {
        let sql = "SELECT major, minor, patch FROM entry WHERE name = ? ORDER BY major DESC, minor DESC, patch DESC"
        return try await look("read the repository") { database in
            try Row.fetchAll(database, sql: sql, arguments: [name.text]).map { row in
                "\(try row.number("major")).\(try row.number("minor")).\(try row.number("patch"))"
            }
        }
    }

    /// Those with this artifact, the last added first.
    package func entries(artifact: String) async throws(Failure) -> [EntryRecord] {
        try await entries("WHERE artifact = ? ORDER BY entry.id DESC LIMIT \(Self.maxRows)", [artifact])
    }

    /// In the order in which they were added, from the one after `id` on.
    package func list(
        filter: EntryFilter, after id: Int64 = 0, limit: Int = 100
    ) async throws(Failure) -> [EntryRecord] {
        let condition = try FilterSQL(filter)
        return try await entries(
            "WHERE entry.id > ? AND \(condition.sql) ORDER BY entry.id LIMIT ?",
            StatementArguments([id]) + condition.arguments + [Self.bounded(limit)])
    }

    /// Those of these that pass the filter, in the order of `ids`.
    package func entries(ids: [Int64], filter: EntryFilter) async throws(Failure) -> [EntryRecord] {
        guard ids.count <= Self.maxRows else { throw Failure(.tooMany, "\(ids.count) entries at once") }
        let condition = try FilterSQL(filter)
        let found = try await entries(
            "WHERE entry.id IN (\(ids.map(String.init).joined(separator: ","))) AND \(condition.sql)",
            condition.arguments)
        let byID = Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return ids.compactMap { byID[$0] }
    }

    private func entries(
        _ clause: String, _ arguments: StatementArguments
    ) async throws(Failure) -> [EntryRecord] {
        try await look("read the repository") { try EntryRows.fetch($0, clause, arguments) }
    }

    // MARK: Evidence

    /// How its status came to be, oldest first.
    package func history(of id: Int64) async throws(Failure) -> [StatusTransition] {
        try await look("read a history") { try EvidenceRows.history(of: id, $0) }
    }

    /// The last recorded first.
    package func outcomes(of id: Int64, limit: Int = 100) async throws(Failure) -> [Outcome] {
        let limit = Self.bounded(limit)
        return try await look("read outcomes") { database in
            try EvidenceRows.outcomes("WHERE entry = ? ORDER BY id DESC LIMIT ?", [id, limit], database).map(\.outcome)
        }
    }

    package func outcome(_ name: String) async throws(Failure) -> Outcome? {
        try await look("read an outcome") { try EvidenceRows.outcomes("WHERE name = ?", [name], $0).first?.outcome }
    }

    /// Oldest first.
    package func attestations(of id: Int64) async throws(Failure) -> [EntryAttestation] {
        try await look("read attestations") { try EvidenceRows.attestations(of: id, $0) }
    }

    /// Oldest first.
    package func incidents(of id: Int64) async throws(Failure) -> [Incident] {
        try await look("read incidents") { try EvidenceRows.incidents(of: id, $0) }
    }

    /// Was this tried before, and where did it fail?
    package func antipatterns(fingerprint: String) async throws(Failure) -> [AntipatternRecord] {
        try await look("read antipatterns") {
            try EvidenceRows.antipatterns("WHERE fingerprint = ? ORDER BY id", [fingerprint], $0)
        }
    }

    /// What was tried on this base, the last first.
    package func antipatterns(of base: String, limit: Int = 100) async throws(Failure) -> [AntipatternRecord] {
        let limit = Self.bounded(limit)
        return try await look("read antipatterns") {
            try EvidenceRows.antipatterns("WHERE base = ? ORDER BY id DESC LIMIT ?", [base, limit], $0)
        }
    }

    /// All that was tried, the last first.
    package func antipatterns(limit: Int = 100) async throws(Failure) -> [AntipatternRecord] {
        let limit = Self.bounded(limit)
        return try await look("read antipatterns") {
            try EvidenceRows.antipatterns("ORDER BY id DESC LIMIT ?", [limit], $0)
        }
    }

    /// Every attestation that fits, whichever entry it is of; the caller decides by what is in it.
    package func attestations(
        where fits: @escaping @Sendable (EntryAttestation) -> Bool
    ) async throws(Failure) -> [EntryAttestation] {
        try await look("read attestations") { try EvidenceRows.attestations(where: fits, $0) }
    }

    /// How many entries there are, all versions counted.
    package func count() async throws(Failure) -> Int {
        try await look("count entries") { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM standing") ?? 0 }
    }

    static func bounded(_ limit: Int) -> Int { min(max(limit, 0), maxRows) }

    private static func unknown(_ what: String) -> Failure {
        Failure(.notFound, "there is no \(what) in the repository", hint: "see `schedctl repo list`, or search for it")
    }
}

/// A filter as a condition on `standing`.
struct FilterSQL {
    let sql: String
    let arguments: StatementArguments

    init(_ filter: EntryFilter) throws(Failure) {
        try filter.check()
        var conditions = ["1"]
        var values: [String] = []
        func add(_ column: String, among texts: [String]) {
            guard !texts.isEmpty else { return }
            conditions.append("standing.\(column) IN (\(texts.map { _ in "?" }.joined(separator: ", ")))")
            values += texts
        }
        add("kind", among: filter.kinds.map(\.rawValue).sorted())
        add("status", among: filter.statuses.map(\.rawValue).sorted())
        for (features, word) in [(filter.features, "EXISTS"), (filter.lacksFeatures, "NOT EXISTS")] {
            for feature in features.sorted() {
                conditions.append("\(word) (SELECT 1 FROM feature WHERE entry = standing.entry AND name = ?)")
                values.append(feature)
            }
        }
        if filter.newestOnly { conditions.append("standing.newest = 1") }
        if let kernel = filter.kernel.flatMap(KernelRelease.init) {
            conditions.append("standing.kernel <= \(kernel.order)")
        }
        sql = conditions.joined(separator: " AND ")
        arguments = StatementArguments(values)
    }
}
