import Model

extension Refusal {
    /// What is wrong, without a full stop. Text from the attestation is escaped and bounded.
    package var sentence: String {
        switch self {
        case .tooLarge(let bytes): "it has \(bytes) bytes, more than the \(Envelope.maxBytes) that are read"
        case .nestedTooDeep: "its JSON is nested deeper than \(JSONReader.maxDepth) levels"
        case .malformed(let what): "it cannot be read: \(what)"
        case .duplicateKey(let key): "an object in it has the key \(key.quotedForDisplay()) twice"
        case .wrongPayloadType(let type): "its payload is \(type.quotedForDisplay()), not \(Envelope.payloadType)"
        case .noSignature: "it is not signed"
        case .tooManySignatures(let count): "it has \(count) signatures, more than \(Envelope.maxSignatures)"
        case .unknownKey: "no key that is trusted here signed it"
        case .revokedKey(let keyID): "the key that signed it, \(keyID.prefix(16))…, is revoked"
        case .badSignature: "its signature does not fit its content"
        case .keyRetired(let keyID): "it was issued after the key that signed it, \(keyID.prefix(16))…, was retired"
        case .wrongStatementType(let type): "it is a \(type.quotedForDisplay()), not a \(Statement.type)"
        case .wrongPredicateType(let type): "it states \(type.quotedForDisplay()), not \(Statement.predicateType)"
        case .noSubject: "it is about no artifact"
        case .manySubjects(let count): "it is about \(count) artifacts, not one"
        case .unknownField(let name):
            "it has the field \(name.quotedForDisplay()), which may be a condition not known here"
        case .badField(let name): "its field \(name) is missing or not what it must be"
        case .otherArtifact(let attested): "it is for another artifact, \(attested.prefix(16))…"
        case .otherArguments: "it is for other parameters or hints"
        case .otherKernel(let parts):
            "it is for another kernel: the \(parts.map(\.words).joined(separator: " and the ")) differ"
                + (parts.count == 1 ? "s" : "")
        case .otherHolder(let name): "it is for the user \(name.quotedForDisplay()) only"
        case .notYetValid(let time): "it is valid only from \(Self.time(time)) on"
        case .expired(let time): "it expired at \(Self.time(time))"
        case .lifetimeTooLong(let seconds): "it would be valid for \(seconds) s, longer than the rules allow"
        case .missingStage(let name): "the stage \(name.quotedForDisplay()) that the rules demand was not passed"
        case .failedStage(let name): "the stage \(name.quotedForDisplay()) failed"
        case .tooLittleEffort(let effort): "the rules demand verification with the effort \(effort.rawValue) of you"
        case .revoked: "it was revoked"
        case .spent: "it was used before; one attestation permits one deployment"
        }
    }

    /// What to do next.
    package var hint: String {
        switch self {
        case .tooLarge, .nestedTooDeep, .malformed, .duplicateKey, .wrongPayloadType, .noSignature, .tooManySignatures,
            .wrongStatementType, .wrongPredicateType, .noSubject, .manySubjects, .badField:
            "give the file as the verifier wrote it"
        case .unknownField: "use a verifier of this version, or update this computer"
        case .unknownKey: "an administrator can add the verifier's public key to the rules"
        case .badSignature: "it was changed after it was signed, or damaged; get it again from the verifier"
        case .otherArtifact, .otherArguments: "deploy exactly what was verified, or verify this"
        case .otherHolder: "verify it yourself, or ask that user"
        case .notYetValid: "compare the clocks of this computer and of the verifier"
        case .revokedKey, .keyRetired, .otherKernel, .expired, .lifetimeTooLong, .revoked, .spent: "verify it again"
        case .missingStage: "verify it again with all the stages that the rules demand"
        case .tooLittleEffort(let effort): "verify it again with --effort \(effort.rawValue)"
        case .failedStage: "look at the stage's log, change the scheduler, verify it again"
        }
    }

    private static func time(_ seconds: Int64) -> String { UTC.text(seconds) ?? "\(seconds) s after 1970" }
}
