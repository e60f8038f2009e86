package import Model

/// The keys of this computer's own verifier: the one that signs, those that did, and those that must not be believed.
///
/// A value: the caller stores `json()` where only the daemon can read it, before it uses what changed.
package struct Keyring: Sendable {
    package static let maxRetired = 64
    package static let maxRevoked = 512
    package static let maxReasonBytes = 200
    /// An overlap is for attestations that are on their way, not a second life: 90 days.
    package static let maxOverlapSeconds: Int64 = 90 * 86_400

    /// A key that signs no more, and whose private part is forgotten.
    package struct Retired: Hashable, Sendable {
        package let publicKey: [UInt8]
        /// What says that it was issued later is refused.
        package let retiredAt: Int64
        /// After this it is not a key of ours any more.
        package let acceptedUntil: Int64
        package var keyID: String { VerifierKey.keyID(publicKey) }
    }

    package struct Revoked: Hashable, Sendable {
        package let keyID: String
        /// Nil for the key of another computer.
        package let publicKey: [UInt8]?
        package let reason: String
        package let revokedAt: Int64
    }

    package internal(set) var signingKey: SigningKey
    /// Seconds since 1970, as all times here: when `signingKey` was made.
    package internal(set) var created: Int64
    package internal(set) var retired: [Retired] = []
    package internal(set) var revoked: [Revoked] = []

    init(signingKey: SigningKey, created: Int64) {
        self.signingKey = signingKey
        self.created = created
    }

    /// With a new key. `now` is from 1970 to 9999.
    package static func new(now: Int64) throws(Failure) -> Keyring {
        Keyring(signingKey: SigningKey(), created: try checked(now))
    }

    private static func checked(_ now: Int64) throws(Failure) -> Int64 {
        guard UTC.text(now) != nil else {
            throw Failure(.invalidArgument, "the clock says \(now) s after 1970", hint: "set this computer's clock")
        }
        return now
    }

    /// A new key signs from now on. What the old one signed before is accepted for as long as the overlap.
    package mutating func rotate(now: Int64, overlapSeconds: Int64) throws(Failure) {
        let now = try Self.checked(now)
        guard (0...Self.maxOverlapSeconds).contains(overlapSeconds), now <= UTC.last - overlapSeconds else {
            throw Failure(
                .invalidArgument, "an overlap of \(overlapSeconds) s is not possible",
                hint: "at most \(Self.maxOverlapSeconds) s; an attestation's longest lifetime is enough")
        }
        prune(now: now)
        guard retired.count < Self.maxRetired else {
            throw Failure(
                .tooMany, "\(retired.count) older keys are still accepted",
                hint: "rotate with a shorter overlap, or revoke a key")
        }
        retired.append(
            Retired(publicKey: signingKey.publicKey, retiredAt: now, acceptedUntil: now + overlapSeconds))
        signingKey = SigningKey()
        created = now
    }

    /// Nothing that the key signed is accepted any more, whenever it was signed. Also for keys of other computers.
    ///
    /// True when it was the signing key, so that a new one was made. Revoking again changes nothing.
    @discardableResult
    package mutating func revoke(_ keyID: String, reason: String, now: Int64) throws(Failure) -> Bool {
        let now = try Self.checked(now)
        guard Hex.isHex(keyID, digits: 64) else {
            throw Failure(
                .invalidArgument, "\(keyID.quotedForDisplay()) is not the id of a key",
                hint: "it is 64 digits 0-9 a-f: the SHA-256 of the public key")
        }
        guard reason.utf8.count <= Self.maxReasonBytes else {
            throw Failure(
                .invalidArgument, "the reason has \(reason.utf8.count) bytes", hint: "at most \(Self.maxReasonBytes)")
        }
        if revoked.contains(where: { $0.keyID == keyID }) { return false }
        guard revoked.count < Self.maxRevoked else {
            throw Failure(
                .tooMany, "\(revoked.count) keys are revoked, and no more are remembered",
                hint: "remove the keys of other verifiers from the rules instead")
        }
        let isCurrent = signingKey.keyID == keyID
        let publicKey = isCurrent ? signingKey.publicKey : retired.first { $0.keyID == keyID }?.publicKey
        revoked.append(Revoked(keyID: keyID, publicKey: publicKey, reason: reason, revokedAt: now))
        retired.removeAll { $0.keyID == keyID }
        if isCurrent {
            signingKey = SigningKey()
            created = now
        }
        return isCurrent
    }

    /// Forgets the retired keys whose time is over. Revoked keys stay.
    package mutating func prune(now: Int64) { retired.removeAll { $0.acceptedUntil < now } }

    /// All keys that a check has to know: ours, and the trusted ones of other computers with what is revoked of them.
    package func verifierKeys(now: Int64, trusted: [VerifierKey] = []) -> [VerifierKey] {
        var keys: [VerifierKey?] = [try? VerifierKey(name: "this computer", publicKey: signingKey.publicKey)]
        for key in retired where now <= key.acceptedUntil {
            keys.append(
                try? VerifierKey(
                    name: "this computer, until \(UTC.text(key.retiredAt) ?? "")", publicKey: key.publicKey,
                    notAfter: key.retiredAt))
        }
        for key in revoked {
            guard let publicKey = key.publicKey else { continue }
            keys.append(try? VerifierKey(name: "this computer, revoked", publicKey: publicKey, revoked: true))
        }
        let revokedIDs = Set(revoked.map(\.keyID))
        for var key in trusted {
            key.revoked = key.revoked || revokedIDs.contains(key.keyID)
            keys.append(key)
        }
        return keys.compactMap { $0 }
    }
}
