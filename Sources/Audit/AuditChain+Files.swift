import Linux
import Model

extension AuditChain {
    /// After a failed sync or write. The kernel tells of a failed write-back once and takes the pages for clean then, so
    /// that syncing again would succeed without anything reaching the disk. So: open the file again, take what was
    /// written since the last good sync out of it and write it anew (which makes the pages dirty), sync, and go on from
    /// what is really at its end. Throws while the disk still fails; nothing is appended meanwhile.
    mutating func recover() throws(Failure) {
        if let found = try? DurableFile.size(of: DurableFile.open(folder.current)), found < synced {
            throw Failure(
                .storage, "the audit log \(folder.current) lost lines that were synced",
                hint: "Something else wrote to it: keep the file, run schedctl audit verify, restart the daemon")
        }
        do throws(SystemError) {
            try fault(.create)
            let again = try AppendFile(folder.current, mode: Self.mode)
            try rewrite(again)
            file = again
        } catch {
            throw Self.failure(error)
        }
        do throws(Failure) {
            let tail = try AuditTail.read(folder.current)
            (size, synced, carried) = (tail.size, tail.size, [])
            head = try Self.head(tail, folder)
        } catch {
            throw Failure(.storage, error.message, hint: error.hint)
        }
        (isInDoubt, isFailing) = (false, false)
        if size == 0 && head.seq > 0 { try continueChain() }
    }

    private mutating func rewrite(_ file: AppendFile) throws(SystemError) {
        let found = try file.size()
        if carried.isEmpty && found > synced {
            let bytes = try file.read(at: synced, limit: found - synced)
            // Only whole lines; a torn one is what failed.
            carried = bytes.lastIndex(of: 10).map { Array(bytes[...$0]) } ?? []
        }
        try file.truncate(to: synced)
        try fault(.write)
        try file.append(carried)
        try fault(.sync)
        try file.sync()
    }

    /// Closes the file with a record and a checkpoint, renames it and begins the next. A crash after any step leaves
    /// what `open` goes on from.
    mutating func rotate() throws(Failure) {
        if !isClosedForRotation {
            try write(AuditEntry(.rotation, "log.rotated"))
            try checkpoint()
            isClosedForRotation = true
        }
        do throws(SystemError) {
            let next = (try folder.numbers().last ?? 0) + 1
            try fault(.rename)
            try DurableFile.rename(folder.current, to: folder.rotated(next))
        } catch {
            isFailing = true
            throw Self.failure(error)
        }
        isClosedForRotation = false
        // From here on the next file is the one to recover, should it not come to be.
        (size, synced, isInDoubt) = (0, 0, true)
        do throws(SystemError) {
            try fault(.create)
            file = try AppendFile(folder.current, mode: Self.mode)
            isInDoubt = false
        } catch {
            isFailing = true
            throw Self.failure(error)
        }
        try continueChain()
        removeOldest()
    }

    /// The first record of every file but the first: a file that lost its beginning is seen.
    mutating func continueChain() throws(Failure) {
        try write(AuditEntry(.start, AuditChain.continued))
        try sync()
    }

    static let continued = "log.continued"

    /// What cannot be removed now is removed at the next rotation.
    func removeOldest() {
        guard let numbers = try? folder.numbers() else { return }
        for number in numbers.dropLast(limits.maxFiles) {
            guard (try? fault(.remove)) != nil, (try? DurableFile.remove(folder.rotated(number))) != nil else { return }
        }
    }

    /// The last record of the current file or, where that has none, of the newest rotated one.
    static func head(_ current: AuditTail, _ folder: AuditFolder) throws(Failure) -> AuditReceipt {
        if let last = current.receipt { return last }
        let numbers: [Int]
        do throws(SystemError) { numbers = try folder.numbers() } catch { throw failure(error) }
        guard let newest = numbers.last else { return AuditReceipt(seq: 0, hash: .genesis) }
        let path = folder.rotated(newest)
        let tail = try AuditTail.read(path)
        guard let last = tail.receipt, tail.end == tail.size else {
            throw Failure(
                .malformed, "the audit log's file \(path) ends in the middle of a line",
                hint: "It was synced before it was renamed: run schedctl audit verify and look at the disk")
        }
        return last
    }
}
