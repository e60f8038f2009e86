package import Model

/// The keyring's file: one JSON document with its version, and the private key in it.
extension Keyring {
    static let version: Int64 = 1
    package static let maxBytes = 1024 * 1024

    package func json() -> [UInt8] {
        JSON.object([
            "version": .integer(Self.version),
            "current": .object(["seed": .string(Base64.encode(signingKey.seed)), "created": Self.time(created)]),
            "retired": .array(
                retired.map {
                    .object([
                        "publicKey": .string(Base64.encode($0.publicKey)), "retiredAt": Self.time($0.retiredAt),
                        "acceptedUntil": Self.time($0.acceptedUntil),
                    ])
                }),
            "revoked": .array(revoked.map(Self.entry)),
        ]).encoded + [UInt8(ascii: "\n")]
    }

    private static func entry(_ key: Revoked) -> JSON {
        var members: [String: JSON] = [
            "keyId": .string(key.keyID), "reason": .string(key.reason), "revokedAt": time(key.revokedAt),
        ]
        if let publicKey = key.publicKey { members["publicKey"] = .string(Base64.encode(publicKey)) }
        return .object(members)
    }

    private static func time(_ seconds: Int64) -> JSON { UTC.text(seconds).map { .string($0) } ?? .null }

    /// Refuses a file that is damaged in any way: a revocation that got lost would let a stolen key in.
    package init(json bytes: [UInt8]) throws(Failure) {
        guard bytes.count <= Self.maxBytes else {
            throw Self.damaged("it has \(bytes.count) bytes, more than the \(Self.maxBytes) that are read")
        }
        do { self = try Self.read(bytes) } catch { throw Self.damaged(error.sentence) }
    }

    private static func damaged(_ what: String) -> Failure {
        Failure(
            .storage, "the file of the signing keys cannot be used: \(what)",
            hint: "restore it; without it a new key is made and older attestations are refused")
    }

    private static func read(_ bytes: [UInt8]) throws(Refusal) -> Keyring {
        var fields = try Fields(try JSONReader.parse(bytes), at: "")
        guard try fields.integer("version") == version else { throw .badField("version") }
        var current = try fields.object("current")
        let seed = try current.base64("seed")
        guard let signingKey = try? SigningKey(seed: seed) else { throw .badField(current.path("seed")) }
        var keyring = Keyring(signingKey: signingKey, created: try current.time("created"))
        try current.finish()
        let (retired, revoked) = (try fields.array("retired"), try fields.array("revoked"))
        try fields.finish()
        guard retired.count <= maxRetired else { throw .badField("retired") }
        guard revoked.count <= maxRevoked else { throw .badField("revoked") }
        for entry in retired { keyring.retired.append(try readRetired(entry)) }
        for entry in revoked { keyring.revoked.append(try readRevoked(entry)) }
        return keyring
    }

    private static func readRetired(_ entry: JSON) throws(Refusal) -> Retired {
        var fields = try Fields(entry, at: "retired")
        let key = Retired(
            publicKey: try fields.publicKey("publicKey"), retiredAt: try fields.time("retiredAt"),
            acceptedUntil: try fields.time("acceptedUntil"))
        try fields.finish()
        guard key.retiredAt <= key.acceptedUntil else { throw .badField(fields.path("acceptedUntil")) }
        return key
    }

    private static func readRevoked(_ entry: JSON) throws(Refusal) -> Revoked {
        var fields = try Fields(entry, at: "revoked")
        let key = Revoked(
            keyID: try fields.digest("keyId"),
            publicKey: fields.has("publicKey") ? try fields.publicKey("publicKey") : nil,
            reason: try fields.text("reason", 0...maxReasonBytes), revokedAt: try fields.time("revokedAt"))
        try fields.finish()
        if let publicKey = key.publicKey, VerifierKey.keyID(publicKey) != key.keyID {
            throw .badField(fields.path("publicKey"))
        }
        return key
    }
}

extension Fields {
    fileprivate mutating func publicKey(_ name: String) throws(Refusal) -> [UInt8] {
        let bytes = try base64(name)
        guard bytes.count == VerifierKey.publicKeyBytes else { throw .badField(path(name)) }
        return bytes
    }
}
