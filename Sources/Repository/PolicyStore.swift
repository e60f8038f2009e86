import GRDB
import Model

/// After this nobody knows what of the log is on disk: it has to be opened and read again.
struct BrokenLog: Error, CustomStringConvertible {
    let cause: Failure
    var description: String { cause.message }
}

/// The database with its log: commits changes in groups.
struct PolicyStore: Sendable {
    let pool: DatabasePool
    let log: ChangeLog
    let rules: EvidenceRules

    /// Commits changes together; each is refused or accepted by itself. When the database as a whole refuses, as a full
    /// disk does, each is tried alone, so that a large one does not take the small ones with it.
    func commit(_ changes: [(RepositoryChange, Int64)]) async -> [Result<ChangeReceipt, any Error>] {
        do { return try await together(changes) } catch {
            guard changes.count > 1, !log.isBroken, !PolicyFile.isDamage(error) else {
                let cause = log.isBroken ? BrokenLog(cause: PolicyFile.failure("write", error)) : error
                return changes.map { _ in .failure(cause) }
            }
            var results: [Result<ChangeReceipt, any Error>] = []
            for change in changes { results += await commit([change]) }
            return results
        }
    }

    private func together(_ changes: [(RepositoryChange, Int64)]) async throws -> [Result<ChangeReceipt, any Error>] {
        try await pool.writeWithoutTransaction { database in
            var results: [Result<ChangeReceipt, any Error>] = []
            var lines: [(sequence: Int64, json: String)] = []
            var next = log.next
            try database.beginTransaction(.immediate)
            do {
                for (change, now) in changes {
                    do {
                        let json = try SortedJSON.text(StoredChange(change, at: now))
                        guard json.utf8.count < SegmentReader.maxLineBytes / 2 else {
                            throw Failure(.tooMany, "a change of \(json.utf8.count) bytes is too large to be kept")
                        }
                        let receipt = try apply(change, at: now, sequence: next, to: database)
                        results.append(.success(receipt))
                        // What was there already needs no line.
                        guard receipt.isNew || change.isCounted else { continue }
                        lines.append((next, json))
                        next += 1
                    } catch let failure as Failure { results.append(.failure(failure)) }
                }
                if !lines.isEmpty { try PolicyFile.setApplied(next - 1, database) }
                try log.append(lines) { try database.commit() }
            } catch {
                if database.isInsideTransaction { try? database.rollback() }
                throw error
            }
            return results
        }
    }

    private func apply(
        _ change: RepositoryChange, at now: Int64, sequence: Int64, to database: Database
    ) throws -> ChangeReceipt {
        var receipt: ChangeReceipt?
        try database.inSavepoint {
            let applier = ChangeApplier(database: database, rules: rules, now: now, sequence: sequence)
            receipt = try applier.apply(change)
            return .commit
        }
        guard let receipt else { throw Failure(.internal, "a change was not applied") }
        return receipt
    }
}
