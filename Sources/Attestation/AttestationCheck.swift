package import Model

/// What an attestation must state to permit one deployment, here and now.
///
/// Single use is not among it: the caller keeps the nonces of used attestations, and refuses with `Refusal.spent`.
package struct AttestationCheck: Sendable {
    /// Seconds by which a verifier's clock may be ahead of this one.
    package static let clockTolerance: Int64 = 60

    /// SHA-256 of the object to deploy, lower-case hex.
    package var artifact: String
    package var arguments: AttestedArguments
    package var kernel: KernelIdentity
    /// Seconds since 1970.
    package var now: Int64
    package var keys: [VerifierKey]
    /// Attestations that were revoked one by one.
    package var revokedNonces: Set<String>
    /// `origin|compile` where one of two is enough.
    package var requiredStages: [String]
    /// Nil: any.
    package var minimumEffort: Effort?
    /// Seconds that an attestation may be valid for at most.
    package var maxLifetimeSeconds: Int64
    /// Who wants to deploy.
    package var userID: UInt32
    /// Whether that user may deploy with what is for somebody else.
    package var mayUseOthers: Bool

    package init(
        artifact: String, arguments: AttestedArguments, kernel: KernelIdentity, now: Int64, keys: [VerifierKey],
        revokedNonces: Set<String> = [], requiredStages: [String], minimumEffort: Effort? = nil,
        maxLifetimeSeconds: Int64, userID: UInt32, mayUseOthers: Bool = false
    ) {
        self.artifact = artifact
        self.arguments = arguments
        self.kernel = kernel
        self.now = now
        self.keys = keys
        self.revokedNonces = revokedNonces
        self.requiredStages = requiredStages
        self.minimumEffort = minimumEffort
        self.maxLifetimeSeconds = maxLifetimeSeconds
        self.userID = userID
        self.mayUseOthers = mayUseOthers
    }

    /// The claims, when the attestation permits the deployment.
    package func verify(_ bytes: [UInt8]) throws(Refusal) -> AttestationClaims { try verifyWithSigners(bytes).claims }

    /// - Returns: beside the claims, the keys whose signatures are good.
    package func verifyWithSigners(
        _ bytes: [UInt8]
    ) throws(Refusal) -> (claims: AttestationClaims, signers: [VerifierKey]) {
        let statement = try SignedStatement(bytes, keys: keys, revokedNonces: revokedNonces)
        let claims = statement.claims
        try checkTime(claims)
        try checkSubject(claims)
        try checkStages(claims.stages)
        if let minimumEffort, claims.effort ?? .quick < minimumEffort { throw .tooLittleEffort(minimumEffort) }
        return (claims, statement.signers)
    }

    private func checkTime(_ claims: AttestationClaims) throws(Refusal) {
        guard claims.issuedAt - Self.clockTolerance <= now else { throw .notYetValid(issuedAt: claims.issuedAt) }
        guard now < claims.expiresAt else { throw .expired(at: claims.expiresAt) }
        let lifetime = claims.expiresAt - claims.issuedAt
        guard lifetime <= maxLifetimeSeconds else { throw .lifetimeTooLong(seconds: lifetime) }
    }

    private func checkSubject(_ claims: AttestationClaims) throws(Refusal) {
        guard claims.artifact == artifact else { throw .otherArtifact(attested: claims.artifact) }
        guard claims.arguments.digest == arguments.digest else { throw .otherArguments }
        let differences = claims.kernel.differences(from: kernel)
        guard differences.isEmpty else { throw .otherKernel(differences) }
        if let holder = claims.holder, holder.userID != userID, !mayUseOthers { throw .otherHolder(holder.name) }
    }

    /// A failed stage counts even where the rules do not demand it.
    private func checkStages(_ stages: [AttestedStage]) throws(Refusal) {
        if let failed = stages.first(where: { $0.verdict == .failed }) { throw .failedStage(failed.name) }
        if let missing = Self.missingStage(requiredStages, in: stages) { throw .missingStage(missing) }
    }

    /// The first of the required ones that was not passed.
    package static func missingStage(_ required: [String], in stages: [AttestedStage]) -> String? {
        required.first { name in
            let names = name.split(separator: "|")
            return !stages.contains { stage in
                stage.verdict == .passed && names.contains { $0.utf8.elementsEqual(stage.name.utf8) }
            }
        }
    }
}
