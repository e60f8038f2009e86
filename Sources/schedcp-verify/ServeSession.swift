import Attestation
import Linux
import Logging
import Model
import Synchronization
import Wire

/// One client, or all that comes over one stream. A hello begins anew: the jobs before it belong to a client that is gone.
final class ServeSession: Sendable {
    private static let maxJobs = 64

    private let descriptor: SharedDescriptor
    private let isStuffed: Bool
    private let host: JobHost
    private let logger: Logger
    private let output: FrameOutput
    private let jobs = Mutex<[UInt64: Task<Void, Never>]>([:])

    init(_ descriptor: SharedDescriptor, isStuffed: Bool, _ host: JobHost, _ logger: Logger) {
        self.descriptor = descriptor
        self.isStuffed = isStuffed
        self.host = host
        self.logger = logger
        output = FrameOutput(descriptor, isStuffed: isStuffed) { StreamDevice.end(descriptor.raw) }
    }

    /// Until the stream ends, or what comes is no message where that cannot be mended.
    func run() async {
        var isGreeted = false
        do {
            for try await piece in FrameInput.pieces(of: descriptor, isStuffed: isStuffed) {
                switch piece {
                case .reset:
                    cancelAll()
                    isGreeted = false
                case .frame(let payload):
                    do throws(Failure) { try take(payload, &isGreeted) } catch {
                        logger.warning("\(error)")
                        var response = WireVerifierResponse()
                        response.failure = WireFailure(error)
                        output.send(response)
                        guard isStuffed else { throw error }
                        // The next hello makes it good.
                        cancelAll()
                        isGreeted = false
                    }
                }
            }
        } catch { logger.notice("a session ended: \(error)") }
        cancelAll()
        await output.drain()
        StreamDevice.end(descriptor.raw)
    }

    private func take(_ payload: [UInt8], _ isGreeted: inout Bool) throws(Failure) {
        switch try Frame.decode(WireVerifierRequest.self, from: payload).message {
        case .hello(let hello):
            cancelAll()
            var response = WireVerifierResponse()
            response.greeting = try Greeting.make(hello, key: host.key)
            output.reset()
            output.send(response)
            isGreeted = true
        case .submit(let submit):
            guard isGreeted else { throw Failure(.outOfPhase, "a job came before hello") }
            try begin(submit)
        case .cancel(let cancel): jobs.withLock { $0[cancel.job] }?.cancel()
        case nil: throw Failure(.unknownOperation, "this verifier does not know that message")
        }
    }

    private func cancelAll() {
        let all = jobs.withLock { jobs in
            defer { jobs = [:] }
            return Array(jobs.values)
        }
        all.forEach { $0.cancel() }
    }

    private func begin(_ submit: WireJobSubmit) throws(Failure) {
        let id = submit.job
        guard id != 0 else { throw Failure(.malformed, "a job needs a number other than 0") }
        let (output, host, session) = (output, host, self)
        let isNew = jobs.withLock { jobs in
            guard jobs[id] == nil else { return false }
            guard jobs.count < Self.maxJobs else {
                Self.refuse(id, Failure(.tooMany, "\(Self.maxJobs) jobs are here already"), output)
                return true
            }
            jobs[id] = Task {
                let life = SignOfLife(id, output)
                let finished = await host.work(submit) { progress in
                    var response = WireVerifierResponse()
                    response.event.job = id
                    response.event.progress = progress
                    output.send(response)
                }
                life.end()
                let isOurs = session.jobs.withLock { $0.removeValue(forKey: id) } != nil
                guard isOurs else { return }
                var response = WireVerifierResponse()
                response.finished = finished
                output.send(response)
            }
            return true
        }
        guard isNew else { throw Failure(.malformed, "the job \(id) is in progress") }
    }

    private static func refuse(_ id: UInt64, _ failure: Failure, _ output: FrameOutput) {
        var response = WireVerifierResponse()
        response.finished.job = id
        response.finished.failure = WireFailure(failure)
        output.send(response)
    }
}
