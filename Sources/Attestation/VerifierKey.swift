import Crypto
package import Model

/// The public key of a verifier that is trusted here, or was.
package struct VerifierKey: Hashable, Sendable {
    package static let publicKeyBytes = 32

    /// For people.
    package let name: String
    /// SHA-256 of the public key's 32 bytes, lower-case hex.
    package let keyID: String
    package let publicKey: [UInt8]
    /// Seconds since 1970: what it signed as issued later is refused. Nil: no end.
    package var notAfter: Int64?
    package var revoked: Bool

    package init(name: String, publicKey: [UInt8], notAfter: Int64? = nil, revoked: Bool = false) throws(Failure) {
        guard publicKey.count == Self.publicKeyBytes else {
            throw Failure(
                .malformed, "an Ed25519 public key has \(Self.publicKeyBytes) bytes, not \(publicKey.count)",
                hint: "give it as `ed25519 BASE64` or in PEM")
        }
        self.name = name
        self.publicKey = publicKey
        self.notAfter = notAfter
        self.revoked = revoked
        keyID = Self.keyID(publicKey)
    }

    static func keyID(_ publicKey: [UInt8]) -> String { Hex.sha256(publicKey) }

    /// Whether the key signed exactly these bytes. Says nothing of `notAfter` and `revoked`.
    package func isValid(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
        return key.isValidSignature(signature, for: bytes)
    }
}

/// As text: one line for the rules, PEM for other programs.
extension VerifierKey {
    private static let maxTextBytes = 4096
    private static let begin = "-----BEGIN PUBLIC KEY-----"
    private static let end = "-----END PUBLIC KEY-----"
    /// What stands before the 32 bytes in a SubjectPublicKeyInfo (RFC 8410, section 4).
    private static let prefix: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]

    package var text: String { "ed25519 " + Base64.encode(publicKey) }

    package var pem: String { "\(Self.begin)\n\(Base64.encode(Self.prefix + publicKey))\n\(Self.end)\n" }

    /// Reads either form.
    package init(name: String, text: String, notAfter: Int64? = nil, revoked: Bool = false) throws(Failure) {
        guard text.utf8.count <= Self.maxTextBytes, let bytes = Self.bytes(pem: text) ?? Self.bytes(line: text) else {
            throw Failure(
                .malformed, "\(text.quotedForDisplay(limit: 40)) is not an Ed25519 public key",
                hint: "give it as `ed25519 BASE64`, or in PEM as `openssl pkey -pubout` writes it")
        }
        try self.init(name: name, publicKey: bytes, notAfter: notAfter, revoked: revoked)
    }

    private static func words(_ text: String) -> [Substring] {
        text.split { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
    }

    private static func bytes(line: String) -> [UInt8]? {
        let words = words(line)
        guard words.count == 2, words[0] == "ed25519" else { return nil }
        return Base64.decode(String(words[1]))
    }

    private static func bytes(pem: String) -> [UInt8]? {
        let text = words(pem).joined(separator: " ")
        guard text.hasPrefix(begin), text.hasSuffix(end), text.utf8.count > begin.utf8.count + end.utf8.count else {
            return nil
        }
        let inner = text.dropFirst(begin.count).dropLast(end.count).filter { $0 != " " }
        guard let bytes = Base64.decode(String(inner)), bytes.starts(with: prefix) else { return nil }
        return Array(bytes.dropFirst(prefix.count))
    }
}
