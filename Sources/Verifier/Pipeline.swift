import Linux
import Model

/// One run: the stages in their order, what each said, and the blobs to keep.
struct Pipeline {
    /// In order. The place of simulate is between static and kernel.
    static let stages = VerificationStage.allCases.filter { $0 != .simulate }

    let request: VerificationRequest
    let kernel: TargetKernel
    let record: RequestRecord
    let parts: StageParts
    let limits: VerificationLimits
    let events: @Sendable (VerificationEvent) -> Void

    private(set) var report: VerificationReport
    /// By digest.
    private(set) var blobs: [String: [UInt8]] = [:]
    private let requestDigest: String

    init(
        request: VerificationRequest, kernel: TargetKernel, record: RequestRecord, parts: StageParts,
        limits: VerificationLimits, events: @escaping @Sendable (VerificationEvent) -> Void
    ) throws(Failure) {
        self.request = request
        self.kernel = kernel
        self.record = record
        self.parts = parts
        self.limits = limits
        self.events = events
        report = VerificationReport(name: request.candidate.name, effort: request.effort)
        report.kernel = record.kernel
        report.versions = record.toolchain
        let bytes = try CanonicalJSON.encode(record)
        requestDigest = EvidenceFolder.digest(bytes)
        blobs[requestDigest] = bytes
        blobs[record.candidate] = request.candidate.bytes
        if record.isSource { report.source = record.candidate } else { hold(object: request.candidate.bytes) }
    }

    /// Whether a stage has to be done: it was asked for, and all before it passed.
    private func isDue(_ stage: VerificationStage) -> Bool {
        stage <= request.lastStage && !report.stages.contains { $0.verdict == .failed || $0.verdict == .unable }
    }

    mutating func run() async throws(Failure) {
        try await compile()
        try await analyse()
        try await tryOut()
    }

    private mutating func compile() async throws(Failure) {
        guard record.isSource, isDue(.compile) else { return try finish(StageReport(.compile, .skipped)) }
        events(.started(.compile))
        let start = Clock.monotonic()
        var compiled = await parts.compile(request, kernel)
        if let object = compiled.object, object.count > limits.maxObjectBytes {
            let message = "the object has \(object.count) bytes, more than \(limits.maxObjectBytes)"
            compiled.report.verdict = .failed
            compiled.report.findings.append(Finding(stage: .compile, check: "object", message: message))
        } else if compiled.report.verdict == .passed, let object = compiled.object {
            hold(object: object)
        }
        try finish(compiled.report, since: start)
    }

    private mutating func analyse() async throws(Failure) {
        guard isDue(.static) else { return try finish(StageReport(.static, .skipped)) }
        events(.started(.static))
        let start = Clock.monotonic()
        try finish(await parts.analyse(report.object, request, kernel), since: start)
    }

    /// The kernel and dynamic stages, in one boot; each is told when it is over.
    private mutating func tryOut() async throws(Failure) {
        var left = [VerificationStage.kernel, .dynamic]
        if isDue(.kernel) {
            events(.started(.kernel))
            var start = Clock.monotonic()
            if kernel.image == nil {
                let log = "only the kernel's types are known, not its image: there is nothing to boot\n"
                try finish(StageReport(left.removeFirst(), .unable, log: log))
            } else {
                for await step in parts.try(report.object, request, kernel) {
                    switch step {
                    case .progress(let words): left.first.map { events(.progress($0, words)) }
                    case .finished(let stage):
                        guard stage.stage == left.first else { continue }
                        left.removeFirst()
                        try finish(stage, since: start)
                        start = Clock.monotonic()
                        if left.first.map(isDue) == true { events(.started(.dynamic)) }
                    }
                }
            }
        }
        for stage in left {
            let isMissing = isDue(stage)
            let log = isMissing ? "the micro-VM ended before this stage was over\n" : ""
            try finish(StageReport(stage, isMissing ? .unable : .skipped, log: log))
        }
    }

    private mutating func hold(object: [UInt8]) {
        report.object = object
        report.artifact = EvidenceFolder.digest(object)
        blobs[report.artifact] = object
    }

