import GRDB
package import Model

/// The history of deployments in SQLite (WAL, synchronous FULL): what a call has returned survives a crash.
package struct SQLiteJournal: DeploymentJournal {
    let database: DatabaseQueue
    /// Ended records beyond this many are forgotten.
    static let maxRecords = 10_000

    /// Opens the file, and makes or migrates it.
    /// - Parameter maxPages: of 4 KiB; beyond them it refuses as a full disk does.
    package init(path: String, maxPages: Int? = nil) throws(Failure) {
        do {
            do { database = try Self.open(path, maxPages, isAlone: false) } catch let error as DatabaseError {
                // A full disk has no room for the file that connections share (`-shm`); one that is alone does without.
                guard [.SQLITE_IOERR, .SQLITE_FULL].contains(error.resultCode.primaryResultCode) else { throw error }
                database = try Self.open(path, maxPages, isAlone: true)
            }
            try Tables.migrator.migrate(database)
        } catch { throw Self.failure("open \(path)", error) }
    }

    private static func open(_ path: String, _ maxPages: Int?, isAlone: Bool) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            if isAlone { try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
            try database.execute(
                sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
            if let maxPages { try database.execute(sql: "PRAGMA max_page_count = \(maxPages)") }
        }
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    package func begin(
        _ spec: DeploymentSpec, previous: Int64, at now: Int64
    ) async throws(Failure) -> DeploymentRecord {
        let stored = try StoredSpec(spec).json()
        let authority = try StoredAuthority(spec.authority).json()
        do {
            return try await database.write { database in
                try Self.spend(spec.authority, at: now, database)
                try database.execute(
                    sql: """
                        INSERT INTO deployment (scheduler, artifact, spec, authority, previous, state, reason, ops, enable_seq,
                            requested_at, attached_at, ended_at)
                        VALUES (?, ?, ?, ?, ?, ?, '', '', 0, ?, 0, 0)
                        """,
                    arguments: [
                        spec.scheduler, spec.artifact, stored, authority, previous,
                        DeploymentState.requested.rawValue, now,
                    ])
                let id = database.lastInsertedRowID
                try Self.forgetOld(before: id - Int64(Self.maxRecords), database)
                return DeploymentRecord(id: id, spec: spec, previous: previous, requestedAt: now)
            }
        } catch { throw Self.failure("write a deployment", error) }
    }

    /// The one place where an attestation becomes used: in the same transaction as the record of its deployment.
    private static func spend(_ authority: Authority, at now: Int64, _ database: Database) throws {
        guard case .attested(let nonce, let expiresAt, _, _) = authority else { return }
        // One that has expired is refused before it comes here.
        try database.execute(sql: "DELETE FROM spent WHERE expires_at < ?", arguments: [now / 1_000_000_000 - 86_400])
        guard try Row.fetchOne(database, sql: "SELECT 1 FROM spent WHERE nonce = ?", arguments: [nonce]) == nil else {
            throw Failure(
                .denied, "spent: this attestation was used before, and each can be used once",
                hint: "have it verified again: schedctl attest issue", detail: "spent")
        }
        try database.execute(
            sql: "INSERT INTO spent (nonce, expires_at) VALUES (?, ?)", arguments: [nonce, expiresAt])
    }

    private static func forgetOld(before id: Int64, _ database: Database) throws {
        try database.execute(
            sql: "DELETE FROM deployment WHERE id <= ? AND state NOT IN ('requested', 'active')", arguments: [id])
        try database.execute(
            sql: "DELETE FROM ledger WHERE deployment <= ? AND deployment NOT IN (SELECT id FROM deployment)",
            arguments: [id])
    }

    package func update(_ record: DeploymentRecord) async throws(Failure) {
        let exit = try record.exit.map { info throws(Failure) in try StoredExit(info).json() }
        let blame = try record.blame.map { blame throws(Failure) in try StoredBlame(blame).json() }
        do {
            try await database.write { database in
                try database.execute(
                    sql: """
                        UPDATE deployment SET state = ?, reason = ?, ops = ?, enable_seq = ?, exit = ?, blame = ?,
                            attached_at = ?, ended_at = ?
                        WHERE id = ?
                        """,
                    arguments: [
                        record.state.rawValue, record.reason, record.ops, Int64(clamping: record.enableSequence), exit,
                        blame, record.attachedAt, record.endedAt, record.id,
                    ])
            }
        } catch { throw Self.failure("update deployment \(record.id)", error) }
    }

    package func record(_ id: Int64) async throws(Failure) -> DeploymentRecord? {
        try await rows("WHERE id = ?", [id]).first
    }

    package func recent(limit: Int) async throws(Failure) -> [DeploymentRecord] {
        try await rows("ORDER BY id DESC LIMIT ?", [limit])
    }

    package func open() async throws(Failure) -> [DeploymentRecord] {
        try await rows("WHERE state IN ('requested', 'active') ORDER BY id", [])
    }

    func rows(_ clause: String, _ arguments: StatementArguments) async throws(Failure) -> [DeploymentRecord] {
        do {
            return try await database.read { database in
                try Row.fetchAll(database, sql: "SELECT * FROM deployment \(clause)", arguments: arguments)
                    .map { row in try Self.record(row) }
            }
        } catch { throw Self.failure("read the history", error) }
    }

    private static func record(_ row: Row) throws -> DeploymentRecord {
        guard let state = DeploymentState(rawValue: row["state"]) else {
            throw Failure(.storage, "the history holds an unknown state")
        }
        let exit: String? = row["exit"]
        let blame: String? = row["blame"]
        let authority = try StoredAuthority(json: row["authority"]).authority
        return DeploymentRecord(
            id: row["id"],
            spec: try StoredSpec(json: row["spec"])
                .spec(scheduler: row["scheduler"], artifact: row["artifact"], authority: authority),
            state: state, reason: row["reason"], ops: row["ops"],
            enableSequence: UInt64(clamping: row["enable_seq"] as Int64),
            exit: try exit.map { try StoredExit(json: $0).info },
            blame: try blame.map { try StoredBlame(json: $0).blame }, previous: row["previous"],
            requestedAt: row["requested_at"], attachedAt: row["attached_at"], endedAt: row["ended_at"])
    }

    static func failure(_ what: String, _ error: any Error) -> Failure {
        if let failure = error as? Failure { return failure }
        let code = (error as? DatabaseError)?.resultCode
        let hint =
            code == .SQLITE_FULL
            ? "the disk is full: make room, then repeat" : "see the daemon's log; nothing was changed"
        return Failure(.storage, "could not \(what): \((error as? DatabaseError)?.message ?? "\(error)")", hint: hint)
    }
}
