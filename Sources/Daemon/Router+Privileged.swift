import Access
import Attestation
import Audit
import Deployment
import Kernel
import Linux
import Model
import Repository
import Wire

/// What changes something. Each is written to the audit before it is begun and when it has ended, before its answer.
extension Router {
    func audited(
        _ request: WireRequest, _ permit: Permit, _ session: Session,
        _ body: () async throws(Failure) -> WireResponse.OneOf_Result
    ) async throws(Failure) -> WireResponse.OneOf_Result {
        let audit = boundary.audit
        var entry = AuditEntry(
            .operation, permit.operation.rawValue, actor: session.who, subject: subject(of: request),
            decision: .allowed, rule: permit.rule, detail: request.auditDetail)
        do throws(Failure) { entry.ref = try audit.append(entry, durable: true).seq } catch {
            // A rollback is what puts things right, and is not refused because a disk is full.
            guard permit.operation == .rollback else {
                throw Failure(
                    .storage,
                    "the audit cannot be written, and nothing privileged is done without it: \(error.message)",
                    hint: error.hint)
            }
        }
        entry.kind = .outcome
        do throws(Failure) {
            let result = try await body()
            entry.outcome = .ok
            entry.detail = result.auditDetail
            try? finish(entry)
            return result
        } catch {
            entry.outcome = AuditOutcome(error)
            entry.detail = [:]
            try? finish(entry)
            throw error
        }
    }

    /// The operation has happened: where its outcome cannot be written now, the ledger tells the audit later.
    private func finish(_ entry: AuditEntry) throws(Failure) { _ = try boundary.audit.append(entry, durable: true) }

    private func subject(of request: WireRequest) -> String {
        if case .deploy(let deploy) = request.operation, case .object(let bytes) = deploy.source {
            return ArtifactStore.digest([UInt8](bytes))
        }
        if case .attest(let attest) = request.operation, case .object(let bytes) = attest.source {
            return ArtifactStore.digest([UInt8](bytes))
        }
        if case .verify(let verify) = request.operation, case .object(let bytes) = verify.source {
            return ArtifactStore.digest([UInt8](bytes))
        }
        return request.subject
    }

    func privileged(
        _ request: WireRequest, _ session: Session, _ account: UserAccount, _ cancellation: Cancellation,
        progress: @escaping @Sendable (RequestProgress) -> Void
    ) async throws(Failure) -> WireResponse.OneOf_Result {
        switch request.operation {
        case .deploy(let deploy): return try await self.deploy(deploy, session) { progress(.step($0)) }
        case .rollback:
            return .deployment(WireDeployment(try await service.rollback(by: session.actor), withDump: true))
        case .tune(let tune): return .tuning(try await self.tune(tune, session))
        case .attest(let attest):
            return .attestation(try await self.attest(attest, session, account, cancellation, progress))
        case .verify(let verify):
            return .verified(
                try await self.verify(try VerificationWish(verify), session, account, cancellation, progress))
        case .quarantineRelease(let release): return .quarantine(try await self.release(release))
        case .rulesReload: return .rules(try await reloadRules())
        case .keyRotate(let rotate): return .keys(try await self.rotate(rotate, session))
        case .keyRevoke(let revoke):
            let now = try await desk.now()
            _ = try desk.keys.change { ring throws(Failure) in
                try ring.revoke(revoke.keyID, reason: revoke.reason, now: now)
            }
            try desk.publish()
            await noteRevoked(session.rules.rules) { $0.keyID.contains(revoke.keyID) }
            return .keys(try await keys(session))
        case .attestRevoke(let revoke):
            try await self.revoke(revoke)
            await noteRevoked(session.rules.rules) { attestation in
                let claims = try? Envelope.parse(attestation.envelope).unverifiedClaims()
                return claims?.nonce == revoke.nonce
            }
            return .done(WireDone())
        case .entryImport(let request): return .changed(try await importEntry(request, session))
        case .outcome(let outcome): return .changed(try await record(outcome, session))
        case .antipattern(let report): return .changed(try await remember(report, session))
        default: throw Failure(.unknownOperation, "this daemon does not know that operation")
        }
    }

    // MARK: Deploying

