import Crypto
import Model

/// A record as its line: keys in one order, no spaces, absent ones left out. The same record always gives the same
/// bytes, and only those are read again.
enum RecordEncoder {
    /// Longer lines are not read. What is written is below by the limits of SafeText.
    static let lineLimit = 64 * 1024

    /// The record that follows `prev`, and its line with the line end.
    static func seal(
        seq: UInt64, time: Int64, entry: AuditEntry, signature: AuditSignature?, prev: AuditHash
    ) -> (record: AuditRecord, line: [UInt8]) {
        let time = min(max(0, time), Timestamp.latest)
        var line = body(seq: seq, time: time, entry: entry, signature: signature, prev: prev)
        let hash = hash(prev, line[...])
        line += Array(",\"hash\":\"".utf8) + Hex.digits(hash.bytes) + Array("\"}\n".utf8)
        let record = AuditRecord(
            seq: seq, time: time, entry: entry, signature: signature, prev: prev, hash: hash)
        return (record, line)
    }

    /// Over the hash of the line before and the line itself without its member `hash`.
    static func hash(_ prev: AuditHash, _ body: ArraySlice<UInt8>) -> AuditHash {
        var hasher = SHA256()
        hasher.update(data: prev.bytes)
        hasher.update(data: Array(body))
        hasher.update(data: [UInt8(ascii: "}")])
        return AuditHash(bytes: Array(hasher.finalize()))
    }

    /// The line up to the member `hash`.
    static func body(
        seq: UInt64, time: Int64, entry: AuditEntry, signature: AuditSignature?, prev: AuditHash
    ) -> [UInt8] {
        var out = LineWriter()
        out.raw("{\"seq\":\(seq),\"time\":\"\(Timestamp.text(time))\",\"kind\":\"\(entry.kind.rawValue)\"")
        if let actor = entry.actor {
            out.raw(",\"actor\":{\"uid\":\(actor.uid),\"gid\":\(actor.gid),\"pid\":\(actor.pid)}")
        }
        out.member("operation", entry.operation)
        out.member("decision", entry.decision?.rawValue ?? "")
        out.member("rule", entry.rule)
        out.member("outcome", entry.outcome?.code ?? "")
        if let ref = entry.ref { out.raw(",\"ref\":\(ref)") }
        if let count = entry.count { out.raw(",\"count\":\(count)") }
        if let signature {
            out.raw(",\"key\":")
            out.string(signature.keyID)
            out.raw(",\"signature\":\"\(Hex.text(signature.bytes))\"")
        }
        untrusted(entry, into: &out)
        out.raw(",\"prev\":\"\(prev)\"")
        return out.bytes
    }

    /// What others may have chosen stands together, away from our own words.
    private static func untrusted(_ entry: AuditEntry, into out: inout LineWriter) {
        var inner = LineWriter()
        inner.member("user", entry.actor?.user ?? "")
        inner.member("comm", entry.actor?.comm ?? "")
        inner.member("cgroup", entry.actor?.cgroup ?? "")
        inner.member("subject", entry.subject)
        inner.member("message", entry.outcome?.message ?? "")
        if !entry.detail.isEmpty {
            var pairs = LineWriter()
            for (key, value) in entry.detail.sorted(by: { $0.key < $1.key }) { pairs.pair(key, value) }
            inner.raw(",\"detail\":{")
            inner.bytes += pairs.bytes.dropFirst()
            inner.raw("}")
        }
        guard !inner.bytes.isEmpty else { return }
        out.raw(",\"untrusted\":{")
        out.bytes += inner.bytes.dropFirst()
        out.raw("}")
    }
}

private struct LineWriter {
    var bytes: [UInt8] = []

    mutating func raw(_ text: String) { bytes += text.utf8 }

    mutating func member(_ name: String, _ value: String) {
        if !value.isEmpty { pair(name, value) }
    }

    mutating func pair(_ name: String, _ value: String) {
        raw(",")
        string(name)
        raw(":")
        string(value)
    }

    /// The text is free of control characters, so that only these two need an escape.
    mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
