import GuestProtocol
import Linux
import MicroVM
package import Model

/// Tries candidates on one kernel.
package struct Trials: Sendable {
    package let kernel: TrialKernel
    package let options: TrialOptions

    package init(kernel: TrialKernel, options: TrialOptions) {
        self.kernel = kernel
        self.options = options
    }

    /// The kernel stage and, where it passes and `last` asks for it, the dynamic stage; a report of each stage that was
    /// asked for. Never throws: what cannot be done is a report that says so. Ends within the limits of the options, also
    /// when the guest never answers, and soon after the task is cancelled.
    package func run(
        _ candidate: TrialCandidate, effort: Effort, through last: VerificationStage = .dynamic,
        events: @escaping @Sendable (TrialEvent) -> Void = { _ in }
    ) async -> [StageReport] {
        let wanted = [VerificationStage.kernel, .dynamic].filter { $0 <= last }
        guard !wanted.isEmpty else { return [] }
        let machine: TrialMachine
        do throws(Failure) {
            machine = try await self.machine()
        } catch {
            let reports = wanted.map { Verdicts.unable($0, error.description) }
            reports.forEach { events(.finished($0)) }
            return reports
        }
        return await TrialCourse(
            machine: machine, candidate: candidate, effort: effort, withDynamic: wanted.contains(.dynamic),
            events: events
        ).run()
    }

    /// SHA-256, in hexadecimal, of all that the guest runs beside the kernel: what was tried before is to be tried again
    /// when it changes. Reads files, boots nothing.
    package func fingerprint() async throws(Failure) -> String {
        try await GuestSystemImage(options: options, kernel: kernel).digest()
    }

    /// Versions of what trials are done with, by name; what cannot be found out is left out.
    package func versions() async -> [String: String] {
        guard let qemu = try? await emulatorVersion() else { return [:] }
        return ["qemu": qemu.escapedForDisplay(limit: 200)]
    }

    func machine() async throws(Failure) -> TrialMachine {
        guard HostFile.isReadable(kernel.vmlinuz) else {
            throw Failure(.notFound, "the kernel image \(kernel.vmlinuz) cannot be read")
        }
        let image = try GuestSystemImage(options: options, kernel: kernel)
        return TrialMachine(
            kernel: kernel, initramfs: try await image.file(in: CacheFolder(options.cache)), options: options)
    }
}

/// One candidate's way through the machines.
struct TrialCourse: Sendable {
    let machine: TrialMachine
    let candidate: TrialCandidate
    let effort: Effort
    let withDynamic: Bool
    let events: @Sendable (TrialEvent) -> Void

    func run() async -> [StageReport] {
        let limits = machine.options.limits
        let shapes = withDynamic ? TrialShape.all(for: effort) : [TrialShape.twoCPUs]
        let deadline = limits.total.map { ContinuousClock.now + $0 }
        let kernelReport = Kept<StageReport?>(nil)
        var parts: [StageReport] = []
        for (index, shape) in shapes.enumerated() {
            let isFirst = index == 0
            var lifetime = limits.boot + (isFirst ? limits.load : .zero) + .seconds(20)
            if withDynamic { lifetime += limits.dynamic(effort) }
            if let deadline { lifetime = min(lifetime, deadline - .now) }
            guard lifetime > .zero, !Task.isCancelled else {
                parts.append(Verdicts.unable(.dynamic, "the time for the trial was over before \(shape.title)"))
                break
            }
            let run = await machine.run(
                MachineJob(
                    shape: shape, candidate: candidate, effort: effort, withLoad: isFirst, withDynamic: withDynamic,
                    lifetime: lifetime,
                    loaded: { run in tell(run, shape, kernelReport) }, progress: { events(.progress($0)) }))
            if isFirst, kernelReport.value == nil { finish(Verdicts.kernel(run, shape: shape), kernelReport) }
            guard withDynamic, kernelReport.value?.verdict == .passed else { break }
            parts.append(Verdicts.dynamic(run, shape: shape))
            // A refusal is a refusal: the other machines could only add to it.
            if parts.last?.verdict != .passed { break }
        }
        return reports(kernelReport.value, parts)
    }

    /// The kernel stage is over, before the dynamic one begins. True: go on.
    private func tell(_ run: MachineRun, _ shape: TrialShape, _ report: Kept<StageReport?>) -> Bool {
        // A second try at the machine does not change what was said.
        if let known = report.value { return known.verdict == .passed }
        let new = Verdicts.kernel(run, shape: shape)
        finish(new, report)
        return new.verdict == .passed
    }

    private func finish(_ new: StageReport, _ report: Kept<StageReport?>) {
        report.change { $0 = new }
        events(.finished(new))
    }

    private func reports(_ kernel: StageReport?, _ parts: [StageReport]) -> [StageReport] {
        let kernel = kernel ?? Verdicts.unable(.kernel, "the time for the trial was over")
        guard withDynamic else { return [kernel] }
        let dynamic = kernel.verdict == .passed ? Verdicts.merged(parts) : StageReport(.dynamic, .skipped)
        events(.finished(dynamic))
        return [kernel, dynamic]
    }
}
