import FoundationEssentials
import GRDB
import Linux
import Model

/// What was found when the repository was opened.
package struct OpenReport: Hashable, Sendable {
    /// Where the damaged database was put, and what was wrong with it; empty where all was well.
    package var setAside = ""
    package var damage = ""
    /// The backup that was taken instead, by the number of its last change; nil where none was needed or there was none.
    package var restoredFrom: Int64?
    /// Changes that the log had and the database had not.
    package var replayed = 0
    /// Backups that are damaged too: one line each.
    package var warnings: [String] = []
    /// What could not be made good: one line each. Empty means that nothing acknowledged was lost.
    package var losses: [String] = []

    /// The log lacks changes that the database has, and no backup has them yet.
    package var needsBackup = false

    package var isClean: Bool { damage.isEmpty && losses.isEmpty }
}

/// Brings the repository into the state of its last acknowledged change: from the database where it is whole, else from the
/// newest backup that is, and from the log of changes.
struct Restoration {
    let folder: RepositoryFolder
    let rules: EvidenceRules
    let now: Int64
    private(set) var report = OpenReport()

    init(_ folder: RepositoryFolder, rules: EvidenceRules, at now: Int64) {
        self.folder = folder
        self.rules = rules
        self.now = now
    }

    /// - Parameter distrusting: why the database is not to be used although it may open; empty for one to be tried.
    mutating func open(distrusting reason: String = "") throws(Failure) -> (DatabasePool, ChangeLog) {
        let path = folder.database
        do {
            folder.remove(folder.restoring)
            folder.remove(folder.newBackup)
            let pool = try sound(distrusting: reason) ?? restored()
            let last = try replay(into: pool)
            let applied = try pool.read { try PolicyFile.applied($0) }
            // Where the log ends before the database, a new segment begins after the gap, and only a backup bridges it.
            let segment = last == applied ? try folder.segments().last?.path : nil
            let newest = try folder.backups().last?.sequence ?? 0
            report.needsBackup = last < applied && newest < applied
            return (pool, try ChangeLog(folder, next: applied + 1, continuing: segment))
        } catch { throw PolicyFile.failure("open \(path)", error) }
    }

    /// The database as it is; nil when it is missing or was set aside.
    private mutating func sound(distrusting reason: String) throws -> DatabasePool? {
        let segments = try folder.segments()
        let newest = try folder.backups().last?.sequence ?? 0
        guard folder.exists(folder.database) else {
            if !segments.isEmpty || newest > 0 { report.damage = "the database is missing" }
            return nil
        }
        do {
            if !reason.isEmpty { throw Damage(description: reason) }
            let pool = try PolicyFile.open(folder.database)
            try pool.read { database in
                try PolicyFile.check(database)
                let applied = try PolicyFile.applied(database)
                // The log may not reach back so far.
                if applied < newest { throw Damage(description: "it ends at change \(applied), before its backup") }
            }
            try pool.writeWithoutTransaction { try PolicyFile.repairText($0) }
            return pool
        } catch {
            guard !PolicyFile.isOfTheMachine(error, folder.database) else { throw error }
            report.damage = (error as? Damage)?.description ?? (error as? DatabaseError)?.message ?? "\(error)"
            report.setAside = try folder.setAside(at: now)
            return nil
        }
    }

    /// A database from the newest backup that is whole, or a new one.
    private mutating func restored() throws -> DatabasePool {
        for (sequence, path) in try folder.backups().reversed() {
            do {
                try copy(path)
                report.restoredFrom = sequence
                return try PolicyFile.open(folder.database)
            } catch {
                guard !PolicyFile.isOfTheMachine(error, path) else { throw error }
                report.warnings.append("the backup of change \(sequence) is damaged and was not used")
                folder.remove(folder.restoring)
            }
        }
        let pool = try PolicyFile.open(folder.database)
        try DurableFile.syncFolder(folder.path)
        return pool
    }

    private func copy(_ backup: String) throws {
        let source = try DatabaseQueue(path: backup, configuration: PolicyFile.configuration(readOnly: true))
        try source.read { try PolicyFile.check($0) }
        let target = try DatabaseQueue(path: folder.restoring, configuration: PolicyFile.configuration())
        try source.backup(to: target)
        try target.close()
        try source.close()
        try DurableFile.rename(folder.restoring, to: folder.database)
    }

    // MARK: The log

    /// Applies what the log has beyond the database, and cuts off a torn tail.
    /// - Returns: the number of the last change in the log; 0 where it is empty.
    private mutating func replay(into pool: DatabasePool) throws -> Int64 {
        let start = try pool.read { try PolicyFile.applied($0) }
        var replayer = Replayer(pool: pool, rules: rules, applied: start)
        var last: Int64 = 0
        let segments = try folder.segments()
        for (index, segment) in segments.enumerated() {
            let read = try SegmentReader.read(segment.path) { sequence, json in try replayer.take(sequence, json) }
            last = read.last ?? last
            if read.damaged > 0 {
                replayer.note("\(read.damaged) lines of \(segment.path) cannot be read")
            }
            guard read.wholeBytes < read.size else { continue }
            if index == segments.count - 1 {
                // Not acknowledged: that comes after the line is whole and synced.
                let file = try AppendFile(segment.path, mode: 0o600)
                try file.truncate(to: read.wholeBytes)
                try file.sync()
            } else {
                replayer.note("the end of \(segment.path) cannot be read")
            }
        }
        try replayer.flush()
        report.replayed = replayer.replayed
        // What is wrong with lines that the database did not need is no loss.
        report.losses += replayer.losses
        return last
    }
}

/// Applies changes of the log in batches.
private struct Replayer {
    let pool: DatabasePool
    let rules: EvidenceRules
    var applied: Int64
    private(set) var replayed = 0
    private(set) var losses: [String] = []
    private var notes: [String] = []
    private var waiting: [(sequence: Int64, json: String)] = []
    private var waitingBytes = 0

    init(pool: DatabasePool, rules: EvidenceRules, applied: Int64) {
        self.pool = pool
        self.rules = rules
        self.applied = applied
    }

    /// Something that matters only when a change turns out to be missing.
    mutating func note(_ text: String) { notes.append(text) }

    mutating func take(_ sequence: Int64, _ json: String) throws {
        let expected = (waiting.last?.sequence ?? applied) + 1
        guard sequence >= expected else { return }
        if sequence > expected {
            losses.append(
                (["changes \(expected) to \(sequence - 1) are missing"] + notes).joined(separator: ": "))
            notes = []
        }
        waiting.append((sequence, json))
        waitingBytes += json.utf8.count
        if waiting.count >= 500 || waitingBytes > 4 << 20 { try flush() }
    }

    mutating func flush() throws {
        guard let last = waiting.last?.sequence else { return }
        let (batch, rules) = (waiting, rules)
        let lost = try pool.write { database in
            var lost: [String] = []
            for (sequence, json) in batch {
                do {
                    try database.inSavepoint {
                        let stored = try StoredChange(json: json)
                        let applier = ChangeApplier(
                            database: database, rules: rules, now: stored.at, sequence: sequence)
                        _ = try applier.apply(try stored.change())
                        return .commit
                    }
                } catch let failure as Failure { lost.append("change \(sequence): \(failure.message)") }
            }
            try PolicyFile.setApplied(last, database)
            return lost
        }
        losses += lost
        replayed += batch.count - lost.count
        applied = last
        waiting = []
        waitingBytes = 0
    }
}
