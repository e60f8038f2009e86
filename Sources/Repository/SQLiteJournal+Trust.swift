import GRDB
package import Model

/// Attestations that were revoked one by one, what users have spent, and the latest time that was seen.
extension SQLiteJournal {
    package func revoke(nonce: String, reason: String, at now: Int64) async throws(Failure) {
        try await change("revoke an attestation") { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO revoked (nonce, reason, at) VALUES (?, ?, ?)",
                arguments: [nonce, reason, now])
        }
    }

    package func revokedNonces() async throws(Failure) -> Set<String> {
        try await look("read the revoked attestations") { database in
            Set(try String.fetchAll(database, sql: "SELECT nonce FROM revoked"))
        }
    }

    // MARK: Budgets

    /// Adds to what a user has spent.
    /// - Parameters:
    ///   - cpu: nanoseconds of CPU time.
    ///   - cost: millionths of the rules' unit of money.
    package func charge(_ uid: UInt32, cpu: Int64, cost: Int64, at now: Int64) async throws(Failure) {
        try await change("write what was spent") { database in
            try database.execute(
                sql: "DELETE FROM spending WHERE at < ?", arguments: [now - 2 * Self.hour])
            try database.execute(
                sql: "INSERT INTO spending (uid, cpu_ns, cost, at) VALUES (?, ?, ?, ?)",
                arguments: [Int64(uid), cpu, cost, now])
        }
    }

    /// What a user has spent in the hour before `now`.
    package func spent(by uid: UInt32, at now: Int64) async throws(Failure) -> (cpu: Int64, cost: Int64) {
        try await look("read what was spent") { database in
            let row = try Row.fetchOne(
                database,
                sql:
                    "SELECT COALESCE(SUM(cpu_ns), 0) AS cpu, COALESCE(SUM(cost), 0) AS cost FROM spending WHERE uid = ? AND at > ?",
                arguments: [Int64(uid), now - Self.hour])
            return (row?["cpu"] ?? 0, row?["cost"] ?? 0)
        }
    }

    private static let hour: Int64 = 3_600_000_000_000

    // MARK: Time

    /// As `notEarlier`, without remembering this time.
    package func latest(_ now: Int64) async throws(Failure) -> Int64 {
        try await look("read the time") { database in
            max(now, try Int64.fetchOne(database, sql: "SELECT latest FROM clock") ?? 0)
        }
    }

    /// The later of this time and any that was seen before, over restarts: a clock that is set back does not make what has
    /// expired valid again.
    package func notEarlier(than now: Int64) async throws(Failure) -> Int64 {
        try await change("write the time") { database in
            let known = try Int64.fetchOne(database, sql: "SELECT latest FROM clock") ?? 0
            if now > known {
                try database.execute(
                    sql: "INSERT OR REPLACE INTO clock (one, latest) VALUES (1, ?)", arguments: [now])
            }
            return max(now, known)
        }
    }
}
