import Linux
package import Model
import Synchronization

/// The audit log of this computer, for its one writer. Every method may be called from any thread; appends wait for
/// each other, and a durable one for the disk. Repeated looks and refusals are counted without waiting for either.
package final class AuditLog: Sendable {
    private let chain: Mutex<AuditChain>
    let counter = LookCounter()
    private let failing = Atomic<Bool>(false)
    package let folder: String

    private init(_ chain: AuditChain) {
        folder = chain.folder.path
        self.chain = Mutex(chain)
    }

    /// Goes on with the log in a folder that exists, or begins one. A last line torn by a crash is cut off, and the
    /// record of the start says how many bytes that were. On a full disk the log can be opened, fails every append, and has
    /// the record of the start written as the first one that the disk takes.
    ///
    /// Throws `.malformed` when the end of the log does not hold together (the message names file and line), `.busy` when
    /// another process writes it, `.storage` when the disk does not even let it be read, or begun where there is none. Only
    /// the first is a reason for `openAside`.
    package static func open(
        folder: String, limits: AuditLimits = AuditLimits(),
        clock: @escaping @Sendable () -> Int64 = { Clock.realtime() },
        signer: @escaping AuditSigner = { _ in nil }, faults: @escaping AuditFault = { _ in nil }
    ) throws(Failure) -> AuditLog {
        let lock = try lock(folder)
        return try begin(AuditFolder(path: folder), limits, clock, signer, faults, lock, first: nil)
    }

    /// For a log that `open` refused: every file of it gets the ending `.broken-N`, and a new chain begins whose first
    /// record says what the old one ended with.
    package static func openAside(
        folder: String, because reason: Failure, limits: AuditLimits = AuditLimits(),
        clock: @escaping @Sendable () -> Int64 = { Clock.realtime() },
        signer: @escaping AuditSigner = { _ in nil }, faults: @escaping AuditFault = { _ in nil }
    ) throws(Failure) -> AuditLog {
        let lock = try lock(folder)
        let files = AuditFolder(path: folder)
        var first = AuditEntry(.start, "log.restarted", detail: ["reason": reason.message])
        if let old = AuditReader(folder: folder).lastReadable() {
            first.detail["old_seq"] = String(old.seq)
            first.detail["old_hash"] = old.hash.description
        }
        do throws(SystemError) {
            first.detail["aside"] = "broken-\(try files.moveAside())"
        } catch {
            throw AuditChain.failure(error)
        }
        return try begin(files, limits, clock, signer, faults, lock, first: first)
    }

    private static func lock(_ folder: String) throws(Failure) -> FolderLock {
        do throws(SystemError) {
            return try FolderLock(folder)
        } catch {
            throw error.isHeldByAnother
                ? Failure(
                    .busy, "another process writes the audit log in \(folder)", hint: "Stop the other daemon first")
                : error.asFailure(.storage, hint: "The audit log's folder has to exist")
        }
    }

    private static func begin(
        _ folder: AuditFolder, _ limits: AuditLimits, _ clock: @escaping @Sendable () -> Int64,
        _ signer: @escaping AuditSigner, _ faults: @escaping AuditFault, _ lock: FolderLock, first: AuditEntry?
    ) throws(Failure) -> AuditLog {
        let file: AppendFile
        let tail: AuditTail
        do throws(SystemError) {
            file = try AppendFile(folder.current, mode: AuditChain.mode)
        } catch {
            throw AuditChain.failure(error)
        }
        tail = try AuditTail.read(folder.current)
        do throws(SystemError) {
            if tail.end < tail.size { try file.truncate(to: tail.end) }
        } catch {
            throw AuditChain.failure(error)
        }
        let head = try AuditChain.head(tail, folder)
        var chain = AuditChain(
            folder: folder, limits: limits, clock: clock, signer: signer, faults: faults, lock: lock, file: file,
            size: tail.end, synced: tail.end, head: head)
        if tail.last == nil && head.seq > 0 {
            // Where the disk refuses, the next append begins with it.
            do throws(Failure) { try chain.continueChain() } catch { chain.isInDoubt = true }
        }
        var start = first ?? AuditEntry(.start, "log.opened")
        if tail.end < tail.size { start.detail["cut_bytes"] = String(tail.size - tail.end) }
        chain.appendOrOwe(start)
        chain.removeOldest()
        let log = AuditLog(chain)
        log.failing.store(chain.isFailing, ordering: .relaxed)
        return log
    }

    /// Writes one record; `durable` syncs it before this returns. Throws `.storage` when it could not be recorded: then
    /// it is not in the chain, and what it was about must not happen. The next append tries again.
    @discardableResult
    package func append(_ entry: AuditEntry, durable: Bool) throws(Failure) -> AuditReceipt {
        try change { (chain) throws(Failure) in try chain.append(entry, durable: durable) }
    }

    /// Writes one record, synced, or keeps it to be written before the next one where the disk refuses: for what is so already and
    /// cannot wait for the disk.
    package func appendOrOwe(_ entry: AuditEntry) {
        do throws(Failure) {
            try change { (chain) throws(Failure) in chain.appendOrOwe(entry) }
        } catch {}
    }

    /// Writes what the disk refused before. Throws `.storage` while it still does.
    package func pay() throws(Failure) {
        try change { (chain) throws(Failure) in try chain.pay() }
    }

    /// Signs the chain so far, durably.
    package func checkpoint() throws(Failure) {
        try change { (chain) throws(Failure) in
            try chain.pay()
            try chain.checkpoint()
        }
    }

    /// Everything so far is durable when it returns.
    package func sync() throws(Failure) {
        try change { (chain) throws(Failure) in
            try chain.pay()
            try chain.sync()
        }
    }

    /// What is counted is written, and the chain signed. The log can be used on.
    package func close() throws(Failure) {
        try flush(closing: true, now: 0)
        try checkpoint()
    }

    private func change<R: Sendable>(_ body: (inout AuditChain) throws(Failure) -> R) throws(Failure) -> R {
        let result = chain.withLock { chain -> Result<R, Failure> in
            defer { failing.store(chain.isFailing, ordering: .relaxed) }
            do throws(Failure) { return .success(try body(&chain)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// The last record of the chain.
    package var head: AuditReceipt { chain.withLock { $0.head } }

    /// Whether the last write or sync failed, and nothing was written since.
    /// Does not wait for an append in progress.
    package var isFailing: Bool { failing.load(ordering: .relaxed) }
}
