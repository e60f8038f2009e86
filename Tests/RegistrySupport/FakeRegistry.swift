import Exchange
import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A registry in memory, on a port of 127.0.0.1. What a test does not tell it otherwise it does as the distribution
/// specification says.
package final class FakeRegistry: Sendable {
    package struct Request: Sendable {
        package let method: String
        package let path: String
        /// As it came, without `?`.
        package let query: String
        package let authorization: String?
        package let host: String?
        package let body: [UInt8]
    }

    package struct Answer: Sendable {
        package var status: Int
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]
        /// The connection is closed after so many bytes of the body.
        package var cutAfter: Int?

        package init(
            _ status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = [], cutAfter: Int? = nil
        ) {
            self.status = status
            self.headers = headers
            self.body = body
            self.cutAfter = cutAfter
        }
    }

    package enum Reaction: Sendable {
        /// As the specification says.
        case ordinary
        case answer(Answer)
        /// What it would have said, changed.
        case changed(@Sendable (Answer) -> Answer)
        /// The connection is closed without an answer.
        case close
        /// No answer, ever.
        case silence
    }

    package enum Demand: Sendable {
        case nothing
        case basic(user: String, password: String)
        /// A token of `/token`; of an account where there is one.
        case token(user: String?, password: String?)
    }

    struct State {
        var blobs: [String: [UInt8]] = [:]
        var manifests: [String: [UInt8]] = [:]
        var tags: [String: String] = [:]
        var uploads = 0
        var requests: [Request] = []
        var demand = Demand.nothing
        var react: @Sendable (Request) -> Reaction = { _ in .ordinary }
    }

    let state = Mutex(State())
    private let channel: any Channel
    package let port: Int

    private init(_ channel: any Channel, _ handler: Holder) {
        self.channel = channel
        port = channel.localAddress?.port ?? 0
        handler.registry.withLock { $0 = self }
    }

    /// Serves while `body` runs.
    package static func with(
        _ demand: Demand = .nothing, _ body: (FakeRegistry) async throws -> Void
    ) async throws {
        let holder = Holder()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(RegistryHandler(holder))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let registry = FakeRegistry(channel, holder)
        registry.state.withLock { $0.demand = demand }
        do { try await body(registry) } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }

    package var name: String { "127.0.0.1:\(port)" }

    /// From now on.
    package func react(_ react: @escaping @Sendable (Request) -> Reaction) { state.withLock { $0.react = react } }

    /// The first so many requests that fit, then none.
    package func react(
        times: Int, where fits: @escaping @Sendable (Request) -> Bool, _ reaction: Reaction
    ) {
        let counter = Counter(left: times)
        react { request in fits(request) && counter.take() ? reaction : .ordinary }
    }

    package var requests: [Request] { state.withLock { $0.requests } }
    package func forgetRequests() { state.withLock { $0.requests = [] } }
    package var blobs: [String: [UInt8]] { state.withLock { $0.blobs } }
    package func manifest(_ tag: String) -> [UInt8]? {
        state.withLock { state in state.tags[tag].flatMap { state.manifests[$0] } }
    }

    /// Puts something there that nobody pushed.
    package func put(tag: String, manifest: [UInt8], blobs: [[UInt8]] = []) {
        state.withLock { state in
            let digest = Digest(of: manifest).description
            state.manifests[digest] = manifest
            state.tags[tag] = digest
            for blob in blobs { state.blobs[Digest(of: blob).description] = blob }
        }
    }

    package func setBlob(_ digest: String, _ bytes: [UInt8]?) { state.withLock { $0.blobs[digest] = bytes } }

    final class Holder: Sendable {
        let registry = Mutex<FakeRegistry?>(nil)
    }

    private final class Counter: Sendable {
        private let left: Mutex<Int>
        init(left: Int) { self.left = Mutex(left) }
        func take() -> Bool {
            left.withLock {
                guard $0 > 0 else { return false }
                $0 -= 1
                return true
            }
        }
    }
}

/// Collects a request, asks the registry, writes its answer.
private final class RegistryHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let holder: FakeRegistry.Holder
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ holder: FakeRegistry.Holder) { self.holder = holder }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): (self.head, body) = (head, [])
        case .body(let part): body += Array(part.readableBytesView)
        case .end:
            guard let head, let registry = holder.registry.withLock({ $0 }) else { return context.close(promise: nil) }
            let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            let request = FakeRegistry.Request(
                method: head.method.rawValue, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
                authorization: head.headers.first(name: "authorization"), host: head.headers.first(name: "host"),
                body: body)
            guard let answer = registry.answer(request) else { return context.close(promise: nil) }
            if answer.status == 0 { return }
            write(answer, to: head, context)
        }
    }

    private func write(_ answer: FakeRegistry.Answer, to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders(answer.headers.map { ($0.name, $0.value) })
        if !headers.contains(name: "content-length") {
            headers.add(name: "content-length", value: String(answer.body.count))
        }
        let status = HTTPResponseStatus(statusCode: answer.status)
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: status, headers: headers))),
            promise: nil)
        if head.method != .HEAD {
            let bytes = answer.cutAfter.map { Array(answer.body.prefix($0)) } ?? answer.body
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        }
        if answer.cutAfter != nil {
            context.flush()
            return context.close(promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
