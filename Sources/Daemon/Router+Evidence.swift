import Access
import Attestation
import Deployment
import Linux
import Logging
import Model
import Repository
import Wire

/// What the daemon itself finds out about entries. It is told to the repository after the fact: where that fails it is in the log,
/// and nothing that a client asked for fails by it.
extension Router {
    private func tell(_ what: String, _ body: (PolicyRepository) async throws(Failure) -> Void) async {
        do throws(Failure) { try await body(try await policies.opened().repository) } catch {
            policies.logger.error("not told to the policy repository: \(what): \(error)")
        }
    }

    // MARK: Verification

    /// A verification that passed speaks for every entry with this very artifact. One for each kernel is enough, and a new one where
    /// those before do not count any more.
    func noteVerified(_ artifact: String, _ envelope: [UInt8], _ rules: AccessRules) async {
        await tell("that \(artifact.prefix(16))… passed") { repository throws(Failure) in
            let entries = try await repository.entries(artifact: artifact)
            guard !entries.isEmpty else { return }
            let statement: SignedStatement
            let check = try await statementCheck(rules)
            do throws(Refusal) { statement = try check.read(envelope) } catch { throw error.asFailure }
            for record in entries {
                let isKnown = try await repository.attestations(of: record.id).contains {
                    $0.isLocal && $0.kernel == statement.claims.kernel.release
                }
                guard record.status == .candidate || !isKnown else { continue }
                try await repository.attest(
                    EntryAttestation(
                        statement, of: record.entry.key, envelope: envelope, digest: ArtifactStore.digest(envelope),
                        isLocal: true), at: Clock.realtime())
            }
        }
    }

    /// Checks that go by the role of who asks: what they refuse is no fault of the code.
    private static let checksOfRoles: Set<String> = ["capabilities"]

    /// Source that was refused for what it does is remembered; the same again is then known before it costs anything. It counts as a
    /// change of who sent it, and is let go where that user has made enough of them.
    func noteRefused(_ wish: VerificationWish, _ verdict: Verdict, _ session: Session) async {
        guard case .code(let name, let code) = wish.source, let text = String(validating: code, as: UTF8.self),
            text.utf8.count <= RepositoryLimits.sourceBytes,
            let (stage, reason) = Self.fault(verdict.stages)
        else { return }
        let settings = wish.parameters.map(\.asSetting)
        let arguments = wish.parameters.asWords
        let antipattern = Antipattern(
            fingerprint: Fingerprint.of(source: text, settings: settings), stage: stage,
            base: String(name.prefix { $0 != "." }.prefix(64)),
            attempt: "\(name) with \(arguments.isEmpty ? "its defaults" : String(arguments.prefix(2000)))",
            reason: reason, kernel: desk.kernel.release, triedBy: session.maker, at: Clock.realtime())
        await tell("that \(name) was refused") { repository throws(Failure) in
            let uid = session.actor.uid
            do throws(Failure) {
                try changes.take(1, by: uid, limit: session.limits.changesPerHour, now: Clock.monotonic())
            } catch { return }
            if try await !repository.remember(antipattern, at: Clock.realtime()).isNew { changes.giveBack(1, to: uid) }
        }
    }

    private static func fault(_ stages: [WireStageResult]) -> (stage: String, reason: String)? {
        guard let stage = stages.first(where: { $0.verdict == "failed" }),
            ["static", "kernel", "dynamic"].contains(stage.stage)
        else { return nil }
        let errors = stage.findings.filter { $0.severity == "error" }
        guard !errors.contains(where: { checksOfRoles.contains($0.check) }) else { return nil }
        let lines = errors.prefix(5).map { "\($0.message) [\($0.check)]" }
        let reason =
            lines.isEmpty ? stage.log.split(separator: "\n").last.map(String.init) ?? "" : lines.joined(separator: "; ")
        guard !reason.isEmpty else { return nil }
        return (stage.stage, reason.escapedForDisplay(limit: 1500))
    }

    // MARK: Deployments

    /// Reads the journal: what failed while the repository was not there to be told. The same twice is one incident.
    func tellWhatFailed(to repository: PolicyRepository) async {
        do throws(Failure) {
            for record in try await journal.recent(limit: 100).reversed() {
                try await report(record, to: repository)
            }
            for entry in try await journal.quarantined() {
                try await report(
                    .quarantined, entry.artifact, deployment: entry.deployment, entry.reason, at: entry.at, repository)
            }
        } catch { policies.logger.error("not told to the policy repository: what failed before: \(error)") }
    }

    /// Until the events end.
    func followFailures() async {
        for await event in service.events.follow(after: 0) {
            guard let record = event.record, event.kind == .ejected || event.kind == .quarantined else { continue }
            await tell("what became of deployment \(record.id)") { repository throws(Failure) in
                if event.kind == .ejected { return try await report(record, to: repository) }
                try await report(
                    .quarantined, record.spec.artifact, deployment: record.id, record.reason, at: event.at, repository)
            }
        }
    }

    /// Only what it was to blame for.
    private func report(_ record: DeploymentRecord, to repository: PolicyRepository) async throws(Failure) {
        guard record.state == .ejected, record.blame == .scheduler else { return }
        try await report(
            .ejected, record.spec.artifact, deployment: record.id, record.reason, at: record.endedAt, repository)
    }

    private func report(
        _ kind: Incident.Kind, _ artifact: String, deployment: Int64, _ reason: String, at now: Int64,
        _ repository: PolicyRepository
    ) async throws(Failure) {
        for entry in try await repository.entries(artifact: artifact) {
            try await repository.report(
                Incident(
                    entry: entry.entry.key, kind: kind, subject: "\(deployment)",
                    reason: reason.escapedForDisplay(limit: 1000), at: now), at: Clock.realtime())
        }
    }

    // MARK: Revocation

    /// Attestations among these that no key vouches for any more count no longer.
    func noteRevoked(
        _ rules: AccessRules, where isMeant: @escaping @Sendable (EntryAttestation) -> Bool
    ) async {
        await tell("what was revoked") { repository throws(Failure) in
            let check = try await statementCheck(rules)
            for attestation in try await repository.attestations(where: isMeant) {
                let refusal: Refusal
                do throws(Refusal) {
                    _ = try check.read(attestation.envelope)
                    continue
                } catch { refusal = error }
                try await repository.report(
                    Incident(
                        entry: attestation.entry, kind: .revoked, subject: attestation.digest,
                        reason: refusal.sentence, at: Clock.realtime()), at: Clock.realtime())
            }
        }
    }
}
