import Access
import Linux
import Model
import NIOCore
import NIOPosix
import Wire

/// What a verifier may take of this daemon's time and memory.
package struct VerifierLimits: Hashable, Sendable {
    package var helloSeconds = 10
    /// Without a word on a job.
    package var silenceMilliseconds = 60_000
    package var quickSeconds = 900
    package var fullSeconds = 3600
    /// Events of one job, and their bytes.
    package var events = 20_000
    package var eventBytes = 32 << 20
    /// Jobs in progress, of all users.
    package var jobs = 16

    package init() {}

    func seconds(_ effort: Effort) -> Int { effort == .quick ? quickSeconds : fullSeconds }
}

/// One session with a verifier: a greeting, then jobs. Its bytes are read on a thread of its own, away from the clients'.
final class VerifierSession: Sendable {
    let place: VerifierPlace
    let greeting: WireVerifierGreeting
    private let channel: any Channel
    private let table: JobTable

    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    private init(_ place: VerifierPlace, _ channel: any Channel, _ table: JobTable, _ greeting: WireVerifierGreeting) {
        self.place = place
        self.channel = channel
        self.table = table
        self.greeting = greeting
    }

    var isOpen: Bool { channel.isActive && !table.isEnded }

    /// Connects and greets. Throws `.noVerifier`.
    static func open(_ place: VerifierPlace, _ limits: VerifierLimits) async throws(Failure) -> VerifierSession {
        let table = JobTable(place.name, limits, session: newSession())
        let isStuffed = place.kind == .stream
        let channel: any Channel
        do { channel = try await connect(place, table, isStuffed) } catch {
            throw JobTable.none(place.name, "cannot be reached at \(place.path): \(Self.words(error))")
        }
        do throws(Failure) {
            var hello = WireVerifierRequest()
            hello.hello.protocolMin = ProtocolVersion.oldest
            hello.hello.protocolMax = ProtocolVersion.newest
            hello.hello.client = "schedcpd \(DaemonConfiguration.version)"
            hello.hello.session = table.session
            let bytes = try VerifierFrame.bytes(of: hello)
            channel.writeAndFlush(
                ByteBuffer(bytes: isStuffed ? Stuffing.reset + Stuffing.encode(bytes) : bytes), promise: nil)
            let tooLate = channel.eventLoop.scheduleTask(in: .seconds(Int64(limits.helloSeconds))) {
                table.endAll(JobTable.none(place.name, "does not answer"))
            }
            let greeted = await withCheckedContinuation { continuation in
                table.onGreeting { continuation.resume(returning: $0) }
            }
            tooLate.cancel()
            let greeting = try greeted.get()
            return VerifierSession(place, channel, table, greeting)
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    private static func words(_ error: any Error) -> String {
        (error as? SystemError).map { "\($0)" } ?? "\(error)".escapedForDisplay(limit: 200)
    }

    private static func newSession() -> String {
        (0..<4).map { _ in
            let word = String(UInt32.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 8 - word.utf8.count) + word
        }.joined()
    }

    private static func connect(
        _ place: VerifierPlace, _ table: JobTable, _ isStuffed: Bool
    ) async throws -> any Channel {
        let start: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(VerifierHandler(place.name, table, isStuffed))
            }
        }
        if StreamDevice.kind(place.path) == .device {
            let device = try StreamDevice.open(place.path).release()
            return try await NIOPipeBootstrap(group: group).channelInitializer(start)
                .takingOwnershipOfDescriptor(inputOutput: device).get()
        }
        return try await ClientBootstrap(group: group).connectTimeout(.seconds(5)).channelInitializer(start)
            .connect(unixDomainSocketPath: place.path).get()
    }

    /// Gives a job and waits for the last word on it. Throws `.noVerifier` where there is none, and `.cancelled`.
    func run(
        _ submit: WireJobSubmit, seconds: Int, cancellation: Cancellation, events: @escaping JobTable.Events
    ) async throws(Failure) -> WireJobFinished {
        let id = table.nextID()
        var request = WireVerifierRequest()
        request.submit = submit
        request.submit.job = id
        let bytes = try VerifierFrame.bytes(of: request)
        guard bytes.count <= VerifierFrame.limit else { throw Failure(.frameTooLarge, "the candidate is too large") }
        let table = table
        let watch = channel.eventLoop.scheduleRepeatedTask(
            initialDelay: .milliseconds(100), delay: .milliseconds(100)
        ) { _ in table.endTheSilent(now: Clock.monotonic()) }
        defer { watch.cancel() }
        let handler = cancellation.onCancel {
            table.end(id, .failure(Failure(.cancelled, "the verification was cancelled")))
        }
        defer { cancellation.remove(handler) }
        let outcome = await withCheckedContinuation { (continuation: CheckedContinuation<JobTable.Outcome, Never>) in
            table.enter(id, seconds: seconds, events: events) { continuation.resume(returning: $0) }
            if cancellation.isCancelled {
                table.end(id, .failure(Failure(.cancelled, "the verification was cancelled")))
            }
            write(bytes)
        }
        if case .failure = outcome, isOpen {
            var cancel = WireVerifierRequest()
            cancel.cancel.job = id
            write(try VerifierFrame.bytes(of: cancel))
        }
        return try outcome.get()
    }

    private func write(_ bytes: [UInt8]) {
        let buffer = ByteBuffer(bytes: place.kind == .stream ? Stuffing.encode(bytes) : bytes)
        channel.writeAndFlush(buffer, promise: nil)
    }

    func close() { channel.close(promise: nil) }
}

/// Cuts the verifier's bytes into frames, on the verifiers' own event loop.
final class VerifierHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let name: String
    private let table: JobTable
    private var decoder: VerifierStreamDecoder

    init(_ name: String, _ table: JobTable, _ isStuffed: Bool) {
        self.name = name
        self.table = table
        decoder = VerifierStreamDecoder(isStuffed: isStuffed)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do throws(Failure) {
            for piece in try decoder.decode(unwrapInboundIn(data).readableBytesView) {
                switch piece {
                case .frame(let payload): try table.take(payload)
                case .reset:
                    if table.isGreeted { throw JobTable.none(name, "was started again") }
                }
            }
        } catch {
            let failure =
                error.code == .noVerifier ? error : JobTable.none(name, "sends what is no message: \(error.message)")
            table.endAll(failure)
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        table.endAll(JobTable.none(name, "closed the connection before its verdict"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        table.endAll(JobTable.none(name, "cannot be read from"))
        context.close(promise: nil)
    }
}
