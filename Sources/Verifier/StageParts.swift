import Model

/// What the stages are done with. A value of closures, so that the pipeline can be tested without a compiler or a kernel.
struct StageParts: Sendable {
    struct Compiled: Sendable {
        var report: StageReport
        /// Nil unless the stage passed.
        var object: [UInt8]?
    }

    /// What comes of the kernel and dynamic stages, which share one boot.
    enum TrialStep: Sendable {
        /// On what is being done, for people.
        case progress(String)
        /// The kernel stage first, then the dynamic one where it was asked for.
        case finished(StageReport)
    }

    var kernel: @Sendable (VerificationRequest.KernelChoice) async throws(Failure) -> TargetKernel
    /// What decides an answer beside the request, by name: versions and digests. Asked before any stage.
    var toolchain: @Sendable (VerificationRequest, TargetKernel) async throws(Failure) -> [String: String]
    var compile: @Sendable (VerificationRequest, TargetKernel) async -> Compiled
    var analyse: @Sendable (_ object: [UInt8], VerificationRequest, TargetKernel) async -> StageReport
    /// Up to the last stage that the request asks for. The trial ends when nobody listens any more.
    var `try`: @Sendable (_ object: [UInt8], VerificationRequest, TargetKernel) -> AsyncStream<TrialStep>
}
