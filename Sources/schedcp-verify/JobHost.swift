import Attestation
import Foundation
import Linux
import Logging
import Model
import Verifier
import Wire

/// Does jobs in processes of their own, so many at a time, and signs what passed.
struct JobHost: Sendable {
    let key: SigningKey
    /// Of the program itself, for one job.
    private let arguments: [String]
    private let queue: JobQueue
    private let logger: Logger
    /// Whatever a client asks for.
    private static let mostSeconds = 7200

    init(key: SigningKey, arguments: [String], jobs: Int, logger: Logger) {
        self.key = key
        self.arguments = arguments
        self.logger = logger
        var limits = JobQueue.Limits()
        limits.running = jobs
        queue = JobQueue(limits: limits)
    }

    func work(
        _ submit: WireJobSubmit, event: @escaping @Sendable (WireVerifyProgress) -> Void
    ) async -> WireJobFinished {
        let who = "\(submit.user.escapedForDisplay(limit: 64)) (uid \(submit.uid))"
        var finished = WireJobFinished()
        do throws(Failure) {
            finished = try await queue.run(
                user: submit.uid,
                waiting: { ahead in
                    var progress = WireVerifyProgress()
                    progress.queued = UInt32(clamping: ahead)
                    event(progress)
                },
                { () async throws(Failure) in
                    logger.info("job \(submit.job) of \(who) begins")
                    return try await child(submit, event)
                })
            if case .report(let report) = finished.outcome { finished.report = try sign(report, submit) }
        } catch { finished.failure = WireFailure(error) }
        finished.job = submit.job
        if case .failure(let failure) = finished.outcome {
            logger.notice("job \(submit.job) of \(who) ended without a verdict: \(failure.message.escapedForDisplay())")
        } else {
            logger.info("job \(submit.job) of \(who) ended")
        }
        return finished
    }

    // MARK: The process

    private func child(
        _ submit: WireJobSubmit, _ event: @escaping @Sendable (WireVerifyProgress) -> Void
    ) async throws(Failure) -> WireJobFinished {
        let seconds = min(max(1, Int(submit.seconds)), Self.mostSeconds)
        guard let own = HostFile.target(ofLink: "/proc/self/exe"), let timeout = HostFile.program("timeout") else {
            throw Failure(.internal, "the verifier's own program, or timeout(1), cannot be found")
        }
        let process = Process()
        process.executableURL = URL(filePath: timeout)
        // timeout(1) ends the whole process group, clang and QEMU with it, when the time is over or it is told to.
        process.arguments = ["--kill-after=5", "\(seconds)", own] + arguments
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        // Whatever a job leaves behind, however it ends, is in a folder of its own.
        let folder: String
        do throws(SystemError) { folder = try HostFile.privateFolder("schedcp-job") } catch {
            throw error.asFailure(.storage)
        }
        defer {
            // Once also what had to be killed is gone.
            Task.detached {
                try? await Task.sleep(for: .seconds(6))
                try? FileManager.default.removeItem(atPath: folder)
            }
        }
        process.environment = ProcessInfo.processInfo.environment.merging(["TMPDIR": folder]) { $1 }
        do { try process.run() } catch { throw Failure(.internal, "a job's process cannot be started: \(error)") }
        defer {
            if process.isRunning { process.terminate() }
        }
        let terminator = Terminator(process)
        let outcome: Result<WireJobFinished, Failure> = await withTaskCancellationHandler {
            do throws(Failure) {
                return .success(try await talk(submit, input, output, event))
            } catch { return .failure(error) }
        } onCancel: {
            terminator.terminate()
        }
        if Task.isCancelled { throw Failure(.cancelled, "the verification was cancelled") }
        return try outcome.get()
    }

    /// `Process` is told from another thread that its job is cancelled.
    private final class Terminator: Sendable {
        private let pid: Int32
        init(_ process: Process) { pid = process.processIdentifier }
        func terminate() { ChildSignal.terminate(pid) }
    }

    private func talk(
        _ submit: WireJobSubmit, _ input: Pipe, _ output: Pipe,
        _ event: @escaping @Sendable (WireVerifyProgress) -> Void
    ) async throws(Failure) -> WireJobFinished {
        let (reading, writing): (SharedDescriptor, SharedDescriptor)
        do throws(SystemError) {
            reading = SharedDescriptor(try Descriptor.duplicating(output.fileHandleForReading.fileDescriptor))
            writing = SharedDescriptor(try Descriptor.duplicating(input.fileHandleForWriting.fileDescriptor))
        } catch { throw error.asFailure(.internal) }
        let frames = FrameOutput(writing, isStuffed: false) {}
        var request = WireVerifierRequest()
        request.submit = submit
        frames.send(request)
        do {
            for try await piece in FrameInput.pieces(of: reading, isStuffed: false) {
                guard case .frame(let payload) = piece else { continue }
                try MessageCount.check(payload)
                switch try Frame.decode(WireVerifierResponse.self, from: payload).message {
                case .event(let given): if given.hasProgress { event(given.progress) }
                case .finished(let finished): return finished
                case .failure(let failure): throw failure.asFailure
                case .greeting, nil: break
                }
            }
        } catch let failure as Failure { throw failure } catch {
            throw Failure(.internal, "the job's process cannot be read: \(error)")
        }
        throw Failure(
            .internal, "the job's process ended without a verdict: it crashed, took too long, or was cancelled")
    }

    // MARK: Signing

    /// Signs what passed, about the object as it is here and not as the job's process says.
    private func sign(
        _ report: WireVerificationReport, _ submit: WireJobSubmit
    ) throws(Failure) -> WireVerificationReport {
        var stages: [AttestedStage] = []
        for stage in report.stages {
            let read = try stage.asReport()
            // What did not pass needs no signature: nothing is deployed with it.
            guard [.passed, .skipped].contains(read.verdict) else { return report }
            stages.append(
                AttestedStage(
                    name: read.stage.rawValue, verdict: read.verdict == .passed ? .passed : .skipped,
                    evidence: stage.evidenceSha256.isEmpty ? ArtifactDigest.of([]) : stage.evidenceSha256))
        }
        let object: [UInt8]
        if case .object(let sent) = submit.candidate {
            object = [UInt8](sent.code)
        } else {
            object = [UInt8](report.object)
        }
        guard ArtifactDigest.of(object) == report.artifactSha256 else {
            throw Failure(.internal, "the job's process reports another object than it gave")
        }
        let now = Clock.realtime() / 1_000_000_000
        let claims = AttestationClaims(
            artifactName: submit.code.name.isEmpty ? submit.object.name : submit.code.name,
            artifact: report.artifactSha256, stages: stages,
            arguments: try AttestedArguments(
                parameters: submit.parameters.map(\.asSetting),
                hints: try submit.hints.map { hint throws(Failure) in try hint.asHint() }),
            kernel: KernelIdentity(
                release: report.kernel.release, buildID: report.kernel.buildID, btfDigest: report.kernel.btfSha256),
            rulesDigest: submit.rulesSha256,
            verifier: VerifierIdentity(id: "schedcp-verify", version: Verifier.version, keyID: key.keyID),
            effort: Effort(rawValue: report.effort), issuedAt: now, expiresAt: now + 3600, nonce: submit.nonce)
        var signed = report
        signed.statement = Data(try Envelope.sign(claims, with: key))
        return signed
    }
}
