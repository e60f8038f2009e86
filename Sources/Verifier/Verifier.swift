// Verifier: takes a candidate through the stages compile, static, kernel and dynamic, keeps what each one left as
// evidence, and answers the same question from it the next time. It runs inside schedcp-verify and schedctl, as their
// user and without privilege; it writes to its evidence folder and the cache only, and starts clang and QEMU.

import Linux
package import Model

/// The pipeline. Several runs at a time are fine.
package struct Verifier: Sendable {
    /// Named in evidence and attestations. A different version does not answer from the evidence of another.
    package static let version = "0.1.0"

    package let configuration: VerifierConfiguration
    let parts: StageParts
    let store: EvidenceStore?

    package init(configuration: VerifierConfiguration = VerifierConfiguration()) {
        self.init(configuration: configuration, parts: .real(configuration))
    }

    init(configuration: VerifierConfiguration, parts: StageParts) {
        self.configuration = configuration
        self.parts = parts
        store = configuration.evidenceFolder.flatMap { try? EvidenceFolder($0) }.map {
            EvidenceStore(folder: $0, maxBytes: configuration.limits.maxEvidenceBytes)
        }
    }

    /// Takes one candidate through the stages up to the last one asked for. A candidate that is refused, and a stage that
    /// could not be done, are reports. Events come in order, from one task at a time.
    ///
    /// Throws `.invalidArgument` for a request that makes no sense, `.kernelUnsupported` where the kernel that it requires
    /// is not the one that there is, `.cancelled` when its task is cancelled, and `.timedOut` where its time is over.
    package func run(
        _ request: VerificationRequest, events: @escaping @Sendable (VerificationEvent) -> Void = { _ in }
    ) async throws(Failure) -> VerificationReport {
        try request.check(configuration.limits)
        guard let seconds = request.seconds else { return try await runWithoutLimit(request, events) }
        return try await TimeLimit.run(seconds: seconds) { () async throws(Failure) in
            try await runWithoutLimit(request, events)
        }
    }

    private func runWithoutLimit(
        _ request: VerificationRequest, _ events: @escaping @Sendable (VerificationEvent) -> Void
    ) async throws(Failure) -> VerificationReport {
        let kernel: TargetKernel
        let toolchain: [String: String]
        do throws(Failure) {
            kernel = try await parts.kernel(request.kernel)
            toolchain = try await parts.toolchain(request, kernel)
        } catch {
            if error.code == .cancelled || error.code == .invalidArgument { throw error }
            return unable(request, because: error, events)
        }
        let identity = kernel.verified
        try request.requireKernel(identity)
        let include = IncludeDigest.of(request.includeFolders)
        let record = RequestRecord(request, kernel: identity, includeDigest: include ?? "", toolchain: toolchain)
        // What lies in the folders is too much to be compared: every time anew.
        let key = include == nil ? nil : try record.key()
        if request.mayUseEvidence, let key, let answer = store?.answer(to: key) {
            for stage in answer.stages {
                for finding in stage.findings { events(.finding(finding)) }
                events(.finished(stage, evidence: answer.evidence[stage.stage.rawValue] ?? ""))
            }
            return answer
        }
        let before = ResourceUse.cpuNanoseconds()
        var pipeline = try Pipeline(
            request: request, kernel: kernel, record: record, parts: parts, limits: configuration.limits, events: events
        )
        try await pipeline.run()
        return await keep(pipeline, key: key, cpu: ResourceUse.cpuNanoseconds() - before)
    }

    /// Writes the run's evidence and gives the report its id. Verdicts hold without evidence.
    private func keep(_ pipeline: Pipeline, key: String?, cpu: UInt64) async -> VerificationReport {
        var report = pipeline.report
        report.cpuNanoseconds = Int64(clamping: cpu)
        guard let store else { return report }
        do throws(Failure) {
            let text = report.asText
            var short = report
            for index in short.stages.indices { short.stages[index].log = "" }
            let run = RunRecord(
                request: EvidenceFolder.digest(try CanonicalJSON.encode(pipeline.record)), report: short, text: text,
                blobs: pipeline.blobs.mapValues(\.count))
            let bytes = try CanonicalJSON.encode(run)
            report.id = EvidenceFolder.digest(bytes)
            // Whatever the machine could not do this time it may be able to do the next time.
            let isAnswer = report.verdict != .unable
            try await store.keep(bytes, id: report.id, blobs: pipeline.blobs, key: isAnswer ? key : nil)
        } catch {
            report.id = ""
            report.versions["evidence"] = "not kept: \(error.message)"
        }
        return report
    }

    /// The answer where not even the kernel or the compiler was found.
    private func unable(
        _ request: VerificationRequest, because failure: Failure, _ events: @Sendable (VerificationEvent) -> Void
    ) -> VerificationReport {
        var report = VerificationReport(name: request.candidate.name, effort: request.effort)
        report.versions = ["schedcp": Self.version]
        var first = VerificationStage.static
        if case .source = request.candidate { first = .compile }
        for stage in Pipeline.stages {
            var stage = StageReport(stage, stage == first ? .unable : .skipped)
            if stage.stage == first {
                stage.log = [failure.message, failure.hint, failure.detail].filter { !$0.isEmpty }.joined(
                    separator: "\n")
            }
            report.stages.append(stage)
            events(.finished(stage, evidence: ""))
        }
        return report
    }
}
