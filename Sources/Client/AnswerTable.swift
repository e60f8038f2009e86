import Model
import NIOCore
import Synchronization
import Wire

/// Who waits for which answer.
final class AnswerTable: Sendable {
    private struct State {
        var nextID: UInt64 = 1
        var waiting: [UInt64: AsyncStream<WireResponse>.Continuation] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    func register() -> (id: UInt64, answers: AsyncStream<WireResponse>) {
        let (stream, continuation) = AsyncStream.makeStream(of: WireResponse.self)
        let id = state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            if state.isClosed { continuation.finish() } else { state.waiting[id] = continuation }
            return id
        }
        return (id, stream)
    }

    func deliver(_ response: WireResponse) {
        let isLast =
            switch response.result {
            case .event, .progress, .verifying: false
            default: true
            }
        let receivers = state.withLock { state in
            // Id 0: the daemon could not tell which request it was about, and ends the connection.
            if response.id == 0 { return Array(state.waiting.values) }
            let one = isLast ? state.waiting.removeValue(forKey: response.id) : state.waiting[response.id]
            return one.map { [$0] } ?? []
        }
        for receiver in receivers {
            receiver.yield(response)
            if isLast { receiver.finish() }
        }
    }

    func close() {
        let left = state.withLock { state in
            defer { state.waiting = [:] }
            state.isClosed = true
            return Array(state.waiting.values)
        }
        left.forEach { $0.finish() }
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
