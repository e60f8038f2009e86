package import Model

/// Why an attestation does not permit a deployment. Every check has its own case, so that a person knows what to do
/// and a test knows which check it met.
package enum Refusal: Error, Hashable, Sendable {
    /// Before anything was read.
    case tooLarge(bytes: Int)
    case nestedTooDeep
    case malformed(String)
    case duplicateKey(String)

    case wrongPayloadType(String)
    case noSignature
    case tooManySignatures(Int)

    case unknownKey
    case revokedKey(keyID: String)
    case badSignature
    /// Signed by a key that was not to sign any more when the statement says it was issued.
    case keyRetired(keyID: String)

    case wrongStatementType(String)
    case wrongPredicateType(String)
    case noSubject
    case manySubjects(Int)
    case unknownField(String)
    case badField(String)

    case otherArtifact(attested: String)
    case otherArguments
    case otherKernel([KernelIdentity.Part])
    case otherHolder(String)

    case notYetValid(issuedAt: Int64)
    case expired(at: Int64)
    case lifetimeTooLong(seconds: Int64)

    case missingStage(String)
    case failedStage(String)
    /// Less was done than the deploying role needs.
    case tooLittleEffort(Effort)

    case revoked
    /// Found by the caller, who remembers the nonces of used attestations.
    case spent
}

extension Refusal {
    /// For programs; never changed once released.
    package var code: String {
        switch self {
        case .tooLarge: "too-large"
        case .nestedTooDeep: "nested-too-deep"
        case .malformed: "malformed"
        case .duplicateKey: "duplicate-key"
        case .wrongPayloadType: "wrong-payload-type"
        case .noSignature: "no-signature"
        case .tooManySignatures: "too-many-signatures"
        case .unknownKey: "unknown-key"
        case .revokedKey: "revoked-key"
        case .badSignature: "bad-signature"
        case .keyRetired: "key-retired"
        case .wrongStatementType: "wrong-statement-type"
        case .wrongPredicateType: "wrong-predicate-type"
        case .noSubject: "no-subject"
        case .manySubjects: "many-subjects"
        case .unknownField: "unknown-field"
        case .badField: "bad-field"
        case .otherArtifact: "other-artifact"
        case .otherArguments: "other-arguments"
        case .otherKernel: "other-kernel"
        case .otherHolder: "other-holder"
        case .notYetValid: "not-yet-valid"
        case .expired: "expired"
        case .lifetimeTooLong: "lifetime-too-long"
        case .missingStage: "missing-stage"
        case .failedStage: "failed-stage"
        case .tooLittleEffort: "too-little-effort"
        case .revoked: "revoked"
        case .spent: "spent"
        }
    }

    /// `detail` is the code.
    package var asFailure: Failure {
        Failure(.denied, "the attestation is refused: \(sentence)", hint: hint, detail: code)
    }
}