    private func deploy(
        _ deploy: WireDeployRequest, _ session: Session, _ progress: @escaping @Sendable (String) -> Void
    ) async throws(Failure) -> WireResponse.OneOf_Result {
        try await checkBudget(session)
        var meter = Meter()
        do throws(Failure) {
            var wanted = try candidate(
                try await found(deploy.source.map(Candidate.Source.init)), deploy.parameters, deploy.hints,
                takeover: deploy.takeover,
                session)
            wanted.authority = try await authority(deploy, wanted, session)
            if case .attested = wanted.authority, case .artifactSha256 = deploy.source {
                // What was verified is called what it was called then.
                let claims = try? Envelope.parse([UInt8](deploy.attestation)).unverifiedClaims()
                wanted.scheduler = claims?.artifactName.escapedForDisplay(limit: 64) ?? wanted.scheduler
            }
            meter = wanted.meter
            let record = try await service.deploy(wanted, progress: progress)
            try? await charge(session, nanoseconds: meter.nanoseconds)
            return .deployment(WireDeployment(record, withDump: false))
        } catch {
            try? await charge(session, nanoseconds: meter.nanoseconds)
            throw error
        }
    }

    private func authority(
        _ deploy: WireDeployRequest, _ wanted: DeploymentRequest, _ session: Session
    ) async throws(Failure) -> Authority {
        if deploy.unverified {
            guard session.rules.rules.unverifiedAllowed else {
                throw Failure(
                    .denied, "the access rules forbid every deployment without an attestation",
                    hint: "have it verified: schedctl attest issue")
            }
            let reason = deploy.reason.trimmed
            guard !reason.isEmpty, reason.utf8.count <= 500 else {
                throw Failure(
                    .invalidArgument, "a deployment without an attestation needs a reason, of at most 500 bytes")
            }
            return .unverified(reason: reason.escapedForDisplay())
        }
        guard !deploy.attestation.isEmpty else {
            throw Failure(
                .denied, "no-attestation: nothing is deployed without one",
                hint: "ask for one with `verify` or `attest`, as `schedctl deploy` does by itself")
        }
        return try await desk.check(
            [UInt8](deploy.attestation), artifact: ArtifactStore.digest(wanted.object), settings: wanted.settings,
            hints: wanted.hints, session: session)
    }

    // MARK: Keys, quarantine, rules

    private func rotate(_ request: WireKeyRotateRequest, _ session: Session) async throws(Failure) -> WireKeyList {
        let overlap =
            request.overlapSeconds == 0
            ? session.rules.rules.attestationLifetimeSeconds : Int64(request.overlapSeconds)
        let now = try await desk.now()
        // What the audit has so far is signed by the key that it was written under.
        try boundary.audit.checkpoint()
        try desk.keys.change { ring throws(Failure) in try ring.rotate(now: now, overlapSeconds: overlap) }
        try desk.publish()
        return try await keys(session)
    }

    private func revoke(_ request: WireAttestRevokeRequest) async throws(Failure) {
        guard Hex.isHex(request.nonce, digits: 32) else {
            throw Failure(.invalidArgument, "\(request.nonce.quotedForDisplay()) is not an attestation's nonce")
        }
        guard !request.reason.isEmpty, request.reason.utf8.count <= 500 else {
            throw Failure(.invalidArgument, "a revocation needs a reason, of at most 500 bytes")
        }
        try await journal.revoke(
            nonce: request.nonce, reason: request.reason.escapedForDisplay(), at: Clock.realtime())
    }

    private func release(_ request: WireReleaseRequest) async throws(Failure) -> WireQuarantineList {
        let start = request.artifactSha256
        guard (8...64).contains(start.utf8.count), Hex.isHex(start, digits: start.utf8.count) else {
            throw Failure(
                .invalidArgument, "\(start.quotedForDisplay()) is not the beginning of a digest",
                hint: "give 8 digits or more")
        }
        let found = try await service.quarantined().filter { $0.artifact.hasPrefix(start) }
        guard let only = found.first, found.count == 1 else {
            throw Failure(
                .notFound, "\(found.count) artifacts in quarantine begin with \(start)",
                hint: "see `schedctl quarantine list`")
        }
        try await service.release(artifact: only.artifact)
        return WireQuarantineList([only])
    }

    private func reloadRules() async throws(Failure) -> WireRulesReloadReply {
        var reply = WireRulesReloadReply()
        reply.warnings = try await reload()
        reply.rulesSha256 = boundary.rules.digest
        return reply
    }
}
