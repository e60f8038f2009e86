import FoundationEssentials
import GRDB
import Model

/// From rows to entries and back; every row that is read has its seal checked.
enum EntryRows {
    /// What is in no column of its own.
    static func content(_ entry: PolicyEntry) throws(Failure) -> String {
        var stored = StoredEntry(entry)
        (stored.summary, stored.description, stored.algorithm, stored.source) = ("", "", "", nil)
        return try SortedJSON.text(stored)
    }

    static func documentDigest(_ entry: PolicyEntry) -> String {
        let words = [entry.key.name.text, entry.summary, entry.description, entry.algorithm]
        // No text has a zero byte in it.
        let texts = words + entry.targetWorkloads + [""] + entry.notFor
        return ArtifactStore.digest(Array(texts.joined(separator: "\0").utf8))
    }

    private static let selection = """
        SELECT entry.*, standing.kind, standing.kernel, standing.status, standing.newest, standing.seal AS standing_seal,
            source.text AS source_text, source.seal AS source_seal
        FROM entry JOIN standing ON standing.entry = entry.id LEFT JOIN source ON source.digest = entry.source
        """

    static func fetch(
        _ database: Database, _ clause: String, _ arguments: StatementArguments
    ) throws -> [EntryRecord] {
        try Row.fetchAll(database, sql: "\(selection) \(clause)", arguments: arguments).map(record)
    }

    static func entry(_ id: Int64, _ database: Database) throws -> EntryRecord {
        guard let record = try fetch(database, "WHERE entry.id = ?", [id]).first else {
            throw Damage(description: "entry \(id) is gone")
        }
        return record
    }

    private static func record(_ row: Row) throws -> EntryRecord {
        let id = try row.number("id")
        let standing: [DatabaseValue] = [row["id"], row["kind"], row["kernel"], row["status"], row["newest"]]
        guard RowSeal.matches(row, PolicyTables.entryColumns),
            RowSeal.of(standing) == Int64.fromDatabaseValue(row["standing_seal"]),
            let status = EntryStatus(rawValue: row["status"])
        else { throw Damage(description: "entry \(id) is damaged") }
        var stored = try StoredEntry(json: row["content"])
        stored.summary = row["summary"]
        stored.description = row["description"]
        stored.algorithm = row["algorithm"]
        stored.source = try source(row)
        return EntryRecord(
            id: id, entry: try stored.entry(), status: status, addedAt: row["added_at"], isNewest: row["newest"] == 1)
    }

    private static func source(_ row: Row) throws -> String? {
        let values: [DatabaseValue] = [row["source"], row["source_text"]]
        guard !values[0].isNull else { return nil }
        guard RowSeal.of(values) == Int64.fromDatabaseValue(row["source_seal"]) else {
            throw Damage(description: "a source is damaged")
        }
        return try row.text("source_text")
    }
}

/// From rows to evidence.
enum EvidenceRows {
    /// What the status of an entry depends on.
    static func evidence(of id: Int64, artifact: String, _ database: Database) throws -> Evidence {
        let measured = try Row.fetchAll(
            database,
            sql: "SELECT DISTINCT trial, bearing FROM outcome WHERE entry = ? AND bearing IN (-1, 1)", arguments: [id]
        ).map { row in
            Evidence.Measured(
                trial: try row.text("trial"),
                direction: Effect.Direction(rawValue: Int(try row.number("bearing"))) ?? .unclear)
        }
        let passed = try rows("attestation", "WHERE entry = ?", [id], database).map { row in
            try StoredAttestation(json: row["content"])
        }.map {
            Evidence.Passed(
                digest: $0.digest, artifact: $0.artifact, stages: Set($0.passedStages), issuedAt: $0.issuedAt,
                isLocal: $0.isLocal)
        }
        let mishaps = try incidents(of: id, database).map {
            Evidence.Mishap(kind: $0.kind, subject: $0.subject, at: $0.at)
        }
        return Evidence(artifact: artifact, passed: passed, measured: measured, mishaps: mishaps)
    }

    static func attestations(of id: Int64, _ database: Database) throws -> [EntryAttestation] {
        try rows("attestation", "WHERE entry = ? ORDER BY id", [id], database).map { row in
            let digest: String = row["digest"]
            guard let envelope = try rows("envelope", "WHERE digest = ?", [digest], database).first else {
                throw Damage(description: "an envelope is gone")
            }
            return try StoredAttestation(json: row["content"]).attestation([UInt8](envelope["bytes"] as Data))
        }
    }

    /// One after the other: there may be very many.
    static func attestations(
        where fits: (EntryAttestation) -> Bool, _ database: Database
    ) throws -> [EntryAttestation] {
        var found: [EntryAttestation] = []
        let cursor = try Row.fetchCursor(
            database,
            sql: """
                SELECT attestation.content, envelope.bytes FROM attestation
                JOIN envelope ON envelope.digest = attestation.digest ORDER BY attestation.id
                """)
        while let row = try cursor.next() {
            guard let bytes = Data.fromDatabaseValue(row["bytes"]) else { throw Damage(description: "an envelope") }
            let stored = try StoredAttestation(json: try row.text("content"))
            let attestation = try stored.attestation([UInt8](bytes))
            if fits(attestation) { found.append(attestation) }
        }
        return found
    }

    static func incidents(of id: Int64, _ database: Database) throws -> [Incident] {
        let key = try EntryRows.entry(id, database).entry.key
        return try rows("incident", "WHERE entry = ? ORDER BY id", [id], database).map { row in
            guard let kind = Incident.Kind(rawValue: row["kind"]) else { throw Damage(description: "an incident") }
            return Incident(entry: key, kind: kind, subject: row["subject"], reason: row["reason"], at: row["at"])
        }
    }

    static func history(of id: Int64, _ database: Database) throws -> [StatusTransition] {
        try rows("transition", "WHERE entry = ? ORDER BY id", [id], database).map { row in
            guard let from = EntryStatus(rawValue: row["before"]), let to = EntryStatus(rawValue: row["after"]) else {
                throw Damage(description: "a transition")
            }
            return StatusTransition(from: from, to: to, reason: row["reason"], at: row["at"])
        }
    }

    static func outcomes(
        _ clause: String, _ arguments: StatementArguments, _ database: Database
    ) throws -> [(entry: Int64, outcome: Outcome)] {
        try rows("outcome", clause, arguments, database).map { row in
            (row["entry"], try StoredOutcome(json: row["content"]).outcome())
        }
    }

    static func antipatterns(
        _ clause: String, _ arguments: StatementArguments, _ database: Database
    ) throws -> [AntipatternRecord] {
        try rows("antipattern", clause, arguments, database).map { row in
            AntipatternRecord(
                antipattern: try StoredAntipattern(json: row["content"]).antipattern, times: row["times"])
        }
    }

    /// Rows of one table, their seals checked.
    private static func rows(
        _ table: String, _ clause: String, _ arguments: StatementArguments, _ database: Database
    ) throws -> [Row] {
        let columns = PolicyTables.columns(table)
        let rows = try Row.fetchAll(database, sql: "SELECT * FROM \"\(table)\" \(clause)", arguments: arguments)
        for row in rows where !RowSeal.matches(row, columns) {
            throw Damage(description: "a row of \(table) is damaged")
        }
        return rows
    }
}
