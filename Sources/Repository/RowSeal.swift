import Crypto
import FoundationEssentials
import GRDB

/// A row's checksum: SQLite notices a damaged page only where its structure suffers, not where a letter or a figure of the
/// content has become another one. It protects against accidents, not against somebody who can write the file.
enum RowSeal {
    /// As `seal(column, …)` in SQL.
    static let function = DatabaseFunction("seal", pure: true) { values in of(values) }

    static func of(_ values: some Sequence<DatabaseValue>) -> Int64 {
        var hash = SHA256()
        for value in values { add(value.storage, to: &hash) }
        return hash.finalize().prefix(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    static func matches(_ row: Row, _ columns: [String]) -> Bool {
        of(columns.map { row[$0] as DatabaseValue }) == Int64.fromDatabaseValue(row["seal"])
    }

    /// Each value with its type and its length, so that nothing can move from one column to the next.
    private static func add(_ value: DatabaseValue.Storage, to hash: inout SHA256) {
        switch value {
        case .null: hash.update(data: [0])
        case .int64(let number): hash.update(data: [1] + bytes(UInt64(bitPattern: number)))
        case .double(let number): hash.update(data: [2] + bytes(number.bitPattern))
        case .string(let text):
            hash.update(data: [3] + bytes(UInt64(text.utf8.count)))
            hash.update(data: Array(text.utf8))
        case .blob(let data):
            hash.update(data: [4] + bytes(UInt64(data.count)))
            hash.update(data: data)
        }
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}

/// A row is not what was written.
struct Damage: Error, CustomStringConvertible {
    let description: String
}

/// GRDB stops the program where a value has not the type that is asked for, and a damaged file may hold any type anywhere.
/// So what is not sealed, or not checked yet, is read by these.
extension Row {
    func number(_ column: String) throws -> Int64 {
        guard let number = Int64.fromDatabaseValue(self[column]) else {
            throw Damage(description: "\(column) is no number")
        }
        return number
    }

    func text(_ column: String) throws -> String {
        guard let text = String.fromDatabaseValue(self[column]) else {
            throw Damage(description: "\(column) is no text")
        }
        return text
    }
}
