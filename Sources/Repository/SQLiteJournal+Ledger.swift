import GRDB
package import Model

/// The write-ahead ledger, and what follows from an ejection.
extension SQLiteJournal {
    package func mark(_ id: Int64, _ entry: LedgerEntry) async throws(Failure) {
        try await change("write the ledger") { database in
            try database.execute(
                sql: "INSERT INTO ledger (deployment, action, mark, at) VALUES (?, ?, ?, ?)",
                arguments: [id, entry.action.rawValue, entry.mark.rawValue, entry.at])
        }
    }

    package func ledger(of id: Int64) async throws(Failure) -> [LedgerEntry] {
        try await look("read the ledger") { database in
            try Row.fetchAll(database, sql: "SELECT * FROM ledger WHERE deployment = ? ORDER BY id", arguments: [id])
                .compactMap { row in
                    guard let action = DeploymentAction(rawValue: row["action"]),
                        let mark = LedgerEntry.Mark(rawValue: row["mark"])
                    else { throw Failure(.storage, "the ledger holds an unknown action") }
                    return LedgerEntry(action: action, mark: mark, at: row["at"])
                }
        }
    }

    package func unwitnessed() async throws(Failure) -> [DeploymentRecord] {
        try await rows("WHERE witnessed <> state AND state <> 'requested' ORDER BY id", [])
    }

    package func witnessed(_ id: Int64, in state: DeploymentState) async throws(Failure) {
        try await change("update deployment \(id)") { database in
            try database.execute(
                sql: "UPDATE deployment SET witnessed = ? WHERE id = ?", arguments: [state.rawValue, id])
        }
    }

    // MARK: Quarantine

    package func quarantine(_ entry: Quarantined) async throws(Failure) {
        try await change("write the quarantine") { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO quarantine (artifact, deployment, reason, at) VALUES (?, ?, ?, ?)",
                arguments: [entry.artifact, entry.deployment, entry.reason, entry.at])
        }
    }

    package func release(artifact: String) async throws(Failure) -> Bool {
        try await change("write the quarantine") { database in
            try database.execute(sql: "DELETE FROM quarantine WHERE artifact = ?", arguments: [artifact])
            return database.changesCount > 0
        }
    }

    package func quarantined() async throws(Failure) -> [Quarantined] {
        try await look("read the quarantine") { database in
            try Row.fetchAll(database, sql: "SELECT * FROM quarantine ORDER BY at").map {
                Quarantined(artifact: $0["artifact"], deployment: $0["deployment"], reason: $0["reason"], at: $0["at"])
            }
        }
    }

    // MARK: What is to be put back

    package func intent() async throws(Failure) -> RestoreIntent? {
        try await look("read what is to be put back") { database in
            try Row.fetchOne(database, sql: "SELECT * FROM intent").map {
                RestoreIntent(deployment: $0["deployment"], notBefore: $0["not_before"], attempt: $0["attempt"])
            }
        }
    }

    package func setIntent(_ intent: RestoreIntent?) async throws(Failure) {
        try await change("write what is to be put back") { database in
            try database.execute(sql: "DELETE FROM intent")
            guard let intent else { return }
            try database.execute(
                sql: "INSERT INTO intent (one, deployment, not_before, attempt) VALUES (1, ?, ?, ?)",
                arguments: [intent.deployment, intent.notBefore, intent.attempt])
        }
    }

    package func ejections(since: Int64) async throws(Failure) -> Int {
        try await look("read the history") { database in
            try Int.fetchOne(
                database, sql: "SELECT COUNT(*) FROM deployment WHERE state = 'ejected' AND ended_at >= ?",
                arguments: [since]) ?? 0
        }
    }

    // MARK: The database

    func change<R: Sendable>(
        _ what: String, _ body: @escaping @Sendable (Database) throws -> R
    ) async throws(Failure) -> R {
        do { return try await database.write(body) } catch { throw Self.failure(what, error) }
    }

    func look<R: Sendable>(
        _ what: String, _ body: @escaping @Sendable (Database) throws -> R
    ) async throws(Failure) -> R {
        do { return try await database.read(body) } catch { throw Self.failure(what, error) }
    }
}
