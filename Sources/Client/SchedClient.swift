// Client: the unprivileged side of the socket, for schedctl and agents. It holds one connection, matches answers to
// requests by their ids, and knows nothing of what the operations mean.

package import Model
import NIOCore
import NIOPosix
package import Wire

/// A connection to schedcpd, greeted and ready. Any number of tasks may use it at once.
package final class SchedClient: Sendable {
    package static let defaultPath = "/run/schedcp.sock"

    private let channel: any Channel
    private let answers: AnswerTable
    /// What the daemon said of itself and of us.
    package let greeting: WireHelloReply

    private init(channel: any Channel, answers: AnswerTable, greeting: WireHelloReply) {
        self.channel = channel
        self.answers = answers
        self.greeting = greeting
    }

    /// Connects and greets.
    /// - Parameter name: for the daemon's log.
    package static func connect(path: String = defaultPath, name: String) async throws(Failure) -> SchedClient {
        let answers = AnswerTable()
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.seconds(5))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(AnswerHandler(answers))
                    }
                }
                .connect(unixDomainSocketPath: path).get()
        } catch {
            throw Failure(
                .notFound, "schedcpd cannot be reached at \(path): \(error)",
                hint:
                    "start it: systemctl start schedcpd.socket (not installed? scripts/install; no sched_ext kernel? schedctl lab shell)"
            )
        }
        var hello = WireHello()
        hello.protocolMin = ProtocolVersion.oldest
        hello.protocolMax = ProtocolVersion.newest
        hello.client = name
        let result = try await exchange(.hello(hello), on: channel, answers, progress: { _ in })
        guard case .hello(let greeting) = result else { throw unexpected(result) }
        return SchedClient(channel: channel, answers: answers, greeting: greeting)
    }

    /// Asks, and waits for the last answer. `verification` hears what a verification has come to so far.
    package func call(
        _ operation: WireRequest.OneOf_Operation, progress: @escaping (String) -> Void = { _ in },
        verification: @escaping (WireVerifyProgress) -> Void = { _ in }
    ) async throws(Failure) -> WireResponse.OneOf_Result {
        try await Self.exchange(operation, on: channel, answers, progress: progress, verification: verification)
    }

    /// The daemon's events, those that it still keeps first.
    package func events(after sequence: UInt64 = 0, follow: Bool) async throws(Failure) -> AsyncThrowingStream<
        WireEvent, any Error
    > {
        var request = WireEventsRequest()
        request.after = sequence
        request.follow = follow
        return try await stream(.events(request)) { if case .event(let event) = $0 { event } else { nil } }
    }

    /// What the machine and its scheduler do, anew after each interval (in milliseconds, at least 200).
    package func views(every interval: UInt32) async throws(Failure) -> AsyncThrowingStream<WireView, any Error> {
        var request = WireViewRequest()
        request.intervalMilliseconds = max(200, interval)
        return try await stream(.view(request)) { if case .view(let view) = $0 { view } else { nil } }
    }

    /// The answers of a request that has any number of them. One that `element` does not know ends it.
    private func stream<Element: Sendable>(
        _ operation: WireRequest.OneOf_Operation,
        element: @escaping @Sendable (WireResponse.OneOf_Result) -> Element?
    ) async throws(Failure) -> AsyncThrowingStream<Element, any Error> {
        let (id, responses) = try await Self.send(operation, on: channel, answers)
        return AsyncThrowingStream { continuation in
            let task = Task {
                for await response in responses {
                    if case .failure(let failure) = response.result {
                        return continuation.finish(throwing: failure.asFailure)
                    }
                    guard let next = response.result.flatMap(element) else { return continuation.finish() }
                    continuation.yield(next)
                }
                continuation.finish(throwing: Self.ended)
            }
            continuation.onTermination = { [channel, answers] reason in
                task.cancel()
                guard case .cancelled = reason else { return }
                // The daemon keeps few streams for one connection: it is told that nobody listens any more.
                Task {
                    var cancel = WireCancel()
                    cancel.requestID = id
                    _ = try? await Self.exchange(.cancel(cancel), on: channel, answers, progress: { _ in })
                }
            }
        }
    }

    package func close() async { try? await channel.close() }

    package static func unexpected(_ result: WireResponse.OneOf_Result) -> Failure {
        Failure(
            .internal, "schedcpd answered something else than was asked",
            hint: "install the same version of schedctl and schedcpd")
    }

    private static let ended = Failure(
        .internal, "schedcpd closed the connection", hint: "see its log: journalctl -u schedcpd")

    private static func exchange(
        _ operation: WireRequest.OneOf_Operation, on channel: any Channel, _ answers: AnswerTable,
        progress: (String) -> Void, verification: (WireVerifyProgress) -> Void = { _ in }
    ) async throws(Failure) -> WireResponse.OneOf_Result {
        for await response in try await send(operation, on: channel, answers).stream {
            switch response.result {
            case .progress(let step): progress(step.step)
            case .verifying(let what): verification(what)
            case .failure(let failure): throw failure.asFailure
            case .some(let result): return result
            case nil: throw Failure(.internal, "schedcpd answered in a way that this schedctl does not know")
            }
        }
        throw ended
    }

    private static func send(
        _ operation: WireRequest.OneOf_Operation, on channel: any Channel, _ answers: AnswerTable
    ) async throws(Failure) -> (id: UInt64, stream: AsyncStream<WireResponse>) {
        var keepsViews = false
        if case .view(let view) = operation { keepsViews = view.intervalMilliseconds > 0 }
        let (id, stream) = answers.register(keepsViews: keepsViews)
        var request = WireRequest()
        request.id = id
        request.operation = operation
        let frame = try Frame.encode(request)
        do { try await channel.writeAndFlush(frame) } catch { throw ended }
        return (id, stream)
    }
}
