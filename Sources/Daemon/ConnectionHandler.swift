import Access
import Deployment
import Linux
import Logging
import Model
import NIOCore
import Wire

/// One client: cuts frames, keeps the phase, asks the access rules, answers. All of it on the channel's event loop.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let router: Router
    private let logger: Logger
    private let limits: ServerLimits
    private let account: UserAccount
    private let memory: FrameMemory
    private let processor: NIOSingleStepByteToMessageProcessor<FrameDecoder>

    /// Who asks, and what the rules in force give it.
    private var session: Session
    private var actor: Actor { session.actor }
    private var phase = Phase.greeting
    private var deadline: Scheduled<Void>?
    /// Requests that wait for something; streams have a task that can be cancelled.
    private var inFlight: [UInt64: Task<Void, Never>?] = [:]
    private var streams: Set<UInt64> = []
    /// Verifications, which can be cancelled as well, and are when their client goes away.
    private var cancellations: [UInt64: Cancellation] = [:]
    /// After this nothing is read any more; what is in flight is still answered.
    private var isClosing = false
    private var readIsWaiting = false
    /// Frames of a client that does not read its answers: they wait, so that the answers do not pile up here. At most
    /// what one read holds.
    private var waiting = CircularBuffer<ByteBuffer>()
    private var isServingWaiting = false
    private var inputHasEnded = false
    /// The user has asked more often than its role may: it is not read from until it may ask again.
    private var isPaused = false

    init(_ session: Session, account: UserAccount, router: Router, logger: Logger) {
        self.session = session
        self.account = account
        self.router = router
        self.logger = logger
        limits = router.configuration.limits
        let memory = FrameMemory(router.boundary.admission, account)
        self.memory = memory
        processor = NIOSingleStepByteToMessageProcessor(
            FrameDecoder(limit: session.frameLimit) { bytes throws(Failure) in try memory.announce(bytes) })
    }

    // MARK: Reading

    func channelActive(context: ChannelHandlerContext) {
        startDeadline(context, seconds: limits.helloSeconds, "no hello came within \(limits.helloSeconds) seconds")
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        do {
            var frames = 0
            try processor.process(buffer: unwrapInboundIn(data)) { payload in
                frames += 1
                take(payload, context)
            }
            watchPartialFrame(context, hadCompleteFrame: frames > 0)
        } catch { refuse(error, context) }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        guard !isClosing else { return }
        do {
            try processor.finishProcessing(seenEOF: true) { take($0, context) }
            inputHasEnded = true
            if waiting.isEmpty { endInput(context) }
        } catch { refuse(error, context) }
    }

    private func endInput(_ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        isClosing = true
        streams.forEach { inFlight[$0]??.cancel() }
        closeWhenAnswered(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        // A deployment that has begun goes on without its client; streams have nobody left to write to.
        isClosing = true
        deadline?.cancel()
        memory.freeUnhandled()
        streams.forEach { inFlight[$0]??.cancel() }
        cancellations.values.forEach { $0.cancel() }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("connection of uid \(actor.uid) failed: \(error)")
        context.close(promise: nil)
    }

    /// A client that does not read its answers is not read from either.
    func read(context: ChannelHandlerContext) {
        if isOpen(context) { context.read() } else { readIsWaiting = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        goOn(context)
        context.fireChannelWritabilityChanged()
    }

    private func goOn(_ context: ChannelHandlerContext) {
        serveWaiting(context)
        guard isOpen(context), readIsWaiting else { return }
        readIsWaiting = false
        context.read()
    }

    /// Nothing that came earlier waits, and nothing keeps the next from being served.
    private func isOpen(_ context: ChannelHandlerContext) -> Bool {
        context.channel.isWritable && waiting.isEmpty && !isPaused
    }

    private func take(_ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        if isOpen(context) && isInRate(context) { handle(payload, context) } else { waiting.append(payload) }
    }

    /// Takes one request out of the user's rate; else pauses, which the client feels as a slow daemon and nobody else does.
    private func isInRate(_ context: ChannelHandlerContext) -> Bool {
        guard let rate = session.rate else { return true }
        let wait = account.take(rate, now: Clock.monotonic())
        guard wait > 0 else { return true }
        isPaused = true
        // What it does not get to send is not held against it.
        if phase == .serving {
            deadline?.cancel()
            deadline = nil
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .nanoseconds(wait)) {
            bound.value.0.isPaused = false
            bound.value.0.goOn(bound.value.1)
            bound.value.0.watchPartialFrame(bound.value.1, hadCompleteFrame: true)
        }
        return false
    }

    /// A flush may call back here, when it makes the channel writable again: the outer loop then goes on.
    private func serveWaiting(_ context: ChannelHandlerContext) {
        guard !isServingWaiting else { return }
        isServingWaiting = true
        while context.channel.isWritable, !isPaused, !waiting.isEmpty, isInRate(context),
            let payload = waiting.popFirst()
        {
            handle(payload, context)
            if waiting.isEmpty || !context.channel.isWritable { context.flush() }
        }
        isServingWaiting = false
        if inputHasEnded && waiting.isEmpty { endInput(context) }
    }

    // MARK: Requests

    private func handle(_ payload: ByteBuffer, _ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        var goingOn: UInt64?
        do throws(Failure) {
            if payload.readableBytes > Frame.ordinaryLimit {
                try MessageCount.check(request: Array(payload.readableBytesView))
            }
            let request = try Frame.decode(WireRequest.self, from: payload)
            guard request.id != 0 else { throw Failure(.malformed, "a request needs an id other than 0") }
            let isNew = inFlight[request.id] == nil
            try serve(request, context)
            if isNew, inFlight[request.id] != nil { goingOn = request.id }
        } catch { refuse(error, context) }
        memory.handled(payload.readableBytes, goingOnAs: goingOn)
    }

    /// Throws only what ends the connection.
    private func serve(_ request: WireRequest, _ context: ChannelHandlerContext) throws(Failure) {
        guard let operation = request.asOperation else {
            guard phase == .serving else { throw Failure(.outOfPhase, "a connection begins with hello") }
            return send(
                .failure(WireFailure(Failure(.unknownOperation, "this daemon does not know that operation"))),
                request.id, context)
        }
        let permit: Permit
        do throws(Failure) {
            router.boundary.refresh(&session)
            permit = try router.boundary.permit(session, operation, in: phase, request)
            guard inFlight[request.id] == nil else {
                throw Failure(.invalidArgument, "request \(request.id) is still in flight")
            }
            if operation == .status {
                let bytes = try router.status.encoded()
                let frame = Frame.encode(status: bytes, id: request.id, allocator: context.channel.allocator)
                return context.write(wrapOutboundOut(frame), promise: nil)
            }
            if let answer = try router.answerAtOnce(request, for: session) {
                if operation == .hello { enterServing() }
                return send(answer, request.id, context)
            }
            guard operation == .cancel || inFlight.count < limits.requestsInFlight else {
                throw Failure(
                    .tooMany, "\(limits.requestsInFlight) requests are in flight already",
                    hint: "wait for their answers")
            }
        } catch {
            if error.code == .outOfPhase || error.code == .unsupportedVersion { throw error }
            return send(.failure(WireFailure(error)), request.id, context)
        }
        switch request.operation {
        case .cancel(let cancel): self.cancel(cancel.requestID, request.id, context)
        case .events(let events): follow(events, request.id, context)
        case .view(let view): look(view, request.id, context)
        default: start(request, permit, context)
        }
    }

    private func enterServing() {
        phase = .serving
        deadline?.cancel()
        deadline = nil
    }

    private func start(_ request: WireRequest, _ permit: Permit, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let (session, account, router, cancellation) = (session, account, router, Cancellation())
        inFlight.updateValue(nil, forKey: request.id)
        if permit.operation == .verify { cancellations[request.id] = cancellation }
        Task {
            let result: WireResponse.OneOf_Result
            do throws(Failure) {
                result = try await router.answer(request, permit, for: session, account, cancellation) { step in
                    loop.execute { bound.value.0.tell(step, request.id, bound.value.1) }
                }
            } catch { result = .failure(WireFailure(error)) }
            loop.execute { bound.value.0.finish(request.id, result, bound.value.1) }
        }
    }

    /// What a client does not read in time of a verification's progress it learns from the last answer.
    private func tell(_ step: RequestProgress, _ id: UInt64, _ context: ChannelHandlerContext) {
        guard context.channel.isActive, inFlight[id] != nil else { return }
        if case .verification = step, !context.channel.isWritable { return }
        send(step.asResult, id, context, flush: true)
    }

    private func follow(_ events: WireEventsRequest, _ id: UInt64, _ context: ChannelHandlerContext) {
        // From this moment on, whenever the task comes to it.
        let following = router.events(after: events.after, follow: events.follow)
        stream(id, context) { channel async throws(Failure) in
            var last = events.after
            for await event in following {
                var response = WireResponse()
                response.id = id
                response.event = WireEvent(
                    event, skipped: last == 0 || event.sequence <= last ? 0 : event.sequence - last - 1)
                last = event.sequence
                // The write is awaited: a slow reader holds up its own stream and nothing else.
                guard let frame = try? Frame.encode(response), (try? await channel.writeAndFlush(frame).get()) != nil
                else { break }
            }
            return .done(WireDone())
        }
    }

    private func look(_ view: WireViewRequest, _ id: UInt64, _ context: ChannelHandlerContext) {
        let router = router
        stream(id, context) { channel async throws(Failure) in try await router.show(view, id, on: channel) }
    }

    /// Answers that go on until they are cancelled, or end by themselves.
    /// - Parameter body: writes all of them but the last, which it returns.
    private func stream(
        _ id: UInt64, _ context: ChannelHandlerContext,
        _ body: @escaping @Sendable (any Channel) async throws(Failure) -> WireResponse.OneOf_Result
    ) {
        guard streams.count < limits.streams, account.enter(.stream, limit: session.streams) else {
            let failure = Failure(
                .tooMany,
                "\(streams.count) streams are open on this connection, \(account.taken(.stream)) of this user",
                hint: "at most \(limits.streams) on a connection and \(session.streams) of this user: cancel one")
            return send(.failure(WireFailure(failure)), id, context)
        }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let (loop, channel) = (context.eventLoop, context.channel)
        streams.insert(id)
        let task = Task {
            let result: WireResponse.OneOf_Result
            do throws(Failure) { result = try await body(channel) } catch { result = .failure(WireFailure(error)) }
            loop.execute { bound.value.0.finish(id, result, bound.value.1) }
        }
        inFlight.updateValue(task, forKey: id)
    }

    private func cancel(_ target: UInt64, _ id: UInt64, _ context: ChannelHandlerContext) {
        guard inFlight[target] != nil else {
            return send(.failure(WireFailure(Failure(.notFound, "no request \(target) is in flight"))), id, context)
        }
        if let cancellation = cancellations[target] {
            cancellation.cancel()
            return send(.done(WireDone()), id, context)
        }
        guard streams.contains(target) else {
            let failure = Failure(
                .invalidArgument, "only a stream or verification can be cancelled; a deployment runs to its end")
            return send(.failure(WireFailure(failure)), id, context)
        }
        inFlight[target]??.cancel()
        send(.done(WireDone()), id, context)
    }

    private func finish(_ id: UInt64, _ result: WireResponse.OneOf_Result, _ context: ChannelHandlerContext) {
        inFlight.removeValue(forKey: id)
        cancellations.removeValue(forKey: id)
        memory.free(id)
        if streams.remove(id) != nil { account.leave(.stream) }
        guard context.channel.isActive else { return }
        send(result, id, context, flush: true)
        if isClosing { closeWhenAnswered(context) }
    }

    // MARK: Writing and ending

    private func send(
        _ result: WireResponse.OneOf_Result, _ id: UInt64, _ context: ChannelHandlerContext, flush: Bool = false
    ) {
        guard context.channel.isActive else { return }
        var response = WireResponse()
        response.id = id
        response.result = result
        guard let frame = try? Frame.encode(response, allocator: context.channel.allocator) else {
            return context.close(promise: nil)
        }
        context.write(wrapOutboundOut(frame), promise: nil)
        if flush { context.flush() }
    }

    /// Says why, and ends the connection: what follows on it could not be trusted to be frames.
    private func refuse(_ error: any Error, _ context: ChannelHandlerContext) {
        let failure = error as? Failure ?? Failure(.malformed, "the stream could not be read")
        logger.debug("connection of uid \(actor.uid) refused: \(failure.message)")
        isClosing = true
        deadline?.cancel()
        send(.failure(WireFailure(failure)), 0, context)
        context.flush()
        streams.forEach { inFlight[$0]??.cancel() }
        closeWhenAnswered(context)
    }

    private func closeWhenAnswered(_ context: ChannelHandlerContext) {
        guard inFlight.isEmpty else { return }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        // A client that does not read what it is told is not waited for.
        context.eventLoop.scheduleTask(in: .seconds(Int64(limits.frameSeconds))) { bound.value.close(promise: nil) }
        // The close waits behind the writes that were flushed before it.
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(capacity: 0))).whenComplete {
            _ in
            bound.value.close(promise: nil)
        }
    }

    // MARK: Deadlines

    /// Each frame has its own time: the clock starts anew when one was completed.
    private func watchPartialFrame(_ context: ChannelHandlerContext, hadCompleteFrame: Bool) {
        guard phase == .serving, !isClosing, !isPaused else { return }
        if processor.unprocessedBytes == 0 {
            deadline?.cancel()
            deadline = nil
        } else if deadline == nil || hadCompleteFrame {
            deadline?.cancel()
            startDeadline(
                context, seconds: limits.frameSeconds, "a frame was not complete after \(limits.frameSeconds) seconds")
        }
    }

    private func startDeadline(_ context: ChannelHandlerContext, seconds: Int, _ message: String) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: .seconds(Int64(seconds))) {
            bound.value.0.refuse(Failure(.timedOut, message, hint: "the limits are in PROTOCOL.md"), bound.value.1)
        }
    }
}
