import FoundationEssentials
import GRDB
import Linux
import Model

/// A copy of the database that was made.
package struct BackupReceipt: Hashable, Sendable {
    package let path: String
    /// The number of the last change in it.
    package let sequence: Int64
    package let bytes: Int

    package init(path: String, sequence: Int64, bytes: Int) {
        self.path = path
        self.sequence = sequence
        self.bytes = bytes
    }
}

/// Makes a backup beside a database that is in use. Blocks until it is durable.
struct Backup: Sendable {
    private let folder: RepositoryFolder
    private let store: PolicyStore

    init(_ folder: RepositoryFolder, _ store: PolicyStore) {
        self.folder = folder
        self.store = store
    }

    func make() throws(Failure) -> BackupReceipt {
        do {
            folder.remove(folder.newBackup)
            let sequence = try copy()
            let bytes = try AppendFile(folder.newBackup, mode: 0o600)
            try bytes.sync()
            let size = try bytes.size()
            let path = folder.backup(sequence)
            try DurableFile.rename(folder.newBackup, to: path)
            store.log.rotate()
            try forget()
            return BackupReceipt(path: path, sequence: sequence, bytes: size)
        } catch {
            folder.remove(folder.newBackup)
            throw PolicyFile.failure("back the repository up", error)
        }
    }

    /// - Returns: the number of the last change in the copy.
    private func copy() throws -> Int64 {
        let target = try DatabaseQueue(path: folder.newBackup, configuration: PolicyFile.configuration())
        try store.pool.backup(to: target)
        let sequence = try target.writeWithoutTransaction { database in
            // One file, complete without a log beside it.
            try database.execute(sql: "PRAGMA journal_mode = DELETE")
            // A copy of something damaged must not take the place of a good one.
            try PolicyFile.check(database)
            return try PolicyFile.applied(database)
        }
        try target.close()
        return sequence
    }

    /// Keeps the two newest backups, and the log from the older of them on: should the newer turn out to be damaged, nothing
    /// is lost. Before there are two, the whole log is kept.
    private func forget() throws(Failure) {
        let backups = try folder.backups()
        guard backups.count >= RepositoryFolder.keptBackups else { return }
        let kept = backups.suffix(RepositoryFolder.keptBackups)
        for backup in backups.dropLast(RepositoryFolder.keptBackups) { folder.remove(backup.path) }
        guard let oldest = kept.first?.sequence else { return }
        let segments = try folder.segments()
        // A segment ends where the next one begins; the last one is in use.
        for (segment, next) in zip(segments, segments.dropFirst()) where next.first <= oldest + 1 {
            try? FileManager.default.removeItem(atPath: segment.path)
        }
    }
}
