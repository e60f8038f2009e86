import Model
import NIOCore
import NIOPosix
import SwiftProtobuf
import TestSupport
package import Wire

/// A server that answers each frame as a test tells it to.
package final class FakeServer: Sendable {
    /// What a server does with one request.
    package enum Reaction: Sendable {
        case answer([WireResponse])
        case bytes([UInt8])
        case close
    }

    package let path: String
    private let folder: TemporaryFolder
    private let channel: any Channel

    private init(_ folder: TemporaryFolder, _ path: String, _ channel: any Channel) {
        self.folder = folder
        self.path = path
        self.channel = channel
    }

    /// Serves while `body` runs.
    package static func with(
        _ react: @escaping @Sendable (WireRequest) -> Reaction, _ body: (FakeServer) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("s")
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(react))
                }
            }
            .bind(unixDomainSocketPath: path).get()
        let server = FakeServer(folder, path, channel)
        do { try await body(server) } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }

    /// Greets as the daemon does, and leaves the rest to `react`.
    package static func greeting(_ react: @escaping @Sendable (WireRequest) -> Reaction)
        -> @Sendable (WireRequest) -> Reaction
    {
        { request in
            guard case .hello = request.operation else { return react(request) }
            var reply = WireHelloReply()
            reply.protocol = ProtocolVersion.newest
            reply.serverVersion = "fake"
            return .answer([response(request.id, .hello(reply))])
        }
    }

    package static func response(_ id: UInt64, _ result: WireResponse.OneOf_Result) -> WireResponse {
        var response = WireResponse()
        response.id = id
        response.result = result
        return response
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let processor = NIOSingleStepByteToMessageProcessor(FrameDecoder(limit: 1 << 20))
        private let react: @Sendable (WireRequest) -> Reaction

        init(_ react: @escaping @Sendable (WireRequest) -> Reaction) { self.react = react }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            do {
                try processor.process(buffer: unwrapInboundIn(data)) { payload in
                    switch react(try Frame.decode(WireRequest.self, from: payload)) {
                    case .answer(let responses):
                        for response in responses {
                            context.writeAndFlush(wrapOutboundOut(try Frame.encode(response)), promise: nil)
                        }
                    case .bytes(let bytes):
                        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
                    case .close: context.close(promise: nil)
                    }
                }
            } catch { context.close(promise: nil) }
        }
    }
}
