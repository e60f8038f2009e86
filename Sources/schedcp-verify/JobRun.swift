import FoundationEssentials
import Linux
import Logging
import Model
import Verifier
import Wire

/// One job: the message becomes a request of the Verifier, and its events and report messages.
struct JobRun: Sendable {
    let verifier: Verifier
    /// Images that may be chosen by what the job wants.
    let kernels: [String]

    /// Runs the job to its end. Never throws: what goes wrong is the last word.
    func run(_ submit: WireJobSubmit, event: @escaping @Sendable (WireVerifyProgress) -> Void) async -> WireJobFinished
    {
        var finished = WireJobFinished()
        finished.job = submit.job
        do throws(Failure) {
            let request = try await request(submit)
            let report = try await verifier.run(request) { given in
                if let progress = Self.progress(given) { event(progress) }
            }
            finished.report = try Self.report(report, submit)
        } catch { finished.failure = WireFailure(error, detailLimit: 1 << 20) }
        finished.cpuNanoseconds = ResourceUse.cpuNanoseconds()
        return finished
    }

    // MARK: What is asked

    private func request(_ submit: WireJobSubmit) async throws(Failure) -> VerificationRequest {
        var request: VerificationRequest
        switch submit.candidate {
        case .code(let file):
            request = VerificationRequest(.source(name: try Self.name(file), bytes: [UInt8](file.code)))
        case .object(let file):
            request = VerificationRequest(.object(name: try Self.name(file), bytes: [UInt8](file.code)))
        case nil: throw Failure(.invalidArgument, "the job has neither source nor object")
        }
        guard let effort = Effort(rawValue: submit.effort) else {
            throw Failure(.invalidArgument, "there is no effort \(submit.effort.quotedForDisplay())")
        }
        request.effort = effort
        request.parameters = submit.parameters.map(\.asSetting)
        for hint in submit.hints { request.hints.append(try hint.asHint()) }
        for check in submit.checks {
            switch check.value {
            case "off": request.rules.checksOff.insert(check.name)
            case "warning": request.rules.severities[check.name] = .warning
            case "error": request.rules.severities[check.name] = .error
            default: throw Failure(.invalidArgument, "a check cannot be \(check.value.quotedForDisplay())")
            }
        }
        let may = submit.capabilities
        request.rules.capabilities.kernelFunctions = .init(
            permitted: may.kernelFunctions, denied: may.deniedKernelFunctions)
        request.rules.capabilities.helpers = .init(permitted: may.helpers, denied: may.deniedHelpers)
        request.rules.capabilities.mapTypes = .init(permitted: may.mapTypes, denied: may.deniedMapTypes)
        request.rules.capabilities.mayReadUserMemory = may.userMemory
        request.kernel = try choose(submit.kernel)
        return request
    }

    /// Names go into diagnostics and evidence only, but nothing odd should.
    private static func name(_ file: WireSourceFile) throws(Failure) -> String {
        let isPlain = file.name.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                || [45, 46, 95].contains(byte)
        }
        guard isPlain, (1...128).contains(file.name.utf8.count), !file.name.hasPrefix("."), !file.name.hasPrefix("-")
        else { throw Failure(.invalidArgument, "\(file.name.quotedForDisplay()) is not the name of a candidate") }
        return file.name
    }

    /// The image of the kernel that is asked for: this host's own where it is the same release, else one that was named.
    private func choose(_ wanted: WireKernelIdentity) throws(Failure) -> VerificationRequest.KernelChoice {
        let isPlain = wanted.release.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                || [43, 45, 46, 95, 126].contains(byte)
        }
        guard isPlain, (1...64).contains(wanted.release.utf8.count) else {
            throw Failure(.invalidArgument, "\(wanted.release.quotedForDisplay()) is not a kernel's release")
        }
        if let named = kernels.first(where: { $0.hasSuffix("vmlinuz-" + wanted.release) }) ?? kernels.first {
            return .image(named)
        }
        let own = "/boot/vmlinuz-" + wanted.release
        return HostFile.isReadable(own) ? .image(own) : .automatic
    }

    // MARK: What is answered

    private static func progress(_ event: VerificationEvent) -> WireVerifyProgress? {
        var progress = WireVerifyProgress()
        switch event {
        case .started(let stage): progress.stage = stage.rawValue
        case .progress: return nil
        case .finding(let finding): progress.finding = WireFinding(finding)
        case .finished(let report, let evidence):
            // Findings, checks and log come with the report.
            progress.finished = WireStageResult(
                StageReport(report.stage, report.verdict, nanoseconds: report.nanoseconds), evidence: evidence)
        }
        return progress
    }

    private static func report(
        _ report: VerificationReport, _ submit: WireJobSubmit
    ) throws(Failure) -> WireVerificationReport {
        var wire = WireVerificationReport()
        wire.artifactSha256 = report.artifact
        if case .code = submit.candidate { wire.object = .init(report.object) }
        if let kernel = report.kernel {
            let isWanted =
                kernel.release == submit.kernel.release && kernel.buildID == submit.kernel.buildID
                && kernel.btfDigest == submit.kernel.btfSha256
            // A refusal by the source alone is good for any kernel.
            guard isWanted || report.verdict == .refused else {
                throw Failure(
                    .kernelUnsupported,
                    "the kernel asked for is \(submit.kernel.release) (build \(submit.kernel.buildID.prefix(12))), the one that could be had \(kernel.release) (build \(kernel.buildID.prefix(12)))",
                    hint: "give the verifier its image: /boot/vmlinuz-\(submit.kernel.release), or --kernel")
            }
            wire.kernel.release = kernel.release
            wire.kernel.buildID = kernel.buildID
            wire.kernel.btfSha256 = kernel.btfDigest
        }
        wire.stages = report.stages.map { WireStageResult($0, evidence: report.evidence[$0.stage.rawValue] ?? "") }
        wire.effort = report.effort.rawValue
        wire.parameters = submit.parameters
        wire.hints = submit.hints
        wire.fromEvidence = report.isFromEvidence
        wire.versions = report.versions.sorted { $0.key < $1.key }.map {
            WireSetting(Setting(name: $0.key, value: $0.value))
        }
        wire.nonce = submit.nonce
        return wire
    }
}
