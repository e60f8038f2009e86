import Model

/// A verifier that this machine asks, as a line of the rules names it.
package struct VerifierPlace: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// A Unix socket: one connection, and one process, for each job.
        case socket
        /// A byte stream to another machine that many jobs share: a device, such as a virtio port, or a Unix socket.
        case stream
    }

    package let name: String
    package let kind: Kind
    package let path: String
    /// 32 bytes, Ed25519: what it has to sign its verdicts with. Nil only for a socket of this machine.
    package let publicKey: [UInt8]?
    package let line: Int
}

/// How a check is taken, whatever the catalogue says.
package struct CheckRule: Hashable, Sendable {
    package enum Level: String, CaseIterable, Sendable { case off, warning, error }

    package let name: String
    package let level: Level
    package let line: Int
}

extension RulesParser {
    static let maxVerifiers = 16
    /// Of a Unix socket's path.
    private static let maxPathBytes = 107

    mutating func verifier(_ words: [Word]) {
        guard let words = exactly(words.count > 4 ? 7 : 4, words) else { return }
        let name = words[1]
        guard (1...64).contains(name.text.utf8.count), name.text == name.text.escapedForDisplay() else {
            return problem(name, "\(Self.quoted(name)) is not a name", "at most 64 printed characters")
        }
        if let earlier = verifiers.first(where: { $0.name == name.text }) {
            return problem(name, "\(Self.quoted(name)) stands in line \(earlier.line) already")
        }
        guard verifiers.count < Self.maxVerifiers else {
            return problem(words[0], "more than \(Self.maxVerifiers) verifiers")
        }
        guard let kindName = choice(words[2], VerifierPlace.Kind.allCases.map(\.rawValue)),
            let kind = VerifierPlace.Kind(rawValue: kindName)
        else { return }
        let path = words[3].text
        guard path.hasPrefix("/"), path.utf8.count <= Self.maxPathBytes, !path.contains("/../") else {
            return problem(
                words[3], "\(Self.quoted(words[3])) is not a path",
                "absolute, without .., at most \(Self.maxPathBytes) bytes")
        }
        var key: [UInt8]?
        if words.count == 7 {
            guard choice(words[4], ["key"]) != nil, choice(words[5], ["ed25519"]) != nil else { return }
            guard let bytes = Base64Key.decode(words[6].text) else {
                return problem(
                    words[6], "this is not an Ed25519 public key",
                    "44 characters, as `schedcp-verify key` prints it there")
            }
            key = bytes
        }
        guard kind == .socket || key != nil else {
            return problem(
                words[3], "a verifier behind a stream needs its key",
                "verifier NAME stream PATH key ed25519 BASE64, as `schedcp-verify key` prints it there")
        }
        verifiers.append(VerifierPlace(name: name.text, kind: kind, path: path, publicKey: key, line: number))
    }

    mutating func check(_ words: [Word]) {
        guard let words = exactly(3, words) else { return }
        let name = words[1]
        let isName = name.text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 }
        guard isName, name.text.utf8.count <= 64 else {
            return problem(name, "\(Self.quoted(name)) is not a check's name", "lower-case letters, digits and -")
        }
        guard CheckCatalogue.named(name.text) != nil else {
            return problem(
                name, "there is no check \(Self.quoted(name))",
                Spelling.hint(name.text, CheckCatalogue.all.map(\.name), within: name.text.utf8.count / 3 + 1))
        }
        if let earlier = checks.first(where: { $0.name == name.text }) {
            return problem(name, "check \(name.text) stands in line \(earlier.line) already")
        }
        guard let level = choice(words[2], CheckRule.Level.allCases.map(\.rawValue)).flatMap(CheckRule.Level.init)
        else { return }
        checks.append(CheckRule(name: name.text, level: level, line: number))
    }
}
