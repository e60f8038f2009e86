package import Model
import Synchronization

/// Counts what happens too often for a line each. Looks: the first of a (user, operation, rule) in a window gets a
/// record, the others one record with their number when the window ends. Refusals: the first 200 of a user in a window
/// get one each. A window is 60 s and the same for all; what it remembers is bounded.
final class LookCounter: Sendable {
    static let window: Int64 = 60_000_000_000
    static let keys = 4096
    static let deniedPerUser = 200

    private struct Key: Hashable {
        let uid: UInt32
        let isDenied: Bool
        let operation: String
        let rule: String
    }

    private struct State {
        var began: Int64?
        var counts: [Key: UInt64] = [:]
        /// Refusals that were written, by user.
        var written: [UInt32: Int] = [:]
        /// What found no room in `counts`: looks, refusals.
        var others: (looks: UInt64, denied: UInt64) = (0, 0)
        /// Refusals written of users that found no room in `written`.
        var writtenOfOthers = 0
    }

    private let state = Mutex(State())

    /// Whether this look is to be written now; else it is counted.
    func isFirstLook(_ uid: UInt32, _ operation: String, _ rule: String) -> Bool {
        let key = Key(uid: uid, isDenied: false, operation: operation, rule: rule)
        return state.withLock { state in
            if let index = state.counts.index(forKey: key) {
                state.counts.values[index] += 1
                return false
            }
            guard state.counts.count < Self.keys else {
                state.others.looks += 1
                return false
            }
            state.counts[key] = 0
            return true
        }
    }

    /// The record of a first look was not written: the next one is the first.
    func forgetLook(_ uid: UInt32, _ operation: String, _ rule: String) {
        let key = Key(uid: uid, isDenied: false, operation: operation, rule: rule)
        state.withLock { state in
            if state.counts[key] == 0 { state.counts[key] = nil }
        }
    }

    /// Whether this refusal is to be written now; else it is counted.
    func isDenialToWrite(_ uid: UInt32, _ operation: String, _ rule: String) -> Bool {
        state.withLock { state in
            if let written = state.written[uid] {
                if written < Self.deniedPerUser {
                    state.written[uid] = written + 1
                    return true
                }
            } else if state.written.count < Self.keys {
                state.written[uid] = 1
                return true
            } else if state.writtenOfOthers < Self.deniedPerUser {
                state.writtenOfOthers += 1
                return true
            }
            let key = Key(uid: uid, isDenied: true, operation: operation, rule: rule)
            if let index = state.counts.index(forKey: key) {
                state.counts.values[index] += 1
            } else if state.counts.count < Self.keys {
                state.counts[key] = 1
            } else {
                state.others.denied += 1
            }
            return false
        }
    }

    /// The records for a window that is over at `now`, and a new window; nothing while it lasts. The first call begins
    /// the first window.
    func drain(now: Int64, always: Bool) -> [AuditEntry] {
        state.withLock { state in
            if !always {
                guard let began = state.began else {
                    state.began = now
                    return []
                }
                guard now - began >= Self.window else { return [] }
                state.began = now
            }
            let old = state
            state = State(began: old.began)
            return Self.entries(old)
        }
    }

    private static func entries(_ state: State) -> [AuditEntry] {
        let counted = state.counts.filter { $0.value > 0 }.sorted { left, right in
            (left.key.uid, left.key.operation, left.key.rule) < (right.key.uid, right.key.operation, right.key.rule)
        }
        var entries = counted.map { key, count in
            // Groups and processes differ within one count; only the user is the same.
            AuditEntry(
                key.isDenied ? .denied : .look, key.operation, actor: nil,
                decision: key.isDenied ? .denied : .allowed, rule: key.rule,
                detail: ["uid": String(key.uid)], count: count)
        }
        if state.others.looks > 0 {
            entries.append(AuditEntry(.look, "others", decision: .allowed, count: state.others.looks))
        }
        if state.others.denied > 0 {
            entries.append(AuditEntry(.denied, "others", decision: .denied, count: state.others.denied))
        }
        return entries
    }

    /// Records that could not be written are counted on.
    func putBack(_ entries: some Sequence<AuditEntry>) {
        state.withLock { state in
            for entry in entries {
                let isDenied = entry.kind == .denied
                let count = entry.count ?? 0
                if let uid = entry.detail["uid"].flatMap({ UInt32($0) }) {
                    let key = Key(uid: uid, isDenied: isDenied, operation: entry.operation, rule: entry.rule)
                    if state.counts[key] != nil || state.counts.count < Self.keys {
                        state.counts[key, default: 0] += count
                        continue
                    }
                }
                if isDenied { state.others.denied += count } else { state.others.looks += count }
            }
        }
    }
}

extension AuditLog {
    /// Something was read: the status, a list. Throws only when a record was due and could not be written.
    package func noteLook(_ actor: AuditActor, operation: String, rule: String) throws(Failure) {
        guard counter.isFirstLook(actor.uid, operation, rule) else { return }
        do throws(Failure) {
            try append(
                AuditEntry(.look, operation, actor: actor, decision: .allowed, rule: rule), durable: false)
        } catch {
            counter.forgetLook(actor.uid, operation, rule)
            throw error
        }
    }

    /// Something was refused. The strings of the entry are taken over; its kind and decision are set.
    package func noteDenied(_ entry: AuditEntry, durable: Bool = false) throws(Failure) {
        guard counter.isDenialToWrite(entry.actor?.uid ?? .max, entry.operation, entry.rule) else { return }
        var entry = entry
        entry.kind = .denied
        entry.decision = .denied
        try append(entry, durable: durable)
    }

    /// To be called each second or so with a clock that does not jump, in nanoseconds: writes what was counted in a
    /// window that is over.
    package func flush(now: Int64) throws(Failure) { try flush(closing: false, now: now) }

    func flush(closing: Bool, now: Int64) throws(Failure) {
        let entries = counter.drain(now: now, always: closing)
        for (index, entry) in entries.enumerated() {
            do throws(Failure) {
                try append(entry, durable: false)
            } catch {
                counter.putBack(entries[index...])
                throw error
            }
        }
    }
}
