import Model
import NIOCore
import Synchronization
import Wire

/// Who waits for which answer.
final class AnswerTable: Sendable {
    private struct Waiting {
        let answers: AsyncStream<WireResponse>.Continuation
        /// More than one view was asked for.
        let keepsViews: Bool
    }

    private struct State {
        var nextID: UInt64 = 1
        var waiting: [UInt64: Waiting] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    /// - Parameter keepsViews: a view is not the last answer.
    func register(keepsViews: Bool = false) -> (id: UInt64, answers: AsyncStream<WireResponse>) {
        let (stream, continuation) = AsyncStream.makeStream(of: WireResponse.self)
        let id = state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            if state.isClosed {
                continuation.finish()
            } else {
                state.waiting[id] = Waiting(answers: continuation, keepsViews: keepsViews)
            }
            return id
        }
        return (id, stream)
    }

    func deliver(_ response: WireResponse) {
        let (isLast, receivers) = state.withLock { state in
            // Id 0: the daemon could not tell which request it was about, and ends the connection.
            if response.id == 0 { return (true, Array(state.waiting.values)) }
            guard let one = state.waiting[response.id] else { return (true, []) }
            let isLast = Self.isLast(response, for: one)
            if isLast { state.waiting[response.id] = nil }
            return (isLast, [one])
        }
        for receiver in receivers {
            receiver.answers.yield(response)
            if isLast { receiver.answers.finish() }
        }
    }

    private static func isLast(_ response: WireResponse, for waiting: Waiting) -> Bool {
        switch response.result {
        case .event, .progress, .verifying: false
        case .view: !waiting.keepsViews
        default: true
        }
    }

    func close() {
        let left = state.withLock { state in
            defer { state.waiting = [:] }
            state.isClosed = true
            return Array(state.waiting.values)
        }
        left.forEach { $0.answers.finish() }
    }
}

/// Cuts the daemon's bytes into answers and delivers them.
final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answers: AnswerTable
    private let processor = NIOSingleStepByteToMessageProcessor(FrameDecoder(limit: Frame.answerLimit))

    init(_ answers: AnswerTable) { self.answers = answers }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try processor.process(buffer: unwrapInboundIn(data)) { payload in
                answers.deliver(try Frame.decode(WireResponse.self, from: payload))
            }
        } catch { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answers.close()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
