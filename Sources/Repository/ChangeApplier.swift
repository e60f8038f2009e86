import FoundationEssentials
import GRDB
import Model

/// Applies one change to the database, inside a transaction of the caller's. It depends on nothing but the change and what
/// is in the database, so that a log of changes leads to the same again.
struct ChangeApplier {
    let database: Database
    let rules: EvidenceRules
    let now: Int64
    let sequence: Int64

    /// Throws a `Failure` for what is refused; then nothing may be kept of what was done.
    func apply(_ change: RepositoryChange) throws -> ChangeReceipt {
        switch change {
        case .entry(let entry): try add(entry)
        case .outcome(let outcome): try add(outcome)
        case .attestation(let attestation): try add(attestation)
        case .incident(let incident): try add(incident)
        case .antipattern(let antipattern): try add(antipattern)
        case .bundle(let bundle): try add(bundle)
        }
    }

    // MARK: Entries

    private func add(_ entry: PolicyEntry) throws -> ChangeReceipt {
        try checkPlace(of: entry)
        try checkReferences(of: entry)
        if let source = entry.source {
            let digest = ArtifactStore.digest(Array(source.text.utf8))
            if try !exists("SELECT 1 FROM source WHERE digest = ?", [digest]) {
                try insert("source", ["digest": digest, "text": source.text])
            }
        }
        let version = entry.key.version
        guard try last("entry") < RepositoryLimits.entries else {
            throw Failure(.tooMany, "the repository holds \(RepositoryLimits.entries) entries, and no more")
        }
        let id = try insert(
            "entry",
            [
                "name": entry.key.name.text, "major": Int64(version.major), "minor": Int64(version.minor),
                "patch": Int64(version.patch), "artifact": entry.artifact,
                "source": entry.source.map { ArtifactStore.digest(Array($0.text.utf8)) }, "summary": entry.summary,
                "targets": entry.targetWorkloads.joined(separator: "\n"), "description": entry.description,
                "algorithm": entry.algorithm, "content": try EntryRows.content(entry),
                "document": EntryRows.documentDigest(entry), "added_at": now,
            ])
        for feature in entry.features {
            try insert("feature", ["entry": id, "name": feature])
        }
        try replaceNewest(of: entry.key.name, with: id, entry)
        return ChangeReceipt(entry: id, isNew: true, status: .candidate, sequence: sequence)
    }

    /// A new version is later than all that are there.
    private func checkPlace(of entry: PolicyEntry) throws {
        let key = entry.key
        let newest = try Row.fetchOne(
            database,
            sql: """
                SELECT major, minor, patch, kind FROM entry JOIN standing ON standing.entry = entry.id
                WHERE name = ? ORDER BY major DESC, minor DESC, patch DESC LIMIT 1
                """, arguments: [key.name.text])
        guard let newest else { return }
        let before = SemanticVersion(
            UInt32(clamping: try newest.number("major")), UInt32(clamping: try newest.number("minor")),
            UInt32(clamping: try newest.number("patch")))
        guard try entryID(key) == nil else {
            throw Failure(
                .invalidArgument, "\(key) is in the repository already",
                hint: "an entry never changes: give it a new version, above \(before)")
        }
        guard before < key.version else {
            throw Failure(
                .invalidArgument, "the version goes back: '\(key.name)' is at \(before) already",
                hint: "give it a version above \(before)")
        }
        let kind = try newest.text("kind")
        guard kind == entry.kind.rawValue else {
            throw Failure(.invalidArgument, "'\(key.name)' is a \(kind), and stays one")
        }
        let versions = try Int.fetchOne(
            database, sql: "SELECT COUNT(*) FROM entry WHERE name = ?", arguments: [key.name.text])
        guard (versions ?? 0) < RepositoryLimits.versionsPerName else {
            throw Failure(.tooMany, "'\(key.name)' has \(versions ?? 0) versions already", hint: "give it another name")
        }
    }

    /// What is made elsewhere may come before what it was made from.
    private func checkReferences(of entry: PolicyEntry) throws {
        guard entry.provenance.origin != .imported else { return }
        if let parent = entry.provenance.parent, try entryID(parent) == nil {
            throw Failure(.notFound, "\(entry.key) says it is derived from \(parent), which is not in the repository")
        }
        for name in entry.uses {
            let sql = "SELECT 1 FROM entry JOIN standing ON standing.entry = id WHERE name = ? AND kind = 'primitive'"
            guard try exists(sql, [name.text]) else {
                throw Failure(.notFound, "\(entry.key) uses '\(name)', which is no primitive of the repository")
            }
        }
    }

    private func replaceNewest(of name: SchedulerName, with id: Int64, _ entry: PolicyEntry) throws {
        let sql = "SELECT entry FROM standing JOIN entry ON entry.id = standing.entry WHERE name = ? AND newest = 1"
        if let before = try Int64.fetchOne(database, sql: sql, arguments: [name.text]) {
            try database.execute(sql: "UPDATE standing SET newest = 0 WHERE entry = ?", arguments: [before])
            try seal("standing", "entry", before)
        }
        try insert(
            "standing",
            [
                "entry": id, "kind": entry.kind.rawValue, "kernel": KernelRelease(entry.kernelMinimum)?.order ?? 0,
                "status": EntryStatus.candidate.rawValue, "newest": 1,
            ])
    }

    // MARK: Rows

    func entryID(_ key: EntryKey) throws -> Int64? {
        try Int64.fetchOne(
            database, sql: "SELECT id FROM entry WHERE name = ? AND major = ? AND minor = ? AND patch = ?",
            arguments: [
                key.name.text, Int64(key.version.major), Int64(key.version.minor), Int64(key.version.patch),
            ])
    }

    func exists(_ sql: String, _ arguments: StatementArguments) throws -> Bool {
        try Row.fetchOne(database, sql: sql, arguments: arguments) != nil
    }

    /// Inserts a row with its seal. Columns that are not given, but sealed, are the row's number.
    @discardableResult
    func insert(_ table: String, _ values: [String: (any DatabaseValueConvertible)?]) throws -> Int64 {
        var values = values
        let columns = PolicyTables.columns(table)
        if columns.contains("id"), values["id"] == nil {
            values["id"] = try last(table) + 1
        }
        let row = columns.map { (values[$0] ?? nil)?.databaseValue ?? .null }
        let names = (columns + ["seal"]).map { "\"\($0)\"" }.joined(separator: ", ")
        let marks = Array(repeating: "?", count: columns.count + 1).joined(separator: ", ")
        try database.execute(
            sql: "INSERT INTO \(table) (\(names)) VALUES (\(marks))",
            arguments: StatementArguments(row + [RowSeal.of(row).databaseValue]))
        return values["id"].flatMap { $0 as? Int64 } ?? 0
    }

    /// The largest number of a row; 0 where there is none. Rows are never removed.
    func last(_ table: String) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT MAX(id) FROM \(table)") ?? 0
    }

    /// Seals a row anew after a change.
    func seal(_ table: String, _ key: String, _ value: Int64) throws {
        let columns = PolicyTables.columns(table).map { "\"\($0)\"" }.joined(separator: ", ")
        try database.execute(
            sql: "UPDATE \(table) SET seal = seal(\(columns)) WHERE \(key) = ?", arguments: [value])
    }
}