    /// Takes a stage's report into the run's: by the rules, within the limits, with its bundle.
    private mutating func finish(_ given: StageReport, since start: Int64? = nil) throws(Failure) {
        if Task.isCancelled { throw Failure(.cancelled, "the verification was cancelled") }
        var stage = request.rules.applied(to: given)
        if let start { stage.nanoseconds = Clock.monotonic() - start }
        stage.log = Self.bounded(stage.log, limits.maxLogBytes)
        stage.findings = stage.findings.map(Self.withPlainNames)
        if stage.findings.count > limits.maxFindings {
            stage.log += "\(stage.findings.count - limits.maxFindings) more findings were left out\n"
            stage.findings = Array(stage.findings.prefix(limits.maxFindings))
        }
        let log = Array(stage.log.utf8)
        var short = stage
        short.log = ""
        let isCompile = stage.stage == .compile
        let bundle = StageBundle(
            request: requestDigest, input: isCompile ? record.candidate : report.artifact,
            output: isCompile ? report.artifact : "", report: short, log: EvidenceFolder.digest(log),
            versions: report.versions)
        let bytes = try CanonicalJSON.encode(bundle)
        let digest = EvidenceFolder.digest(bytes)
        blobs[bundle.log] = log
        blobs[digest] = bytes
        report.stages.append(stage)
        report.evidence[stage.stage.rawValue] = digest
        for finding in stage.findings { events(.finding(finding)) }
        events(.finished(stage, evidence: digest))
    }

    /// The compiler is told `./x.bpf.c` for `x.bpf.c`, and its debug information says so.
    private static func withPlainNames(_ finding: Finding) -> Finding {
        func plain(_ location: SourceLocation) -> SourceLocation {
            var location = location
            while location.file.hasPrefix("./") { location.file.removeFirst(2) }
            return location
        }
        var finding = finding
        finding.location = finding.location.map(plain)
        for index in finding.path.indices { finding.path[index].location = plain(finding.path[index].location) }
        return finding
    }

    /// The text, or its beginning and its end where it is too long.
    static func bounded(_ text: String, _ limit: Int) -> String {
        let bytes = text.utf8
        guard bytes.count > limit else { return text }
        let half = limit / 2
        return String(decoding: bytes.prefix(half), as: UTF8.self)
            + "\n… \(bytes.count - 2 * half) bytes are left out …\n"
            + String(decoding: bytes.suffix(half), as: UTF8.self)
    }
}

extension VerificationRules {
    /// The compiler's, the loader's and the kernel's own refusals cannot be switched off.
    static let fixed: Set<String> = [
        "compile", "compile-include", "compile-limits", "object", "parameter", "verifier",
    ]

    /// A stage's report with the checks switched off left out and the severities changed, and the verdict that follows.
    func applied(to given: StageReport) -> StageReport {
        var given = given
        if given.verdict == .unable {
            // What the machine could not do is not held against the candidate.
            for index in given.findings.indices where given.findings[index].severity == .error {
                given.findings[index].severity = .warning
            }
            return given
        }
        guard given.verdict != .skipped else { return given }
        let isOff = { (check: String) in checksOff.contains(check) && !Self.fixed.contains(check) }
        var report = given
        report.findings = given.findings.filter { !isOff($0.check) }
        for index in report.findings.indices {
            let check = report.findings[index].check
            guard !Self.fixed.contains(check), let severity = severities[check] else { continue }
            report.findings[index].severity = severity
        }
        for index in report.checks.indices where isOff(report.checks[index].check) {
            report.checks[index].verdict = .off
            report.checks[index].reason = "switched off by the rules"
        }
        guard report.findings != given.findings else { return report }
        // A stage that failed for what no finding of it says stays failed.
        let saidWhy = given.findings.contains { $0.severity == .error }
        if report.findings.contains(where: { $0.severity == .error }) {
            report.verdict = .failed
        } else if saidWhy {
            report.verdict = .passed
        }
        return report
    }
}
