import Dispatch
import GRDB
import Linux
package import Model

/// The scheduler policy repository: entries, what was measured of them, and what became of that.
///
/// It runs inside schedcpd and owns one folder, which no other process may open meanwhile. What a call has returned is on
/// disk twice: in the log of changes and in the database (WAL, synchronous FULL). Changes that arrive while others are being
/// written share their syncs. Reading happens beside that. A damaged database is set aside and made again from the newest
/// backup and the log.
package actor PolicyRepository {
    /// Changes that wait to be written, at the most.
    package static let maxWaiting = 16_384
    private static let maxBatch = 512

    private struct Waiting {
        let change: RepositoryChange
        let at: Int64
        let answer: CheckedContinuation<Result<ChangeReceipt, Failure>, Never>
    }

    let folder: RepositoryFolder
    let rules: EvidenceRules
    private var lock: FolderLock?
    private var store: PolicyStore
    let cache: VectorCache
    /// Up to which entry each model has made all vectors.
    var complete: [String: Int64] = [:]
    private var waiting: [Waiting] = []
    private var isWriting = false
    private var isBackingUp = false

    /// Opens the folder, makes it where it is missing, and mends what can be mended.
    /// - Parameter now: nanoseconds since the epoch.
    package static func open(
        _ path: String, rules: EvidenceRules = .standard, at now: Int64
    ) throws(Failure) -> (repository: PolicyRepository, report: OpenReport) {
        let folder = RepositoryFolder(path: path)
        let lock: FolderLock
        do throws(SystemError) {
            try Folder.make(path, mode: 0o700)
            lock = try FolderLock(path)
        } catch {
            if error.isHeldByAnother {
                throw Failure(.busy, "another process has \(path) open", hint: "one daemon at a time")
            }
            throw error.asFailure(.storage)
        }
        var restoration = Restoration(folder, rules: rules, at: now)
        let (pool, log) = try restoration.open()
        let store = PolicyStore(pool: pool, log: log, rules: rules)
        if restoration.report.needsBackup { _ = try Backup(folder, store).make() }
        let repository = PolicyRepository(folder, rules, lock, store, try VectorCache(folder.vectors))
        return (repository, restoration.report)
    }

    private init(
        _ folder: RepositoryFolder, _ rules: EvidenceRules, _ lock: FolderLock, _ store: PolicyStore,
        _ cache: VectorCache
    ) {
        self.folder = folder
        self.rules = rules
        self.lock = lock
        self.store = store
        self.cache = cache
    }

    /// Grows with every change.
    package var generation: Int64 { store.log.next - 1 }
    /// What the log has taken since the last backup.
    package var bytesSinceBackup: Int { store.log.bytes }

    // MARK: Writing

    func change(_ change: RepositoryChange, at now: Int64) async throws(Failure) -> ChangeReceipt {
        try change.check()
        guard waiting.count < Self.maxWaiting else {
            throw Failure(.busy, "\(waiting.count) changes wait to be written already", hint: "try again in a moment")
        }
        let result = await withCheckedContinuation { continuation in
            waiting.append(Waiting(change: change, at: now, answer: continuation))
            guard !isWriting else { return }
            isWriting = true
            Task { await write() }
        }
        return try result.get()
    }

    private func write() async {
        while !waiting.isEmpty {
            let batch = Array(waiting.prefix(Self.maxBatch))
            waiting.removeFirst(batch.count)
            let changes = batch.map { ($0.change, $0.at) }
            var results = await store.commit(changes)
            if let reason = Self.damage(in: results), let now = batch.first?.at {
                do throws(Failure) {
                    try reopen(because: reason, at: now)
                    results = await store.commit(changes)
                } catch {
                    results = batch.map { _ in .failure(error) }
                }
            }
            for (one, result) in zip(batch, results) {
                one.answer.resume(returning: result.mapError { PolicyFile.failure("write to the repository", $0) })
            }
        }
        isWriting = false
    }

    private static func damage(in results: [Result<ChangeReceipt, any Error>]) -> String? {
        for case .failure(let error) in results {
            if error is BrokenLog { return "" }
            if PolicyFile.isDamage(error) { return "\(error)" }
        }
        return nil
    }

    /// Opens everything again.
    /// - Parameter reason: why the database is to be made again; empty where it is only read again, with its log.
    private func reopen(because reason: String, at now: Int64) throws(Failure) {
        try? store.pool.close()
        var restoration = Restoration(folder, rules: rules, at: now)
        let (pool, log) = try restoration.open(distrusting: reason)
        store = PolicyStore(pool: pool, log: log, rules: rules)
    }

    // MARK: Reading

    /// Reads from one state of the database. Where that turns out to be damaged, it is restored and read once more.
    func look<R: Sendable>(
        _ what: String, _ body: @escaping @Sendable (Database) throws -> R
    ) async throws(Failure) -> R {
        do {
            let pool = store.pool
            do { return try await pool.read(body) } catch {
                guard PolicyFile.isDamage(error), !isWriting else { throw error }
                if pool === store.pool { try reopen(because: "\(error)", at: Clock.realtime()) }
                return try await store.pool.read(body)
            }
        } catch { throw PolicyFile.failure(what, error) }
    }

    // MARK: Backups

    /// Copies the database while it is used, checks the copy, and forgets what neither of the two newest copies needs.
    package func backup() async throws(Failure) -> BackupReceipt {
        guard !isBackingUp else { throw Failure(.busy, "a backup is being made already") }
        isBackingUp = true
        defer { isBackingUp = false }
        let backup = Backup(folder, store)
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .utility).async {
                do throws(Failure) {
                    continuation.resume(returning: Result<BackupReceipt, Failure>.success(try backup.make()))
                } catch { continuation.resume(returning: .failure(error)) }
            }
        }
        return try result.get()
    }

    /// Backs up now and then until the task is cancelled: after each `interval` in which something changed.
    /// - Parameter failed: is told of each failure; the next interval tries again.
    package func keepBackups(every interval: Duration, failed: @Sendable (Failure) -> Void) async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: interval) } catch { return }
            guard bytesSinceBackup > 0 else { continue }
            do throws(Failure) { _ = try await backup() } catch { failed(error) }
        }
    }

    /// Closes the files, so that the folder can be opened again.
    package func close() throws(Failure) {
        do {
            // So that what is left is one file.
            try store.pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try store.pool.close()
            try cache.close()
            lock = nil
        } catch { throw PolicyFile.failure("close the repository", error) }
    }
}
