import BPFObject
import Kernel
import Linux
import Liveness
import Model
import Trials

extension StageParts {
    /// The stages as they are.
    static func real(_ configuration: VerifierConfiguration) -> StageParts {
        let tools = Tools(configuration)
        let analysis = StaticStage(limits: configuration.limits, kernels: KernelTypes())
        return StageParts(
            kernel: { choice throws(Failure) in try await tools.kernel(choice) },
            toolchain: { request, kernel throws(Failure) in try await tools.versions(request, kernel) },
            compile: { await tools.compile($0, $1) },
            analyse: { await analysis.run($0, $1, $2) },
            try: { tools.tryOut($0, $1, $2) })
    }
}

/// The compiler and the micro-VM of this machine, found when they are first needed.
private actor Tools {
    private let configuration: VerifierConfiguration
    private var compiler: CompileStage?
    /// SHA-256 of this program, in which the checks are: another build may judge otherwise.
    private lazy var program = (try? TextFile.readBytes("/proc/self/exe", limit: 1 << 30)).map(EvidenceFolder.digest)

    init(_ configuration: VerifierConfiguration) { self.configuration = configuration }

    func kernel(_ choice: VerificationRequest.KernelChoice) async throws(Failure) -> TargetKernel {
        try await KernelFinder(cache: configuration.cacheFolder).find(choice)
    }

    func versions(
        _ request: VerificationRequest, _ kernel: TargetKernel
    ) async throws(Failure) -> [String: String] {
        var result = ["schedcp": Verifier.version]
        result["program"] = program
        if case .source = request.candidate {
            let compiler = try await locateCompiler()
            result.merge(compiler.versions) { $1 }
            result["compiler"] = compiler.fingerprint
        }
        if request.lastStage >= .kernel, let trials = trials(on: kernel) {
            // Where it cannot be made, the stage says so itself.
            result["guest"] = try? await trials.fingerprint()
            result.merge(await trials.versions()) { $1 }
            result["libbpf"] = LibBPFVersion.text
        }
        return result
    }

    private func locateCompiler() async throws(Failure) -> CompileStage {
        if let compiler { return compiler }
        let new = try await CompileStage.locate(limits: configuration.limits)
        compiler = new
        return new
    }

    func compile(_ request: VerificationRequest, _ kernel: TargetKernel) async -> StageParts.Compiled {
        let compiler: CompileStage
        do { compiler = try await locateCompiler() } catch {
            return .init(report: StageReport(.compile, .unable, log: error.description))
        }
        let result = await compiler.run(
            source: request.candidate.bytes, name: request.candidate.name, includeFolders: request.includeFolders,
            kernel: kernel)
        return .init(report: result.report, object: result.object)
    }

    nonisolated func tryOut(
        _ object: [UInt8], _ request: VerificationRequest, _ kernel: TargetKernel
    ) -> AsyncStream<StageParts.TrialStep> {
        var candidate = TrialCandidate(object: object)
        candidate.parameters = request.parameters
        candidate.hints = request.hints
        candidate.hintMaps = request.hintMaps
        candidate.promises = request.promises
        candidate.tolerated = request.rules.toleratedChecks
        let trials = trials(on: kernel)
        let (given, effort, last) = (candidate, request.effort, request.lastStage)
        return AsyncStream { steps in
            let trial = Task {
                _ = await trials?.run(given, effort: effort, through: last) { event in
                    switch event {
                    case .progress(let words): steps.yield(.progress(words))
                    case .finished(let report): steps.yield(.finished(report))
                    }
                }
                steps.finish()
            }
            steps.onTermination = { _ in trial.cancel() }
        }
    }

    private nonisolated func trials(on kernel: TargetKernel) -> Trials? {
        guard let image = kernel.image else { return nil }
        let modules = "/lib/modules/\(kernel.release)"
        var options = TrialOptions(cache: configuration.cacheFolder)
        options.limits.total = configuration.limits.trialSeconds.map { .seconds($0) }
        return Trials(
            kernel: TrialKernel(
                vmlinuz: image, modules: HostFile.exists("\(modules)/modules.dep") ? modules : nil),
            options: options)
    }
}
