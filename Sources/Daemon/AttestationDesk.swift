import Access
import Attestation
import Deployment
import Kernel
import Linux
import Model
import Repository

/// Issues attestations for what this daemon has tried itself, and checks those that are brought to it.
final class AttestationDesk: Sendable {
    let keys: KeyringFile
    private let journal: SQLiteJournal
    /// Where every public key that ever signed here is kept: the audit's older checkpoints are checked with them.
    private let publicKeys: String
    /// The running kernel. It does not change under a running process.
    let kernel: KernelIdentity

    init(keys: KeyringFile, journal: SQLiteJournal, publicKeys: String) throws(Failure) {
        self.keys = keys
        self.journal = journal
        self.publicKeys = publicKeys
        kernel = Self.runningKernel()
        try publish()
    }

    /// Writes the current public key beside those before it.
    func publish() throws(Failure) {
        let key = keys.current.signingKey
        let verifier = try VerifierKey(name: "this machine", publicKey: key.publicKey)
        let path = "\(publicKeys)/\(key.keyID).pem"
        let pem = Array(verifier.pem.utf8)
        // A start that finds it there writes nothing: the disk may be full.
        if (try? DurableFile.read(path, limit: 4096)) == pem { return }
        do {
            try Folder.make(publicKeys, mode: 0o755)
            try DurableFile.write(path, pem, mode: 0o644)
        } catch { throw error.asFailure(.storage, hint: "is the disk full or read-only?") }
    }

    private static func runningKernel() -> KernelIdentity {
        let notes = (try? TextFile.readBytes("/sys/kernel/notes", limit: KernelIdentity.maxNotesBytes)) ?? []
        // A kernel without BTF runs no scheduler either; an attestation for it names the digest of nothing.
        let types = (try? TextFile.readBytes("/sys/kernel/btf/vmlinux", limit: 64 << 20)) ?? []
        return KernelIdentity(
            release: KernelConfig.release, buildID: KernelIdentity.buildID(notes: notes) ?? "",
            btfDigest: ArtifactStore.digest(types))
    }

    /// Seconds since the epoch; never earlier than what was seen before, also over restarts.
    func now() async throws(Failure) -> Int64 {
        try await journal.notEarlier(than: Clock.realtime()) / 1_000_000_000
    }

    /// The same for who only looks: nothing is written for it.
    func timeToShow() async throws(Failure) -> Int64 {
        try await journal.latest(Clock.realtime()) / 1_000_000_000
    }

    /// The verifiers on other machines that the rules trust.
    func trusted(_ rules: AccessRules) -> [VerifierKey] {
        rules.trusted.compactMap { try? VerifierKey(name: $0.name, publicKey: $0.publicKey, notAfter: $0.until) }
    }

    private func verifierKeys(_ rules: AccessRules, now: Int64) -> [VerifierKey] {
        keys.current.verifierKeys(now: now, trusted: trusted(rules))
    }

    // MARK: Checking

    /// - Returns: the authority for a deployment of these bytes with these arguments by this actor, not spent yet.
    func check(
        _ envelope: [UInt8], artifact: String, settings: [Setting], hints: [Hint], session: Session
    ) async throws(Failure) -> Authority {
        let (rules, actor) = (session.rules.rules, session.actor)
        let now = try await now()
        let check = AttestationCheck(
            artifact: artifact, arguments: try AttestedArguments(parameters: settings, hints: hints), kernel: kernel,
            now: now, keys: verifierKeys(rules, now: now), revokedNonces: try await journal.revokedNonces(),
            requiredStages: rules.requiredStages, minimumEffort: session.limits.effort,
            maxLifetimeSeconds: rules.attestationLifetimeSeconds,
            userID: actor.uid, mayUseOthers: rules.has(actor, .manage))
        do throws(Refusal) {
            let (claims, signers) = try check.verifyWithSigners(envelope)
            return .attested(
                nonce: claims.nonce, expiresAt: claims.expiresAt, digest: ArtifactStore.digest(envelope),
                keyID: signers.map(\.keyID).joined(separator: " "))
        } catch { throw error.asFailure }
    }

    /// Why a deployment that was attested once must not come back now: its key or itself was revoked since.
    func objection(to spec: DeploymentSpec) async -> Failure? {
        do throws(Failure) {
            var authority = spec.authority
            // What was put back before goes by what it was put back from.
            for _ in 0..<64 {
                guard case .restored(let id) = authority, let earlier = try await journal.record(id) else { break }
                authority = earlier.spec.authority
            }
            guard case .attested(let nonce, _, _, let keyIDs) = authority else { return nil }
            let signers = Set(keyIDs.split(separator: " ").map(String.init))
            let revoked = Set(keys.current.revoked.map(\.keyID))
            let isRevoked = try await journal.revokedNonces().contains(nonce)
            // One good signature is enough, as it was at first.
            let isGood = !isRevoked && (signers.isEmpty || !signers.isSubset(of: revoked))
            return isGood ? nil : Failure(.denied, "its attestation was revoked since")
        } catch { return error }
    }

    // MARK: Issuing

    /// What is known of an artifact when it is attested.
    struct Finding {
        let stage: String
        let verdict: AttestedStage.Verdict
        let evidence: String
    }

    func issue(
        _ job: Router.Job, _ verdict: Verdict, holder: AttestationHolder?, rules: AccessRules, rulesDigest: String
    ) async throws(Failure) -> [UInt8] {
        let now = try await now()
        let origin = job.origin.map {
            AttestedStage(
                name: $0.stage, verdict: $0.verdict, evidence: ArtifactStore.digest(Array($0.evidence.utf8)))
        }
        let claims = AttestationClaims(
            artifactName: job.name, artifact: verdict.artifact, stages: (origin.map { [$0] } ?? []) + verdict.attested,
            arguments: try AttestedArguments(parameters: job.request.settings, hints: job.request.hints),
            kernel: kernel, rulesDigest: rulesDigest, verifier: verdict.verifier, effort: verdict.effort,
            holder: holder, issuedAt: now, expiresAt: now + rules.attestationLifetimeSeconds)
        return try Envelope.sign(claims, with: keys.current.signingKey)
    }
}
