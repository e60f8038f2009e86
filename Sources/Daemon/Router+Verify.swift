import Access
import Attestation
import Deployment
import Linux
import Model
import Repository
import Wire

/// What is to be verified, from `attest` or `verify`.
struct VerificationWish {
    var source: Candidate.Source?
    var parameters: [WireSetting]
    var hints: [WireHint]
    /// Nil: what the role has to have.
    var effort: Effort?
    var forAnybody: Bool
    var reason: String

    init(_ request: WireAttestRequest) {
        source = request.source.map(Candidate.Source.init)
        (parameters, hints) = (request.parameters, request.hints)
        effort = nil
        (forAnybody, reason) = (request.forAnybody, request.reason)
    }

    init(_ request: WireVerifyRequest) throws(Failure) {
        source = request.source.map(Candidate.Source.init)
        (parameters, hints) = (request.parameters, request.hints)
        effort = Effort(rawValue: request.effort)
        (forAnybody, reason) = (request.forAnybody, request.reason)
        guard effort != nil || request.effort.isEmpty else {
            throw Failure(
                .invalidArgument, "there is no effort \(request.effort.quotedForDisplay())", hint: "quick or full")
        }
    }
}

extension WireCapabilities {
    init(_ limits: RoleLimits) {
        self.init()
        (kernelFunctions, deniedKernelFunctions) = (limits.kernelFunctions.permitted, limits.kernelFunctions.denied)
        (helpers, deniedHelpers) = (limits.helpers.permitted, limits.helpers.denied)
        (mapTypes, deniedMapTypes) = (limits.mapTypes.permitted, limits.mapTypes.denied)
        userMemory = limits.userMemory
    }
}

extension Router {
    /// Has a candidate verified, checks what came back, keeps the object and signs the attestation where it passed.
    func verify(
        _ wish: VerificationWish, _ session: Session, _ account: UserAccount, _ cancellation: Cancellation,
        _ progress: @escaping @Sendable (RequestProgress) -> Void
    ) async throws(Failure) -> WireVerifyReply {
        try await checkBudget(session)
        guard account.enter(.verification, limit: session.limits.verifications) else {
            throw Failure(
                .tooMany, "\(account.taken(.verification)) verifications of this user are in progress already",
                hint: "wait for them")
        }
        defer { account.leave(.verification) }
        let start = Clock.monotonic()
        // Also what is refused leaves two records in the audit.
        var used: Int64 = 0
        do throws(Failure) {
            var wish = wish
            wish.source = try await found(wish.source)
            let job = try await job(wish, session)
            // Until the verifier has said what it took, the clock counts.
            let answer: VerifierDesk.Answer
            do throws(Failure) {
                answer = try await verifiers.ask(
                    job.submit, effort: job.effort, rules: session.rules.rules, cancellation: cancellation
                ) { what in progress(.verification(what)) }
            } catch {
                used = error.code == .noVerifier || error.code == .busy ? 0 : Clock.monotonic() - start
                throw error
            }
            used = Int64(clamping: answer.finished.cpuNanoseconds)
            let reply = try await conclude(job, answer, wish, session)
            try await charge(session, nanoseconds: used)
            return reply
        } catch {
            try? await charge(session, nanoseconds: used)
            throw error
        }
    }

    /// A job with what is needed to judge its outcome.
    struct Job {
        var submit: WireJobSubmit
        let effort: Effort
        let origin: AttestationDesk.Finding?
        /// As it is to be deployed; without an object where that is still to be compiled.
        let request: DeploymentRequest
        /// What it is called in the attestation.
        let name: String
    }

    private func job(_ wish: VerificationWish, _ session: Session) async throws(Failure) -> Job {
        let request = try candidate(wish.source, wish.parameters, wish.hints, takeover: false, session)
        for hint in request.hints where hint.kind == .cgroup { _ = try Cgroup.id(path: hint.key) }
        let effort = wish.effort ?? session.limits.effort
        var submit = WireJobSubmit()
        submit.uid = session.actor.uid
        submit.user = session.actor.user
        submit.effort = effort.rawValue
        submit.kernel.release = desk.kernel.release
        submit.kernel.buildID = desk.kernel.buildID
        submit.kernel.btfSha256 = desk.kernel.btfDigest
        submit.rulesSha256 = session.rules.digest
        submit.nonce = AttestationClaims.newNonce()
        submit.seconds = UInt32(clamping: configuration.verifier.seconds(effort))
        submit.checks = session.rules.rules.checks.map {
            WireSetting(Setting(name: $0.name, value: $0.level.rawValue))
        }
        submit.capabilities = WireCapabilities(session.limits)
        submit.hints = request.hints.map(WireHint.init)
        submit.hintMaps = request.hintMaps.map { WireSetting(Setting(name: $0.key.rawValue, value: $0.value)) }
            .sorted { $0.name < $1.name }
        submit.parameters = request.settings.map(WireSetting.init)
        var name = request.scheduler
        var file = WireSourceFile()
        if case .code(let given, let code) = wish.source {
            (file.name, file.code, name) = (given, .init(code), given)
            submit.code = file
        } else {
            (file.name, file.code) = (request.scheduler + ".bpf.o", .init(request.object))
            submit.object = file
        }
        return Job(
            submit: submit, effort: effort, origin: try await origin(wish, session), request: request, name: name)
    }

