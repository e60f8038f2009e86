import FoundationEssentials
import GRDB
import Linux
import Model

/// What models made of the words of entries, by the digest of the words. It can be made again, so it is in a file of its own
/// that no backup copies, that is written without waiting for the disk, and that is simply begun anew when it is damaged.
final class VectorCache: Sendable {
    static let maxBlobBytes = 1 << 20
    static let maxModelBytes = 200
    private let database: DatabaseQueue

    init(_ path: String) throws(Failure) {
        do { database = try Self.open(path) } catch {
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
            do { database = try Self.open(path) } catch { throw PolicyFile.failure("open \(path)", error) }
        }
    }

    private static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = PolicyFile.configuration()
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS vector (
                        model TEXT NOT NULL, document TEXT NOT NULL, content BLOB NOT NULL, seal INTEGER NOT NULL,
                        PRIMARY KEY (model, document)
                    ) STRICT
                    """)
            guard try String.fetchOne(database, sql: "PRAGMA quick_check(1)") == "ok" else {
                throw Damage(description: "the vectors are damaged")
            }
        }
        return queue
    }

    func close() throws { try database.close() }

    func store(_ content: [UInt8], document: String, model: String) async throws(Failure) {
        guard (1...Self.maxBlobBytes).contains(content.count) else {
            throw Failure(.invalidArgument, "vectors of \(content.count) bytes")
        }
        try Self.check(model)
        do {
            try await database.write { database in
                let values = [model.databaseValue, document.databaseValue, Data(content).databaseValue]
                try database.execute(
                    sql: "INSERT OR REPLACE INTO vector (model, document, content, seal) VALUES (?, ?, ?, ?)",
                    arguments: StatementArguments(values + [RowSeal.of(values).databaseValue]))
            }
        } catch { throw PolicyFile.failure("store vectors", error) }
    }

    /// The blobs of these documents, as far as they are there and whole.
    func contents(of documents: [String], model: String) async throws(Failure) -> [String: [UInt8]] {
        do {
            return try await database.read { database in
                var found: [String: [UInt8]] = [:]
                let statement = try database.makeStatement(
                    sql: "SELECT * FROM vector WHERE model = ? AND document = ?")
                for document in documents {
                    guard let row = try Row.fetchOne(statement, arguments: [model, document]),
                        RowSeal.matches(row, ["model", "document", "content"])
                    else { continue }
                    found[document] = [UInt8](row["content"] as Data)
                }
                return found
            }
        } catch { throw PolicyFile.failure("read vectors", error) }
    }

    func has(_ documents: [String], model: String) async throws(Failure) -> Set<String> {
        do {
            return try await database.read { database in
                let statement = try database.makeStatement(
                    sql: "SELECT 1 FROM vector WHERE model = ? AND document = ?")
                return Set(
                    try documents.filter { try Row.fetchOne(statement, arguments: [model, $0]) != nil })
            }
        } catch { throw PolicyFile.failure("read vectors", error) }
    }

    func forget(except model: String) async throws(Failure) {
        try Self.check(model)
        do {
            try await database.write { database in
                try database.execute(sql: "DELETE FROM vector WHERE model <> ?", arguments: [model])
            }
        } catch { throw PolicyFile.failure("forget vectors", error) }
    }

    private static func check(_ model: String) throws(Failure) {
        guard (1...maxModelBytes).contains(model.utf8.count) else {
            throw Failure(.invalidArgument, "a model's name has 1 to \(maxModelBytes) bytes")
        }
    }
}
