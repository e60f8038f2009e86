/// A statement whose signature is good and was not taken back: read, and not yet compared with what somebody wants to do.
package struct SignedStatement: Hashable, Sendable {
    package let claims: AttestationClaims
    /// The keys whose signatures are good, also those that were retired before it was issued.
    package let signers: [VerifierKey]

    /// The payload is not read before a signature is good, and one of the keys could sign it when it was issued.
    package init(
        _ envelope: [UInt8], keys: [VerifierKey], revokedNonces: Set<String>
    ) throws(Refusal) {
        let envelope = try Envelope.parse(envelope)
        signers = try envelope.signers(among: keys)
        claims = try Statement.decode(envelope.payload)
        guard !timely.isEmpty else { throw .keyRetired(keyID: signers.first?.keyID ?? "") }
        guard !revokedNonces.contains(claims.nonce) else { throw .revoked }
    }

    /// Those that could sign it when it was issued.
    package var timely: [VerifierKey] {
        signers.filter { key in key.notAfter.map { claims.issuedAt <= $0 } ?? true }
    }
}
