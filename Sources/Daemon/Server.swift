import Access
import Linux
import Logging
import Model
import NIOCore
import NIOPosix
import Synchronization
import Wire

/// Accepts clients and puts a `ConnectionHandler` on each.
struct Server {
    /// Where the listening socket comes from.
    package enum Source: Sendable {
        /// From systemd, already bound and listening.
        case descriptor(CInt)
        /// Bound here, for development.
        case path(String)
    }

    let router: Router
    let logger: Logger
    private let users = UserNames()

    init(router: Router, logger: Logger) {
        self.router = router
        self.logger = logger
    }

    func listen(_ source: Source, on group: any EventLoopGroup) async throws -> any Channel {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 512)
            .serverChannelOption(.maxMessagesPerRead, value: 64)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 * 1024, high: 256 * 1024))
            // What one read can hold bounds the answers that one client can make pile up at once.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1024, maximum: 8192)
            )
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try self.admit(channel) }
            }
        switch source {
        case .descriptor(let fd): return try await bootstrap.withBoundSocket(fd).get()
        case .path(let path):
            let channel = try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
            // Anyone may look; the access rules decide about the rest.
            try ThisProcess.openToEveryone(path)
            return channel
        }
    }

    private func admit(_ channel: any Channel) throws {
        let peer = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            fd in
            try PeerCredentials.actor(ofSocket: fd, userName: users.name(of:))
        }
        guard let peer else { throw Failure(.denied, "the peer's identity is unknown") }
        let boundary = router.boundary
        let session = boundary.session(of: peer)
        let account: UserAccount
        do { account = try boundary.enter(session) } catch {
            logger.notice("refused a connection: \(error.message)")
            return try channel.pipeline.syncOperations.addHandler(RefusalHandler(error))
        }
        channel.closeFuture.whenComplete { _ in boundary.admission.leave(peer, rate: session.rate) }
        try channel.pipeline.syncOperations.addHandler(
            ConnectionHandler(session, account: account, router: router, logger: logger))
    }
}

/// Names of users, asked of the system once each: the look-up may block, and only the log and people need the name.
final class UserNames: Sendable {
    private static let kept = 1024
    private let names = Mutex<[UInt32: String]>([:])

    func name(of uid: UInt32) -> String? {
        if let known = names.withLock({ $0[uid] }) { return known }
        let name = Accounts.name(ofUser: uid) ?? "\(uid)"
        names.withLock { names in
            if names.count >= Self.kept { names.removeAll() }
            names[uid] = name
        }
        return name
    }
}

/// Tells a client that there is no room for it, and ends the connection.
private final class RefusalHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let failure: Failure

    init(_ failure: Failure) { self.failure = failure }

    func channelActive(context: ChannelHandlerContext) {
        var response = WireResponse()
        response.failure = WireFailure(failure)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        guard let frame = try? Frame.encode(response) else { return context.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(frame)).whenComplete { _ in bound.value.close(promise: nil) }
    }
}