    private func conclude(
        _ job: Job, _ answer: VerifierDesk.Answer, _ wish: VerificationWish, _ session: Session
    ) async throws(Failure) -> WireVerifyReply {
        let check = VerdictCheck(
            submit: job.submit, effort: job.effort, kernel: desk.kernel, rules: session.rules.rules,
            now: Clock.realtime() / 1_000_000_000, maxObjectBytes: configuration.limits.objectBytes)
        let verdict = try check.check(answer)
        var reply = WireVerifyReply()
        reply.passed = verdict.passed
        reply.artifactSha256 = verdict.artifact
        reply.kernel = verdict.report.kernel
        reply.effort = verdict.effort.rawValue
        reply.verifier = answer.place.name
        reply.fromEvidence = verdict.report.fromEvidence
        reply.versions = verdict.report.versions.prefix(64).map { setting in
            WireSetting(
                Setting(
                    name: setting.name.escapedForDisplay(limit: 64), value: setting.value.escapedForDisplay(limit: 200))
            )
        }
        if let origin = job.origin {
            var stage = WireStageResult()
            stage.stage = origin.stage
            stage.verdict = origin.verdict.rawValue
            stage.evidenceSha256 = ArtifactStore.digest(Array(origin.evidence.utf8))
            stage.log = origin.evidence
            reply.stages.append(stage)
        }
        reply.stages += verdict.stages
        guard verdict.passed else {
            await noteRefused(wish, verdict, session)
            return reply
        }
        var request = job.request
        request.object = verdict.object
        // What the role may use is judged on the loaded programs, where this kernel can load them: at the latest when it is
        // deployed.
        if HostProbe.missingForDeployment().isEmpty { _ = try await service.rehearse(request) { _ in } }
        _ = try verified.put(verdict.object)
        let holder = wish.forAnybody ? nil : AttestationHolder(userID: session.actor.uid, name: session.actor.user)
        reply.envelope = .init(
            try await desk.issue(
                job, verdict, holder: holder, rules: session.rules.rules, rulesDigest: session.rules.digest))
        await noteVerified(verdict.artifact, [UInt8](reply.envelope), session.rules.rules)
        return reply
    }

    // MARK: Attest

    /// The same for those who only want the attestation: a candidate that is refused is a failure.
    func attest(
        _ attest: WireAttestRequest, _ session: Session, _ account: UserAccount, _ cancellation: Cancellation,
        _ progress: @escaping @Sendable (RequestProgress) -> Void
    ) async throws(Failure) -> WireAttestReply {
        let reply = try await verify(VerificationWish(attest), session, account, cancellation) { what in
            guard case .verification(let verification) = what, case .stage(let stage) = verification.what else {
                return
            }
            progress(.step("verifying: \(stage.escapedForDisplay(limit: 40))"))
        }
        guard reply.passed else { throw Self.refusal(reply) }
        var answer = WireAttestReply()
        answer.envelope = reply.envelope
        answer.stages = reply.stages.map { stage in
            var wire = WireStageVerdict()
            wire.stage = stage.stage
            wire.verdict = stage.verdict
            if stage.stage == "origin" { wire.evidence = stage.log }
            wire.evidenceSha256 = stage.evidenceSha256
            return wire
        }
        return answer
    }

    /// Why a candidate was refused, for who has no place for findings.
    static func refusal(_ reply: WireVerifyReply) -> Failure {
        let bad = reply.stages.first { $0.verdict == "failed" } ?? reply.stages.first { $0.verdict == "unable" }
        let errors = reply.stages.flatMap(\.findings).filter { $0.severity == "error" }
        let lines = errors.prefix(100).map { finding in
            let place = finding.hasPlace ? "\(finding.place.file):\(finding.place.line): " : ""
            return "\(place)\(finding.severity): \(finding.message) [\(finding.check)]".escapedForDisplay(limit: 600)
        }
        let first = lines.first ?? bad?.log.split(separator: "\n").last.map { String($0).escapedForDisplay(limit: 300) }
        let isUnable = bad?.verdict == "unable"
        return Failure(
            isUnable ? .noVerifier : .verifierRefused,
            "the stage \(bad?.stage ?? "(none)") \(isUnable ? "could not be done" : "refused it"): \(first ?? "it did not pass all the stages that the rules demand")",
            hint: errors.first?.remedy.escapedForDisplay(limit: 500) ?? "",
            detail: lines.joined(separator: "\n"))
    }
}
