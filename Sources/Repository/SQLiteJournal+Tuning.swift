import GRDB
package import Model

/// Changes of running schedulers: written down before they are done, and their end with what then differs from what was
/// deployed, in one transaction.
extension SQLiteJournal {
    /// Kept of one deployment, and of all of them.
    static let tuningsPerDeployment = 256
    static let tunings = 4096
    /// Bytes that one change, or what differs from a deployment, may take.
    static let tuningBytes = 256 * 1024

    package func beginTuning(_ new: TuningChange) async throws(Failure) -> TuningChange {
        let before = try Self.stored(new.before)
        let after = try Self.stored(new.after)
        return try await change("write a change down") { database in
            try database.execute(
                sql: """
                    INSERT INTO tuning (deployment, uid, user, at, state, undoes, before, after)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    new.deployment, Int64(new.uid), new.user, new.at, new.state.rawValue, new.undoes, before, after,
                ])
            var written = new
            written.id = database.lastInsertedRowID
            try Self.forgetOldTunings(of: new.deployment, database)
            return written
        }
    }

    private static func forgetOldTunings(of deployment: Int64, _ database: Database) throws {
        try database.execute(
            sql: """
                DELETE FROM tuning WHERE deployment = ? AND id NOT IN
                    (SELECT id FROM tuning WHERE deployment = ? ORDER BY id DESC LIMIT ?)
                """,
            arguments: [deployment, deployment, tuningsPerDeployment])
        try database.execute(
            sql: "DELETE FROM tuning WHERE id NOT IN (SELECT id FROM tuning ORDER BY id DESC LIMIT ?)",
            arguments: [tunings])
        try database.execute(
            sql: "DELETE FROM tuned WHERE deployment NOT IN (SELECT id FROM deployment)", arguments: [])
    }

    package func endTuning(_ ended: TuningChange, tuned: TuningValues?) async throws(Failure) {
        let values = try tuned.map { values throws(Failure) in try Self.stored(values) }
        try await change("write the end of a change") { database in
            try database.execute(
                sql: "UPDATE tuning SET state = ? WHERE id = ?", arguments: [ended.state.rawValue, ended.id])
            if ended.undoes != 0, ended.state == .applied {
                try database.execute(
                    sql: "UPDATE tuning SET state = ? WHERE id = ? AND deployment = ?",
                    arguments: [TuningChange.State.undone.rawValue, ended.undoes, ended.deployment])
            }
            guard let values else { return }
            try database.execute(
                sql: "INSERT OR REPLACE INTO tuned (deployment, content) VALUES (?, ?)",
                arguments: [ended.deployment, values])
        }
    }

    package func tunings(of deployment: Int64) async throws(Failure) -> [TuningChange] {
        try await look("read the changes") { database in
            try Row.fetchAll(
                database, sql: "SELECT * FROM tuning WHERE deployment = ? ORDER BY id DESC", arguments: [deployment]
            ).map(Self.tuning)
        }
    }

    package func tuned(_ deployment: Int64) async throws(Failure) -> TuningValues {
        try await look("read what was changed") { database in
            let content = try String.fetchOne(
                database, sql: "SELECT content FROM tuned WHERE deployment = ?", arguments: [deployment])
            return try content.map { try StoredTuning(json: $0).values } ?? TuningValues()
        }
    }

    package func loseTunings(of deployment: Int64) async throws(Failure) {
        try await change("write that changes are gone") { database in
            try database.execute(
                sql: "UPDATE tuning SET state = ? WHERE deployment = ? AND state IN (?, ?)",
                arguments: [
                    TuningChange.State.lost.rawValue, deployment, TuningChange.State.applied.rawValue,
                    TuningChange.State.begun.rawValue,
                ])
            try database.execute(sql: "DELETE FROM tuned WHERE deployment = ?", arguments: [deployment])
        }
    }

    private static func stored(_ values: TuningValues) throws(Failure) -> String {
        let text = try StoredTuning(values).json()
        guard text.utf8.count <= tuningBytes else {
            throw Failure(.tooMany, "a change takes more than \(tuningBytes) bytes", hint: "change less at once")
        }
        return text
    }

    private static func tuning(_ row: Row) throws -> TuningChange {
        guard let state = TuningChange.State(rawValue: row["state"]) else {
            throw Failure(.storage, "the ledger holds a change in an unknown state")
        }
        return TuningChange(
            id: row["id"], deployment: row["deployment"], uid: UInt32(truncatingIfNeeded: row["uid"] as Int64),
            user: row["user"], at: row["at"], state: state, undoes: row["undoes"],
            before: try StoredTuning(json: row["before"]).values, after: try StoredTuning(json: row["after"]).values)
    }
}
