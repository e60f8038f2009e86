import Access
import Attestation
import Model
import Repository
import Wire

/// What a verifier has found, after it was compared with what was asked. Nothing in it is taken on trust but the verdicts themselves,
/// and those only from whom the rules name.
struct Verdict: Sendable {
    let passed: Bool
    let object: [UInt8]
    /// SHA-256 of `object`; empty where there is none.
    let artifact: String
    let stages: [WireStageResult]
    let attested: [AttestedStage]
    let effort: Effort
    let verifier: VerifierIdentity
    let report: WireVerificationReport
}

/// Compares a report with the job that it answers. Pure.
struct VerdictCheck {
    let submit: WireJobSubmit
    let effort: Effort
    let kernel: KernelIdentity
    let rules: AccessRules
    let now: Int64
    let maxObjectBytes: Int

    /// Throws `.noVerifier` for a report that cannot be true or is for something else, and the verifier's own failure.
    func check(_ answer: VerifierDesk.Answer) throws(Failure) -> Verdict {
        let name = answer.place.name
        func lie(_ why: String) -> Failure { JobTable.none(name, "answers what cannot be accepted: \(why)") }
        let report: WireVerificationReport
        switch answer.finished.outcome {
        case .report(let given): report = given
        case .failure(let failure):
            let given = failure.asFailure
            // A verifier cannot claim that somebody lacks a right here.
            let code: Failure.Code =
                [.invalidArgument, .malformedObject, .kernelUnsupported, .cancelled, .tooMany, .busy]
                    .contains(given.code) ? given.code : .noVerifier
            throw Failure(
                code, "the verifier \(name.quotedForDisplay()): \(given.message.escapedForDisplay(limit: 500))",
                hint: given.hint.escapedForDisplay(limit: 500), detail: String(given.detail.suffix(100_000)))
        case nil: throw lie("neither a report nor a failure")
        }
        guard report.nonce == submit.nonce else { throw lie("it is for another job") }
        guard report.parameters == submit.parameters, report.hints == submit.hints else {
            throw lie("it is for other arguments")
        }
        guard let done = Effort(rawValue: report.effort), done >= effort else {
            throw lie("less was done than was asked for")
        }
        var stages: [WireStageResult] = []
        var reports: [StageReport] = []
        for stage in report.stages {
            let read: StageReport
            do { read = try stage.asReport() } catch { throw lie(error.message) }
            guard reports.last.map({ $0.stage < read.stage }) ?? true else { throw lie("stages are out of order") }
            guard [.skipped, .unable].contains(read.verdict) || stage.evidenceSha256.isDigest else {
                throw lie("the stage \(read.stage.rawValue) has no evidence")
            }
            guard read.verdict != .passed || !read.findings.contains(where: { $0.severity == .error }) else {
                throw lie("the stage \(read.stage.rawValue) passed with an error")
            }
            reports.append(read)
            // As it was read, not as it came: bounded and in known words.
            stages.append(WireStageResult(read, evidence: stage.evidenceSha256.isDigest ? stage.evidenceSha256 : ""))
        }
        let attested = zip(reports, stages).map { read, wire in
            AttestedStage(
                name: read.stage.rawValue, verdict: .init(read.verdict),
                evidence: wire.evidenceSha256.isEmpty ? ArtifactStore.digest([]) : wire.evidenceSha256)
        }
        let isClean = reports.allSatisfy { $0.verdict == .passed || $0.verdict == .skipped }
        let needed = ownStages
        let passed = isClean && AttestationCheck.missingStage(needed, in: attested) == nil
        let object = try object(report, lie)
        let artifact = object.isEmpty ? "" : ArtifactStore.digest(object)
        guard report.artifactSha256 == artifact else { throw lie("the object is not the one that it says it is") }
        var identity = VerifierIdentity(
            id: name,
            version: answer.greeting.version.escapedForDisplay(limit: 60).isEmpty
                ? "unknown" : answer.greeting.version.escapedForDisplay(limit: 60))
        if passed {
            guard !object.isEmpty else { throw lie("it passed, and there is no object") }
            try checkKernel(report.kernel, name)
            if let key = answer.place.publicKey {
                let verifier = try VerifierKey(name: name, publicKey: key)
                try checkStatement(report, verifier, artifact: artifact, attested: attested, lie)
                identity.keyID = verifier.keyID
            }
        }
        return Verdict(
            passed: passed, object: object, artifact: artifact, stages: stages, attested: attested, effort: done,
            verifier: identity, report: report)
    }

