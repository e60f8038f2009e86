/// Text that cannot do anything to who reads the log: bounded, and free of every character that controls a terminal,
/// ends a line, reorders or hides text.
enum SafeText {
    /// In bytes of UTF-8.
    static let fieldLimit = 256
    static let detailLimit = 1024
    static let tokenLimit = 128

    /// Escaped as `escapedForDisplay` does, and also what is invisible without being a format character (variation
    /// selectors, fillers), in which a text for programs can hide from people. What is over the limit becomes "…".
    static func escaped(_ text: String, limit: Int = fieldLimit) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            let piece = escape(scalar)
            guard out.utf8.count + piece.utf8.count <= limit - 3 else { return out + "…" }
            out += piece
        }
        return out
    }

    /// For our own words: other characters than letters, digits and `_.:/-` of ASCII become `_`.
    static func token(_ text: String) -> String {
        String(
            decoding: text.utf8.prefix(tokenLimit).map { isTokenByte($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    static func isToken(_ bytes: some Sequence<UInt8>) -> Bool { bytes.allSatisfy(isTokenByte) }

    /// Whether a reader may be shown it. Unassigned characters pass: the writer may know a newer Unicode.
    static func isSafe(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            if scalar.isASCII { return scalar.value >= 0x20 && scalar.value != 0x7F }
            return !isHidden(scalar)
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"", "\\": "\\" + String(scalar)
        case "\n": "\\n"
        case "\t": "\\t"
        case " "..."~": String(scalar)
        default: isEscaped(scalar) ? "\\u{" + String(scalar.value, radix: 16) + "}" : String(scalar)
        }
    }

    private static func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .privateUse, .unassigned: true
        default: isHidden(scalar)
        }
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator: true
        default: scalar.properties.isDefaultIgnorableCodePoint
        }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 95, 46, 58, 47, 45: true
        default: false
        }
    }
}

extension AuditEntry {
    /// As it is stored: bounded and escaped.
    func made(safe limit: Int = 16) -> AuditEntry {
        var entry = self
        entry.operation = SafeText.token(operation)
        entry.rule = SafeText.token(rule)
        entry.subject = SafeText.escaped(subject)
        entry.actor = actor.map {
            AuditActor(
                uid: $0.uid, gid: $0.gid, pid: $0.pid, user: SafeText.escaped($0.user),
                comm: SafeText.escaped($0.comm), cgroup: SafeText.escaped($0.cgroup))
        }
        entry.outcome = outcome.map {
            AuditOutcome(
                code: $0.code.isEmpty ? "unknown" : SafeText.token($0.code),
                message: SafeText.escaped($0.message, limit: SafeText.detailLimit))
        }
        entry.detail = [:]
        for (key, value) in detail.sorted(by: { $0.key < $1.key }) {
            if entry.detail.count == limit - 1 && detail.count > limit {
                entry.detail["more"] = String(detail.count - limit + 1)
                break
            }
            entry.detail[SafeText.token(key)] = SafeText.escaped(value, limit: SafeText.detailLimit)
        }
        return entry
    }
}
