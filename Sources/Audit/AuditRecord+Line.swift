extension AuditRecord {
    /// The line of the file, without its end. The same record always has the same bytes.
    package var line: String {
        let body = RecordEncoder.body(seq: seq, time: time, entry: entry, signature: signature, prev: prev)
        return String(decoding: body, as: UTF8.self) + ",\"hash\":\"\(hash)\"}"
    }

    /// Reads a line as `line` gives it; nil for anything else. Whether it is sealed is for the verifier to say.
    package init?(line: String) {
        guard let record = RecordDecoder.decode(Array(line.utf8)[...]) else { return nil }
        self = record
    }

    /// In RFC 3339, UTC.
    package var timeText: String { Timestamp.text(time) }
}