    /// The stages that the verifier itself has to have passed: what the rules demand, and the compiler where it was source.
    private var ownStages: [String] {
        let known = Set(VerificationStage.allCases.map(\.rawValue))
        var needed = rules.requiredStages.filter { name in
            name.split(separator: "|").allSatisfy { known.contains(String($0)) }
        }
        if case .code = submit.candidate { needed.append(VerificationStage.compile.rawValue) }
        return needed
    }

    private func object(_ report: WireVerificationReport, _ lie: (String) -> Failure) throws(Failure) -> [UInt8] {
        guard report.object.count <= maxObjectBytes else {
            throw lie("an object of \(report.object.count) bytes")
        }
        if case .object(let sent) = submit.candidate {
            guard report.object.isEmpty || report.object == sent.code else { throw lie("another object than was sent") }
            return [UInt8](sent.code)
        }
        return [UInt8](report.object)
    }

    private func checkKernel(_ given: WireKernelIdentity, _ name: String) throws(Failure) {
        let theirs = KernelIdentity(release: given.release, buildID: given.buildID, btfDigest: given.btfSha256)
        let differences = theirs.differences(from: kernel)
        guard differences.isEmpty else {
            let words = differences.map(\.rawValue).joined(separator: ", ")
            throw Failure(
                .kernelUnsupported,
                "the verifier \(name.quotedForDisplay()) verified for another kernel (\(given.release.escapedForDisplay(limit: 64))) than the running \(kernel.release): \(words)",
                hint: "give it the image of this kernel: schedcp-verify serve --kernel /boot/vmlinuz-\(kernel.release)")
        }
    }

    /// A verifier of another machine has signed exactly this.
    private func checkStatement(
        _ report: WireVerificationReport, _ key: VerifierKey, artifact: String, attested: [AttestedStage],
        _ lie: (String) -> Failure
    ) throws(Failure) {
        let claims: AttestationClaims
        do throws(Refusal) {
            let envelope = try Envelope.parse([UInt8](report.statement))
            let isSigned = envelope.signatures.contains {
                ($0.keyID.isEmpty || $0.keyID == key.keyID) && key.isValid($0.bytes, of: envelope.signedBytes)
            }
            guard isSigned else { throw Refusal.badSignature }
            claims = try envelope.unverifiedClaims()
        } catch { throw lie("its statement: \(error.sentence)") }
        let arguments = try AttestedArguments(
            parameters: submit.parameters.map(\.asSetting),
            hints: try submit.hints.map { hint throws(Failure) in try hint.asHint() })
        guard claims.nonce == submit.nonce, claims.artifact == artifact, claims.arguments.digest == arguments.digest,
            claims.kernel.differences(from: kernel).isEmpty, claims.stages == attested,
            claims.effort?.rawValue == report.effort, claims.rulesDigest == submit.rulesSha256
        else { throw lie("its signed statement says something else") }
    }
}

extension AttestedStage.Verdict {
    init(_ verdict: StageReport.Verdict) {
        self =
            switch verdict {
            case .passed: .passed
            case .failed: .failed
            case .skipped, .unable: .skipped
            }
    }
}

extension String {
    /// 64 digits 0-9 a-f.
    var isDigest: Bool {
        utf8.count == 64 && utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}
