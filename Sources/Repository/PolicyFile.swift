import GRDB
import Linux
import Model

/// Opening and checking a database of the repository.
enum PolicyFile {
    static func configuration(readOnly: Bool = false) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.busyMode = .timeout(5)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { database in
            database.add(function: RowSeal.function)
            try database.execute(
                sql: "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL")
        }
        return configuration
    }

    /// Opens it with readers beside the writer, makes or migrates it, and checks it.
    static func open(_ path: String) throws -> DatabasePool {
        let pool = try DatabasePool(path: path, configuration: configuration())
        try pool.writeWithoutTransaction { database in
            // A pool sets it to NORMAL by itself, which may lose the last commits in a power cut.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            guard try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2 else {
                throw Failure(.storage, "\(path) cannot be written durably")
            }
            try refuseLater(database)
        }
        try PolicyTables.migrator.migrate(pool)
        return pool
    }

    /// A file from the future is not damaged, and not touched.
    private static func refuseLater(_ database: Database) throws {
        let migrator = PolicyTables.migrator
        guard try migrator.hasBeenSuperseded(database) else { return }
        guard try Set(migrator.migrations).isSubset(of: migrator.appliedIdentifiers(database)) else {
            throw Damage(description: "the list of its migrations is damaged")
        }
        throw Failure(
            .storage, "the repository was written by a later version of SchedCP",
            hint: "install that version again, or move the repository's folder away")
    }

    /// Throws `Damage` unless pages, indices, references and seals are all right.
    static func check(_ database: Database) throws {
        let complaint = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)") ?? "nothing"
        guard complaint == "ok" else { throw Damage(description: complaint) }
        for (table, columns) in PolicyTables.sealed {
            let list = columns.map { "\"\($0)\"" }.joined(separator: ", ")
            let sql = "SELECT 1 FROM \"\(table)\" NOT INDEXED WHERE seal IS NOT seal(\(list)) LIMIT 1"
            guard try Row.fetchOne(database, sql: sql) == nil else {
                throw Damage(description: "a row of \(table) is not what was written")
            }
        }
        let broken = try Row.fetchOne(
            database,
            sql: """
                SELECT 1 WHERE (SELECT COUNT(*) FROM entry NOT INDEXED) <> (SELECT COUNT(*) FROM standing NOT INDEXED)
                    OR EXISTS (SELECT 1 FROM pragma_foreign_key_check)
                """)
        guard broken == nil else { throw Damage(description: "rows refer to others that are gone") }
    }

    /// Makes the words of the entries anew where they are not those of the entries: they are no more than an index.
    static func repairText(_ database: Database) throws {
        do {
            try database.execute(sql: "INSERT INTO entry_text (entry_text, rank) VALUES ('integrity-check', 1)")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            try database.execute(sql: "INSERT INTO entry_text (entry_text) VALUES ('rebuild')")
        }
    }

    /// The number of the last change in it.
    static func applied(_ database: Database) throws -> Int64 {
        guard let sequence = try Int64.fetchOne(database, sql: "SELECT sequence FROM applied") else {
            throw Damage(description: "the number of the last change is gone")
        }
        return sequence
    }

    static func setApplied(_ sequence: Int64, _ database: Database) throws {
        try database.execute(
            sql: "UPDATE applied SET sequence = :new, seal = seal(one, :new)", arguments: ["new": sequence])
    }

    /// While it is in use: is the file at fault?
    static func isDamage(_ error: any Error) -> Bool {
        if error is Damage { return true }
        guard let code = (error as? DatabaseError)?.resultCode else { return false }
        return code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB
    }

    /// When a file does not open: is it the disk or a right, or a refusal of ours, and nothing that another file would mend?
    static func isOfTheMachine(_ error: any Error, _ path: String) -> Bool {
        if error is Failure || error is SystemError { return true }
        guard let error = error as? DatabaseError else { return false }
        switch error.resultCode {
        case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_BUSY, .SQLITE_LOCKED:
            return true
        // A flag in the file itself says so, or its mode.
        case .SQLITE_READONLY: return (try? AppendFile(path, mode: 0o600)) == nil
        default: return false
        }
    }

    static func failure(_ what: String, _ error: any Error) -> Failure {
        if let error = error as? SystemError { return error.asFailure(.storage) }
        if error is CancellationError { return Failure(.cancelled, "the request was cancelled") }
        if let damage = error as? Damage {
            return Failure(
                .storage, "could not \(what): the repository's database is damaged (\(damage.description))",
                hint: "it is restored at the next start of the daemon; nothing was changed")
        }
        return SQLiteJournal.failure(what, error)
    }
}
