import Linux
import Model

/// How much is kept.
package struct AuditLimits: Hashable, Sendable {
    /// A file is closed before it would exceed this, but for the two closing records (under 2 KiB) and a single
    /// record that is longer.
    package var maxFileBytes: Int
    /// Files besides the current one; the oldest are removed.
    package var maxFiles: Int

    package init(maxFileBytes: Int = 16 * 1024 * 1024, maxFiles: Int = 64) {
        self.maxFileBytes = max(4096, maxFileBytes)
        self.maxFiles = max(1, maxFiles)
    }
}

/// Signs a checkpoint; nil where there is no key.
package typealias AuditSigner = @Sendable ([UInt8]) -> (keyID: String, signature: [UInt8])?

/// Where a test lets something fail.
package enum AuditFaultPoint: Hashable, Sendable {
    case write, sync, rename, create, remove
}

/// The errno that the next system call of the kind is to fail with; nil lets it be made.
package typealias AuditFault = @Sendable (AuditFaultPoint) -> Int32?

/// The files of the log and the end of the chain in them. One at a time: AuditLog locks.
struct AuditChain: Sendable {
    static let recordsPerCheckpoint = 256
    static let mode: UInt32 = 0o640
    private static let mostOwed = 64

    let folder: AuditFolder
    let limits: AuditLimits
    let clock: @Sendable () -> Int64
    let signer: AuditSigner
    let faults: AuditFault
    let lock: FolderLock

    var file: AppendFile
    var size: Int
    /// What is durable for certain, in bytes from the file's beginning.
    var synced: Int
    var head: AuditReceipt
    var sinceCheckpoint = 0
    /// The closing records are written; what is left is to rename.
    var isClosedForRotation = false
    /// A sync failed: see `recover`.
    var isInDoubt = false
    /// Lines that were written, may not be durable, and are not in the file any more.
    var carried: [UInt8] = []

    /// Records that the disk refused and that come before any other, the oldest first.
    var owed: [AuditEntry] = []

    /// Whether the last write or sync failed.
    var isFailing = false

    private var mark: Mark { Mark(head: head, size: size) }

    struct Mark {
        let head: AuditReceipt
        let size: Int
    }

    /// One record, and before it what is owed. Throws `.storage` when it is not in the chain.
    mutating func append(_ entry: AuditEntry, durable: Bool) throws(Failure) -> AuditReceipt {
        try pay()
        return try add(entry, durable: durable)
    }

    /// One record, durably: now or, where the disk refuses it, before the next one. It then says when it should have been there.
    mutating func appendOrOwe(_ entry: AuditEntry) {
        do throws(Failure) { _ = try append(entry, durable: true) } catch {
            var late = entry
            late.detail["since"] = Timestamp.text(min(max(0, clock()), Timestamp.latest))
            if owed.count == Self.mostOwed { owed.removeLast() }
            owed.append(late)
        }
    }

    /// Writes what is owed. Throws `.storage` while the disk still refuses.
    mutating func pay() throws(Failure) {
        while let entry = owed.first {
            _ = try add(entry, durable: true)
            owed.removeFirst()
        }
    }

    private mutating func add(_ entry: AuditEntry, durable: Bool) throws(Failure) -> AuditReceipt {
        if isInDoubt { try recover() }
        let entry = entry.made()
        var sealed = seal(entry)
        if isClosedForRotation || size > 0 && size + sealed.line.count > limits.maxFileBytes {
            try rotate()
            sealed = seal(entry)
        }
        let before = mark
        let receipt = try write(sealed)
        if durable { try sync(orBackTo: before) }
        if sinceCheckpoint >= Self.recordsPerCheckpoint {
            // The caller's record is there; a checkpoint that fails is tried again after the next one.
            do throws(Failure) { try checkpoint() } catch {}
        }
        return receipt
    }

    /// Signs what is there so far, durably.
    mutating func checkpoint() throws(Failure) {
        if isInDoubt { try recover() }
        let seq = head.seq + 1
        let signed = signer(AuditCheckpoint.message(seq: seq, prev: head.hash))
        let signature = signed.map {
            AuditSignature(keyID: SafeText.token($0.keyID), bytes: Array($0.signature.prefix(512)))
        }
        let before = mark
        _ = try write(seal(AuditEntry(.checkpoint, "log.checkpoint"), signature))
        try sync(orBackTo: before)
        sinceCheckpoint = 0
    }

    /// Everything so far is durable when it returns.
    mutating func sync() throws(Failure) {
        if isInDoubt { try recover() }
        if synced < size { try sync(orBackTo: mark) }
    }

    private mutating func write(_ sealed: Sealed) throws(Failure) -> AuditReceipt {
        let (record, line) = sealed
        do throws(SystemError) {
            try fault(.write)
            try file.append(line)
        } catch {
            isFailing = true
            // The cut of what was written in part may have failed too; only the file itself can say.
            if (try? file.size()) != size { isInDoubt = true }
            throw Self.failure(error)
        }
        size += line.count
        head = AuditReceipt(seq: record.seq, hash: record.hash)
        sinceCheckpoint += 1
        isFailing = false
        return head
    }

    mutating func write(_ entry: AuditEntry) throws(Failure) { _ = try write(seal(entry)) }

    private typealias Sealed = (record: AuditRecord, line: [UInt8])

    private func seal(_ entry: AuditEntry, _ signature: AuditSignature? = nil) -> Sealed {
        RecordEncoder.seal(
            seq: head.seq + 1, time: clock(), entry: entry, signature: signature, prev: head.hash)
    }

    /// When it throws, what was written since the mark is cut off again where that is possible.
    private mutating func sync(orBackTo mark: Mark) throws(Failure) {
        do throws(SystemError) {
            try fault(.sync)
            try file.sync()
            synced = size
            isFailing = false
        } catch {
            (isFailing, isInDoubt) = (true, true)
            (head, size) = (mark.head, mark.size)
            try? file.truncate(to: size)
            throw Self.failure(error)
        }
    }

    func fault(_ point: AuditFaultPoint) throws(SystemError) {
        if let code = faults(point) { throw SystemError("\(point) (a fault of a test)", code: code) }
    }

    static func failure(_ error: SystemError) -> Failure {
        error.asFailure(.storage, hint: "Nothing is done that cannot be recorded; make room on the audit log's disk")
    }
}

/// What a checkpoint's signature is over.
package enum AuditCheckpoint {
    /// The purpose, so that it is nothing else's signature, the checkpoint's own number and the hash of the line
    /// before it, each on a line.
    package static func message(seq: UInt64, prev: AuditHash) -> [UInt8] {
        Array("schedcp audit checkpoint 1\n\(seq)\n\(prev)\n".utf8)
    }
}
