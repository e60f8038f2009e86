import NIOCore
import NIOPosix

/// Connections to the sockets that an emulator makes when it starts.
enum UnixSocket {
    /// Tries until the socket is there. Throws ``MachineError/Code/startFailed`` at the limit, or when cancelled.
    static func connect(
        _ path: String, limit: Duration
    ) async throws -> NIOAsyncChannel<ByteBuffer, ByteBuffer> {
        let deadline = ContinuousClock.now + limit
        while true {
            do {
                return try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .connect(unixDomainSocketPath: path) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                        }
                    }
            } catch {
                try Task.checkCancellation()
                guard ContinuousClock.now < deadline else {
                    throw MachineError(
                        .startFailed, "the emulator did not open its sockets within \(limit.inSeconds)")
                }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
    }
}
