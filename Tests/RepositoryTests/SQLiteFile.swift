import GRDB

/// A second connection to a database, as `sqlite3` would open it.
struct SQLiteFile {
    private let database: DatabaseQueue

    init(_ path: String) throws { database = try DatabaseQueue(path: path) }

    func run(_ sql: String) throws {
        try database.writeWithoutTransaction { try $0.execute(sql: sql) }
    }
}
