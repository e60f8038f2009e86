package import Access
package import Attestation
package import Audit
package import Deployment
package import Kernel
import Linux
package import Logging
package import Model
package import NIOCore
package import Repository
import Wire

/// The services of a daemon without its socket: for tests and measurements, which then decide who asks and what the kernel
/// says. Everything else is what `Daemon` runs.
package struct Services: Sendable {
    private let parts: Parts
    private let logger: Logger

    package init(_ configuration: DaemonConfiguration, schedExt: SchedExt, logger: Logger) throws(Failure) {
        parts = try Parts(configuration, logger: logger, stops: NoStops(), schedExt: schedExt)
        self.logger = logger
    }

    package var service: DeploymentService { parts.service }
    /// The running kernel, as attestations name it.
    package var kernel: KernelIdentity { parts.router.desk.kernel }
    package var audit: AuditLog { parts.audit }
    package var journal: SQLiteJournal { parts.router.journal }

    /// What serves one client, on a channel that is no socket.
    package func handler(for actor: Actor) throws(Failure) -> any ChannelHandler {
        let boundary = parts.router.boundary
        let session = boundary.session(of: actor)
        let account = try boundary.enter(session)
        return ConnectionHandler(session, account: account, router: parts.router, logger: logger)
    }

    /// Closes the policy repository, so that its files can be used by others.
    package func close() async { await parts.router.policies.close() }

    package func leave(_ actor: Actor) { parts.router.boundary.admission.leave(actor, rate: nil) }

    /// An attestation as the daemon issues it for an entry of the repository, without the kernel's verifier being asked.
    package func attest(
        _ name: String, settings: [Setting] = [], holder: Actor?, change: (inout AttestationClaims) -> Void = { _ in },
        with key: SigningKey? = nil
    ) throws(Failure) -> [UInt8] {
        let router = parts.router
        let (policy, object) = try router.entry(name)
        let now = Clock.realtime() / 1_000_000_000
        var claims = AttestationClaims(
            artifactName: policy.name.text, artifact: ArtifactStore.digest(object),
            stages: ["origin", "static", "kernel", "dynamic"].map {
                AttestedStage(name: $0, verdict: .passed, evidence: ArtifactStore.digest([]))
            },
            arguments: try AttestedArguments(parameters: settings), kernel: router.desk.kernel,
            rulesDigest: router.boundary.rules.digest,
            verifier: VerifierIdentity(id: "schedcpd", version: DaemonConfiguration.version), effort: .full,
            holder: holder.map { AttestationHolder(userID: $0.uid, name: $0.user) }, issuedAt: now,
            expiresAt: now + 3600)
        change(&claims)
        return try Envelope.sign(claims, with: key ?? router.desk.keys.current.signingKey)
    }

    /// A rollback as a client asks for it, with all that the audit writes; that there is nothing to roll back is fine.
    package func rollbackAsAsked(by actor: Actor) async throws(Failure) {
        var request = WireRequest()
        request.id = 2
        request.rollback = WireRollbackRequest()
        let session = parts.router.boundary.session(of: actor)
        let permit = try parts.router.boundary.permit(session, .rollback, in: .serving, request)
        do throws(Failure) {
            _ = try await parts.router.answer(request, permit, for: session, UserAccount()) { _ in }
        } catch {
            if error.code != .nothingDeployed { throw error }
        }
    }

    /// What the audit writes for one privileged operation: a record before and one after, both synced.
    package func auditTwice(_ actor: Actor) throws(Failure) {
        let entry = AuditEntry(.operation, "bench", actor: AuditActor(actor), decision: .allowed, rule: "bench")
        for _ in 0..<2 { _ = try parts.audit.append(entry, durable: true) }
    }

    /// The cost of the boundary alone: the questions that every request is asked, and its trace in the audit.
    package func pass(_ actor: Actor, _ operation: Operation, times: Int) throws(Failure) {
        let boundary = parts.router.boundary
        var session = boundary.session(of: actor)
        let request = WireRequest()
        for _ in 0..<times {
            boundary.refresh(&session)
            _ = try boundary.permit(session, operation, in: .serving, request)
        }
    }
}
