import ArgumentParser
import Linux
import Logging
import Model
import Verifier
import Wire

/// One job, on standard input and output. It ends with the job, when it is cancelled, and when its input ends.
struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Do one job that comes on standard input, as systemd and `serve` start it.",
        shouldDisplay: false)
    @OptionGroup var options: VerifyOptions

    /// Private memory of this process and of each that it starts; files.
    static let memoryBytes: UInt64 = 6 << 30
    static let fileBytes: UInt64 = 1 << 30

    func run() async throws {
        ThisProcess.ignore(.pipe)
        let logger = options.logger()
        do { try ResourceUse.bound(fileBytes: Self.fileBytes, memoryBytes: Self.memoryBytes) } catch {
            logger.critical("\(error)")
            throw ExitCode(71)
        }
        // Descriptors 0 and 1 are one socket under systemd, and two pipes under `serve`.
        let input = SharedDescriptor(try Descriptor.duplicating(0))
        let output = FrameOutput(SharedDescriptor(try Descriptor.duplicating(1)), isStuffed: false) {
            // Whoever wanted the verdict is gone.
            ThisProcess.exit(0)
        }
        do throws(Failure) {
            try await serve(input, output)
            await output.drain()
            // What still runs for the job is ended with this process.
            ThisProcess.exit(0)
        } catch {
            logger.error("\(error)")
            var response = WireVerifierResponse()
            response.failure = WireFailure(error)
            output.send(response)
            await output.drain()
            ThisProcess.exit(1)
        }
    }

    private func serve(_ input: SharedDescriptor, _ output: FrameOutput) async throws(Failure) {
        let jobRun = JobRun(verifier: options.verifier, kernels: options.kernel)
        var running: Task<Void, Never>?
        do {
            for try await piece in FrameInput.pieces(of: input, isStuffed: false) {
                guard case .frame(let payload) = piece else { continue }
                switch try Frame.decode(WireVerifierRequest.self, from: payload).message {
                case .hello(let hello):
                    var response = WireVerifierResponse()
                    response.greeting = try Greeting.make(hello, key: nil)
                    output.send(response)
                case .submit(let submit):
                    guard running == nil else { throw Failure(.outOfPhase, "a second job on this connection") }
                    guard submit.job != 0 else { throw Failure(.malformed, "a job needs a number other than 0") }
                    running = Task { await Self.work(jobRun, submit, output) }
                case .cancel: running?.cancel()
                case nil: throw Failure(.unknownOperation, "this verifier does not know that message")
                }
            }
        } catch let failure as Failure { throw failure } catch {
            throw Failure(.truncated, "the job cannot be read: \(error)")
        }
        // The input has ended: nobody waits for a verdict any more. What the job has in temporary folders it takes away itself,
        // where it still can.
        guard let running else { return }
        running.cancel()
        Task {
            try? await Task.sleep(for: .seconds(5))
            ThisProcess.exit(0)
        }
        await running.value
    }

    private static func work(_ run: JobRun, _ submit: WireJobSubmit, _ output: FrameOutput) async {
        let life = SignOfLife(submit.job, output)
        let finished = await run.run(submit) { progress in
            var response = WireVerifierResponse()
            response.event.job = submit.job
            response.event.progress = progress
            output.send(response)
        }
        life.end()
        var response = WireVerifierResponse()
        response.finished = finished
        output.send(response)
        await output.drain()
        ThisProcess.exit(0)
    }
}

/// Says that a job is still being worked on.
struct SignOfLife: Sendable {
    private let task: Task<Void, Never>

    init(_ job: UInt64, _ output: FrameOutput) {
        task = Task {
            var response = WireVerifierResponse()
            response.event.job = job
            while !Task.isCancelled {
                output.send(response)
                try? await Task.sleep(for: .seconds(VerifierFrame.signOfLifeSeconds / 2))
            }
        }
    }

    func end() { task.cancel() }
}
