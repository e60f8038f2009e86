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
        let operation: String
        let rule: String

        /// Our own words are short and taken as they are; what is longer is cut, so that memory is bounded.
        init(_ uid: UInt32, _ operation: String, _ rule: String) {
            self.uid = uid
            self.operation = Self.bounded(operation)
            self.rule = Self.bounded(rule)
        }

        private static func bounded(_ text: String) -> String {
            text.utf8.count <= SafeText.tokenLimit ? text : SafeText.token(text)
        }
    }

    /// One table for looks and one for refusals: neither takes the other's room.
    private struct Table {
        var counts: [Key: UInt64] = [:]
        /// What found no room.
        var others: UInt64 = 0

        /// False where the key is new; it is not counted then.
        mutating func count(_ key: Key) -> Bool {
            guard let index = counts.index(forKey: key) else { return false }
            counts.values[index] += 1
            return true
        }

        /// False where there is no room.
        mutating func begin(_ key: Key, with count: UInt64) -> Bool {
            guard counts.count < LookCounter.keys else {
                others += max(1, count)
                return false
            }
            counts[key] = count
            return true
        }
    }

    private struct State {
        var began: Int64?
        var looks = Table()
        var denied = Table()
        /// Refusals that were written, by user.
        var written: [UInt32: Int] = [:]
        /// Refusals written of users that found no room in `written`.
        var writtenOfOthers = 0
    }

    private let state = Mutex(State())

    /// Whether this look is to be written now; else it is counted.
    func isFirstLook(_ uid: UInt32, _ operation: String, _ rule: String) -> Bool {
        let key = Key(uid, operation, rule)
        return state.withLock { state in !state.looks.count(key) && state.looks.begin(key, with: 0) }
    }

    /// The record of a first look was not written: the next one is the first.
    func forgetLook(_ uid: UInt32, _ operation: String, _ rule: String) {
        let key = Key(uid, operation, rule)
        state.withLock { state in
            if state.looks.counts[key] == 0 { state.looks.counts[key] = nil }
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
            let key = Key(uid, operation, rule)
            if !state.denied.count(key) { _ = state.denied.begin(key, with: 1) }
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
            return Self.entries(.look, old.looks) + Self.entries(.denied, old.denied)
        }
    }

    private static func entries(_ kind: AuditKind, _ table: Table) -> [AuditEntry] {
        let decision: AuditDecision = kind == .denied ? .denied : .allowed
        let counted = table.counts.filter { $0.value > 0 }.sorted { left, right in
            (left.key.uid, left.key.operation, left.key.rule) < (right.key.uid, right.key.operation, right.key.rule)
        }
        var entries = counted.map { key, count in
            // Groups and processes differ within one count; only the user is the same.
            AuditEntry(
                kind, key.operation, decision: decision, rule: key.rule, detail: ["uid": String(key.uid)],
                count: count)
        }
        if table.others > 0 { entries.append(AuditEntry(kind, "others", decision: decision, count: table.others)) }
        return entries
    }

    /// Records that could not be written are counted on.
    func putBack(_ entries: some Sequence<AuditEntry>) {
        state.withLock { state in
            for entry in entries {
                if entry.kind == .denied {
                    Self.putBack(entry, into: &state.denied)
                } else {
                    Self.putBack(entry, into: &state.looks)
                }
            }
        }
    }

    private static func putBack(_ entry: AuditEntry, into table: inout Table) {
        let count = entry.count ?? 0
        guard let uid = entry.detail["uid"].flatMap({ UInt32($0) }) else {
            table.others += count
            return
        }
        let key = Key(uid, entry.operation, entry.rule)
        if table.counts[key] != nil {
            table.counts[key, default: 0] += count
        } else {
            _ = table.begin(key, with: count)
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
