// Audit: who asked for what, what was decided by which rule, and what came of it, as lines of JSON in which each holds
// the hash of the one before. The daemon writes it (AuditLog), anyone who may read the folder checks it
// (AuditVerifier). It owns the files in its folder, and its locks are held while a line is written and synced.
// docs/audit.md describes the format.

package import Model

/// The SHA-256 that binds a line to the one before.
package struct AuditHash: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// Of what the first line of a chain follows.
    package static let genesis = AuditHash(bytes: [UInt8](repeating: 0, count: 32))

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// 64 lower-case hexadecimal digits; nil for anything else.
    package init?(hex: some StringProtocol) {
        guard let bytes = Hex.bytes(hex.utf8), bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    package var description: String { Hex.text(bytes) }
}

/// Who did it, as the kernel says. The strings are untrusted all the same: a path can be named at will.
package struct AuditActor: Hashable, Sendable {
    package let uid: UInt32
    package let gid: UInt32
    package let pid: Int32
    package let user: String
    package let comm: String
    package let cgroup: String

    package init(
        uid: UInt32, gid: UInt32, pid: Int32, user: String = "", comm: String = "", cgroup: String = ""
    ) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
        self.user = user
        self.comm = comm
        self.cgroup = cgroup
    }

    package init(_ actor: Actor) {
        self.init(
            uid: actor.uid, gid: actor.gid, pid: actor.pid, user: actor.user,
            comm: actor.comm, cgroup: actor.cgroup)
    }
}

package enum AuditKind: String, CaseIterable, Sendable {
    case operation, outcome, look, denied, event, checkpoint, rotation, start
}

package enum AuditDecision: String, CaseIterable, Sendable { case allowed, denied }

/// How it ended: `ok` or the code of a failure, with its sentence.
package struct AuditOutcome: Hashable, Sendable {
    package let code: String
    package let message: String

    package static let ok = AuditOutcome(code: "ok", message: "")

    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    package init(_ failure: Failure) { self.init(code: failure.code.rawValue, message: failure.message) }
}

/// What is to be recorded. Any string may come from outside; the log bounds and escapes it.
package struct AuditEntry: Hashable, Sendable {
    package var kind: AuditKind
    package var actor: AuditActor?
    /// Our own word for it: letters, digits and `_.:/-`; other characters become `_`.
    package var operation: String
    /// A digest or a name.
    package var subject: String
    package var decision: AuditDecision?
    /// As "rules.conf:41"; characters as in `operation`.
    package var rule: String
    package var outcome: AuditOutcome?
    /// At most 16 pairs; keys as `operation`.
    package var detail: [String: String]
    /// The record that this one tells the outcome of.
    package var ref: UInt64?
    /// How many times, in records that stand for several.
    package var count: UInt64?

    package init(
        _ kind: AuditKind, _ operation: String, actor: AuditActor? = nil, subject: String = "",
        decision: AuditDecision? = nil, rule: String = "", outcome: AuditOutcome? = nil,
        detail: [String: String] = [:], ref: UInt64? = nil, count: UInt64? = nil
    ) {
        self.kind = kind
        self.operation = operation
        self.actor = actor
        self.subject = subject
        self.decision = decision
        self.rule = rule
        self.outcome = outcome
        self.detail = detail
        self.ref = ref
        self.count = count
    }
}

/// The signature in a checkpoint.
package struct AuditSignature: Hashable, Sendable {
    package let keyID: String
    package let bytes: [UInt8]
}

/// One line of the log, decoded. Its strings are bounded and escaped already: they can be shown as they are.
package struct AuditRecord: Hashable, Sendable {
    package let seq: UInt64
    /// Nanoseconds since the epoch, by the wall clock, which may jump; the order is that of `seq`.
    package let time: Int64
    package let entry: AuditEntry
    package let signature: AuditSignature?
    package let prev: AuditHash
    package let hash: AuditHash
}

/// Where an entry went.
package struct AuditReceipt: Hashable, Sendable {
    package let seq: UInt64
    package let hash: AuditHash

    package init(seq: UInt64, hash: AuditHash) {
        self.seq = seq
        self.hash = hash
    }
}
