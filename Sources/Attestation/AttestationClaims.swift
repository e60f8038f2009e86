// Attestation: the signed statement that an artifact passed verification, which is the token for its deployment: an
// in-toto Statement in a DSSE envelope with Ed25519 signatures, the keys that sign it, and the checks that it must pass.
// Values only: files, clocks and the memory of used tokens belong to the caller. All input is taken as hostile.

package import Model

/// What one stage of the verification said.
package struct AttestedStage: Hashable, Sendable {
    package enum Verdict: String, CaseIterable, Sendable {
        case passed, failed, skipped
    }

    package var name: String
    package var verdict: Verdict
    /// SHA-256 of the stage's log, lower-case hex.
    package var evidence: String

    package init(name: String, verdict: Verdict, evidence: String) {
        self.name = name
        self.verdict = verdict
        self.evidence = evidence
    }
}

/// The program that verified.
package struct VerifierIdentity: Hashable, Sendable {
    package var id: String
    package var version: String
    /// SHA-256 of its public key, lower-case hex; nil where it signs nothing itself.
    package var keyID: String?

    package init(id: String, version: String, keyID: String? = nil) {
        self.id = id
        self.version = version
        self.keyID = keyID
    }
}

/// The one user who may deploy with the attestation.
package struct AttestationHolder: Hashable, Sendable {
    package var userID: UInt32
    /// For people; identity is `userID`.
    package var name: String

    package init(userID: UInt32, name: String) {
        self.userID = userID
        self.name = name
    }
}

/// All that an attestation states.
package struct AttestationClaims: Hashable, Sendable {
    package static let maxNameBytes = 128
    package static let maxStages = 64
    package static let nonceBytes = 16

    package var artifactName: String
    /// SHA-256 of the object, lower-case hex.
    package var artifact: String
    package var stages: [AttestedStage]
    package var arguments: AttestedArguments
    package var kernel: KernelIdentity
    /// SHA-256 of the access rules that the verification followed, lower-case hex.
    package var rulesDigest: String
    package var verifier: VerifierIdentity
    /// How much was done; nil in statements from before there were two.
    package var effort: Effort?
    /// Nil: whoever may deploy.
    package var holder: AttestationHolder?
    /// Seconds since 1970, UTC.
    package var issuedAt: Int64
    /// Seconds since 1970, UTC: the first second at which it is not valid.
    package var expiresAt: Int64
    /// 16 random bytes, lower-case hex: what single use and revocation go by.
    package var nonce: String

    package init(
        artifactName: String, artifact: String, stages: [AttestedStage], arguments: AttestedArguments,
        kernel: KernelIdentity, rulesDigest: String, verifier: VerifierIdentity, effort: Effort? = nil,
        holder: AttestationHolder? = nil, issuedAt: Int64, expiresAt: Int64, nonce: String = Self.newNonce()
    ) {
        self.artifactName = artifactName
        self.artifact = artifact
        self.stages = stages
        self.arguments = arguments
        self.kernel = kernel
        self.rulesDigest = rulesDigest
        self.verifier = verifier
        self.effort = effort
        self.holder = holder
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.nonce = nonce
    }

    package static func newNonce() -> String {
        var source = SystemRandomNumberGenerator()
        return Hex.text((0..<nonceBytes).map { _ in UInt8.random(in: .min ... .max, using: &source) })
    }
}
