import Attestation
import Model
import Repository

/// Whether a signed statement about an artifact is by a key that is known here, and says what is said of it. Pure.
struct StatementCheck: Sendable {
    /// This machine's own keys, those before them, and the trusted ones; with what is revoked of them.
    let keys: [VerifierKey]
    let revokedNonces: Set<String>

    /// That it has expired as a token does not matter: that the artifact passed stays true.
    func read(_ envelope: [UInt8]) throws(Refusal) -> SignedStatement {
        try SignedStatement(envelope, keys: keys, revokedNonces: revokedNonces)
    }
}

/// Compares a bundle from elsewhere with its object, and its attestations with the keys that are known here. Pure.
struct BundleCheck {
    let statements: StatementCheck

    /// - Returns: the bundle, with what its envelopes say in place of what is said of them.
    func check(_ bundle: PolicyBundle, object: [UInt8]) throws(Failure) -> PolicyBundle {
        try check(object, of: bundle.entry)
        var checked = bundle
        checked.attestations = []
        for attestation in bundle.attestations {
            checked.attestations.append(try check(attestation, of: bundle.entry))
        }
        return checked
    }

    private func check(_ object: [UInt8], of entry: PolicyEntry) throws(Failure) {
        switch entry.kind {
        case .scheduler:
            guard !object.isEmpty else {
                throw Failure(
                    .invalidArgument, "the bundle of \(entry.key) has no object",
                    hint: "export it again where it comes from")
            }
            let digest = ArtifactStore.digest(object)
            guard digest == entry.artifact else {
                throw Failure(
                    .malformedObject,
                    "the object is not that of \(entry.key): its SHA-256 is \(digest.prefix(16))…, and \(entry.artifact.prefix(16))… is expected",
                    hint: "export it again where it comes from")
            }
        case .primitive:
            guard object.isEmpty else { throw Failure(.invalidArgument, "a primitive has no object") }
            guard let text = entry.source?.text, ArtifactStore.digest(Array(text.utf8)) == entry.artifact else {
                throw Failure(
                    .invalidArgument, "the text of \(entry.key) is missing or not the one that its digest names")
            }
        }
    }

    private func check(_ given: EntryAttestation, of entry: PolicyEntry) throws(Failure) -> EntryAttestation {
        func refuse(_ why: String, _ hint: String = "") -> Failure {
            Failure(
                .denied, "an attestation of \(entry.key) is not accepted: \(why)", hint: hint, detail: given.digest)
        }
        guard ArtifactStore.digest(given.envelope) == given.digest else {
            throw refuse("its envelope is not the one that its digest names")
        }
        let statement: SignedStatement
        do throws(Refusal) { statement = try statements.read(given.envelope) } catch {
            throw refuse(error.sentence, error.hint)
        }
        let claims = statement.claims
        guard claims.artifact == entry.artifact else {
            throw refuse("it is for another artifact, \(claims.artifact.prefix(16))…")
        }
        let said = EntryAttestation(
            statement, of: entry.key, envelope: given.envelope, digest: given.digest, isLocal: false)
        guard given.passedStages == said.passedStages, given.issuedAt == said.issuedAt, given.kernel == said.kernel,
            given.artifact == said.artifact, given.effort == said.effort
        else { throw refuse("the bundle says something else of it than is signed") }
        return said
    }
}

extension EntryAttestation {
    init(
        _ statement: SignedStatement, of key: EntryKey, envelope: [UInt8], digest: String, isLocal: Bool
    ) {
        let claims = statement.claims
        self.init(
            entry: key, digest: digest, envelope: envelope, artifact: claims.artifact,
            // As many as a line holds.
            keyID: statement.timely.prefix(3).map(\.keyID).joined(separator: " "),
            verifier: "\(claims.verifier.id) \(claims.verifier.version)".escapedForDisplay(limit: 120),
            effort: claims.effort,
            passedStages: claims.stages.filter { $0.verdict == .passed }.map(\.name),
            kernel: claims.kernel.release, issuedAt: claims.issuedAt, isLocal: isLocal)
    }
}
