import FoundationEssentials
import Linux
import Model

/// The repository's files: the database, the log of changes in segments, two backups, what was set aside, and the vectors,
/// which can be made again.
struct RepositoryFolder: Sendable {
    let path: String

    static let keptBackups = 2
    private static let keptDamaged = 3

    var database: String { path + "/policies.sqlite" }
    var vectors: String { path + "/vectors.sqlite" }
    var newBackup: String { path + "/backup.new" }
    /// A database that is being restored, until it is whole.
    var restoring: String { path + "/restoring.sqlite" }

    func segment(_ first: Int64) -> String { path + "/changes-" + Self.padded(first) + ".log" }
    func backup(_ sequence: Int64) -> String { path + "/backup-" + Self.padded(sequence) + ".sqlite" }

    /// Of the same length, so that names are in the order of the numbers.
    private static func padded(_ number: Int64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 16 - digits.utf8.count)) + digits
    }

    /// Oldest first, with the number of the first change.
    func segments() throws(Failure) -> [(first: Int64, path: String)] { try numbered("changes-", ".log") }

    /// Oldest first, with the number of the last change in it.
    func backups() throws(Failure) -> [(sequence: Int64, path: String)] {
        try numbered("backup-", ".sqlite").map { ($0.first, $0.path) }
    }

    private func numbered(_ prefix: String, _ suffix: String) throws(Failure) -> [(first: Int64, path: String)] {
        do throws(SystemError) {
            return try Folder.names(path).compactMap { name in
                guard name.hasPrefix(prefix), name.hasSuffix(suffix),
                    let number = Int64(name.dropFirst(prefix.count).dropLast(suffix.count))
                else { return nil }
                return (number, path + "/" + name)
            }
        } catch { throw error.asFailure(.storage) }
    }

    func exists(_ file: String) -> Bool { FileManager.default.fileExists(atPath: file) }

    /// Removes a database with its log and index, where they are there.
    func remove(_ database: String) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            try? FileManager.default.removeItem(atPath: database + suffix)
        }
    }

    /// Renames the database, with what belongs to it, so that nobody mistakes it for a good one.
    /// - Returns: its new path.
    func setAside(at now: Int64) throws(Failure) -> String {
        var aside = database + ".damaged-" + Self.time(now)
        var attempt = 1
        while exists(aside) {
            attempt += 1
            aside = database + ".damaged-" + Self.time(now) + "-\(attempt)"
        }
        do {
            // The log first: a database without it is an older one, and never a wrong one.
            for suffix in ["-wal", "-shm", ""] where exists(database + suffix) {
                try FileManager.default.moveItem(atPath: database + suffix, toPath: aside + suffix)
            }
            try DurableFile.syncFolder(path)
        } catch { throw Failure(.storage, "could not set \(database) aside: \(error)") }
        forgetDamaged()
        return aside
    }

    private func forgetDamaged() {
        let names = ((try? Folder.names(path)) ?? []).filter {
            $0.hasPrefix("policies.sqlite.damaged-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm")
        }
        for name in names.dropLast(Self.keptDamaged) { remove(path + "/" + name) }
    }

    /// As 20261125T211530Z.
    static func time(_ nanoseconds: Int64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        let (days, rest) = (seconds / 86_400, seconds % 86_400)
        // The civil calendar from a count of days: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let shifted = days + 719_468
        let era = shifted / 146_097
        let day = shifted % 146_097
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let date = [
            year + era * 400 + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9,
            dayOfYear - (153 * month + 2) / 5 + 1,
        ]
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(date[0])\(two(date[1]))\(two(date[2]))T\(two(rest / 3600))\(two(rest / 60 % 60))\(two(rest % 60))Z"
    }
}
