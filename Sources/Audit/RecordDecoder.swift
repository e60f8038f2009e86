import Model

/// Reads exactly the lines that RecordEncoder writes. Anything else is refused: spaces, other keys, another order,
/// other escapes, longer strings.
struct RecordDecoder {
    /// The last number that every reader of JSON takes exactly; adding to it cannot overflow here.
    private static let lastSeq: UInt64 = 1 << 53

    private var rest: ArraySlice<UInt8>

    /// `line` is without its line end. nil where it is not a record; whether its hash is right is not looked at.
    static func decode(_ line: ArraySlice<UInt8>) -> AuditRecord? {
        guard line.count <= RecordEncoder.lineLimit else { return nil }
        var decoder = RecordDecoder(rest: line)
        guard let record = decoder.record() else { return nil }
        // One record, one spelling: what would be written is what was read.
        let body = RecordEncoder.body(
            seq: record.seq, time: record.time, entry: record.entry, signature: record.signature, prev: record.prev)
        return body[...] == line.prefix(body.count) ? record : nil
    }

    /// Whether the record's hash is the one of its line.
    static func isSealed(_ record: AuditRecord, _ line: ArraySlice<UInt8>) -> Bool {
        // ,"hash":"…"} has 75 bytes.
        record.hash == RecordEncoder.hash(record.prev, line.dropLast(75))
    }

    private mutating func record() -> AuditRecord? {
        guard take("{\"seq\":"), let seq = number(), seq <= Self.lastSeq, take(",\"time\":"),
            let time = string(30).flatMap(Timestamp.parse), take(",\"kind\":"),
            let kind = string(16).flatMap(AuditKind.init(rawValue:))
        else { return nil }
        var entry = AuditEntry(kind, "")
        guard let ids = actor(), members(&entry), let signature = signature(), untrusted(&entry, ids) else {
            return nil
        }
        guard take(",\"prev\":"), let prev = string(64).flatMap({ AuditHash(hex: $0) }), take(",\"hash\":"),
            let hash = string(64).flatMap({ AuditHash(hex: $0) }), take("}"), rest.isEmpty
        else { return nil }
        return AuditRecord(seq: seq, time: time, entry: entry, signature: signature.value, prev: prev, hash: hash)
    }

    private struct Found<Value> { let value: Value? }

    private mutating func actor() -> Found<AuditActor>? {
        guard take(",\"actor\":{\"uid\":") else { return Found(value: nil) }
        guard let uid = number().flatMap({ UInt32(exactly: $0) }), take(",\"gid\":"),
            let gid = number().flatMap({ UInt32(exactly: $0) }), take(",\"pid\":")
        else { return nil }
        let isNegative = take("-")
        guard let size = number().flatMap({ Int64(exactly: $0) }),
            let pid = Int32(exactly: isNegative ? -size : size), take("}")
        else { return nil }
        return Found(value: AuditActor(uid: uid, gid: gid, pid: pid))
    }

    /// Our own words. An absent one is nil or empty.
    private mutating func members(_ entry: inout AuditEntry) -> Bool {
        guard let operation = token("operation"), let decision = token("decision"), let rule = token("rule"),
            let outcome = token("outcome")
        else { return false }
        entry.operation = operation
        entry.rule = rule
        if !decision.isEmpty {
            guard let decision = AuditDecision(rawValue: decision) else { return false }
            entry.decision = decision
        }
        if !outcome.isEmpty { entry.outcome = AuditOutcome(code: outcome, message: "") }
        if take(",\"ref\":") {
            guard let ref = number() else { return false }
            entry.ref = ref
        }
        if take(",\"count\":") {
            guard let count = number() else { return false }
            entry.count = count
        }
        return true
    }

    private mutating func signature() -> Found<AuditSignature>? {
        guard take(",\"key\":") else { return Found(value: nil) }
        guard let key = string(SafeText.tokenLimit), SafeText.isToken(key.utf8), take(",\"signature\":"),
            let bytes = string(1024).flatMap({ Hex.bytes($0.utf8) })
        else { return nil }
        return Found(value: AuditSignature(keyID: key, bytes: bytes))
    }

    private mutating func untrusted(_ entry: inout AuditEntry, _ ids: Found<AuditActor>) -> Bool {
        entry.actor = ids.value
        guard take(",\"untrusted\":{") else { return true }
        // The first member has no comma; giving it one makes them all alike.
        rest = [UInt8(ascii: ",")] + rest
        guard let user = text("user"), let comm = text("comm"), let cgroup = text("cgroup"),
            let subject = text("subject"), let message = text("message", SafeText.detailLimit)
        else { return false }
        if let ids = ids.value {
            entry.actor = AuditActor(
                uid: ids.uid, gid: ids.gid, pid: ids.pid, user: user, comm: comm, cgroup: cgroup)
        }
        entry.subject = subject
        if let outcome = entry.outcome { entry.outcome = AuditOutcome(code: outcome.code, message: message) }
        return detail(&entry) && take("}")
    }

    private mutating func detail(_ entry: inout AuditEntry) -> Bool {
        guard take(",\"detail\":{") else { return true }
        repeat {
            guard entry.detail.count < 16, let key = string(SafeText.tokenLimit), SafeText.isToken(key.utf8),
                take(":"), let value = string(SafeText.detailLimit), entry.detail[key] == nil
            else { return false }
            entry.detail[key] = value
        } while take(",")
        return take("}")
    }

    private mutating func token(_ name: String) -> String? {
        guard let text = text(name, SafeText.tokenLimit), SafeText.isToken(text.utf8) else { return nil }
        return text
    }

    /// Empty where the member is absent; nil where it is wrong.
    private mutating func text(_ name: String, _ limit: Int = SafeText.fieldLimit) -> String? {
        take(",\"\(name)\":") ? string(limit) : ""
    }

    private mutating func take(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    private mutating func number() -> UInt64? {
        let digits = rest.prefix(21).prefix { (48...57).contains($0) }
        rest = rest.dropFirst(digits.count)
        return UInt64(String(decoding: digits, as: UTF8.self))
    }

    /// `limit` in bytes of the text itself.
    private mutating func string(_ limit: Int) -> String? {
        guard take("\"") else { return nil }
        var bytes: [UInt8] = []
        while let byte = rest.popFirst(), bytes.count <= limit {
            if byte == UInt8(ascii: "\"") {
                guard let text = String(validating: bytes, as: UTF8.self), SafeText.isSafe(text) else { return nil }
                return text
            }
            if byte == UInt8(ascii: "\\") {
                guard let next = rest.popFirst(), next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") else {
                    return nil
                }
                bytes.append(next)
            } else {
                bytes.append(byte)
            }
        }
        return nil
    }
}
