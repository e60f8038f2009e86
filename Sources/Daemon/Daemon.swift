import Audit
package import Deployment
import Dispatch
import Kernel
import Linux
package import Logging
import Model
import NIOCore
import NIOPosix
package import Service

/// The running daemon: builds the services, recovers what an earlier process left, serves until SIGTERM.
package struct Daemon {
    private let configuration: DaemonConfiguration
    private let logger: Logger

    package init(configuration: DaemonConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// - Parameters:
    ///   - socket: a path to bind, for development; else the socket is among `passed`.
    ///   - passed: what systemd passed, taken before privileges were dropped.
    ///   - stops: where a test ends the process; the shipped program has none.
    package func run(socket: String?, passed: [Systemd.Passed], stops: any Stops = NoStops()) async throws {
        ThisProcess.ignore(.pipe)
        let signals = SignalStream([.terminate, .interrupt, .hangup])
        let parts = try Parts(configuration, logger: logger, stops: stops)
        try await parts.service.recover(passed.filter { DescriptorStore.isOurs($0.name) })
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await Server(router: parts.router, logger: logger).listen(source(socket, passed), on: group)
        announce(parts.service)
        await parts.router.policies.rise()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await watch(parts.service) }
            tasks.addTask { await keepAudit(parts.audit) }
            tasks.addTask { await followStatus(parts.service) }
            tasks.addTask { await parts.router.followFailures() }
            keepWatchdogQuiet(group.next())
            for await signal in signals.stream {
                if signal != .hangup { break }
                await reload(parts)
            }
            Systemd.notify(["STOPPING=1", "STATUS=stopping"])
            tasks.cancelAll()
            await parts.service.forgetIntent()
            parts.service.events.finish()
            try await channel.close()
        }
        await parts.router.policies.close()
        try? parts.audit.close()
        try await group.shutdownGracefully()
    }

    private func source(_ socket: String?, _ passed: [Systemd.Passed]) throws(Failure) -> Server.Source {
        if let socket { return .path(socket) }
        let sockets = passed.filter { !DescriptorStore.isOurs($0.name) }
        guard sockets.count == 1, let only = sockets.first else {
            throw Failure(
                .invalidArgument, "systemd passed \(sockets.count) sockets instead of one",
                hint: "start it with `systemctl start schedcpd`, or use --socket PATH for development")
        }
        return .descriptor(only.fd)
    }

    private func reload(_ parts: Parts) async {
        Systemd.notify(["RELOADING=1", "MONOTONIC_USEC=\(Clock.monotonic() / 1000)"])
        do throws(Failure) { _ = try await parts.reload() } catch {
            logger.error("the access rules were not read again, and those before stay in force: \(error)")
        }
        Systemd.notify(["READY=1"])
    }

    private func announce(_ service: DeploymentService) {
        let state = service.schedExt.read()
        if !state.supported { logger.notice("this kernel has no sched_ext: everything but deploying works") }
        logger.notice("ready", metadata: ["version": "\(DaemonConfiguration.version)"])
        Systemd.notify(["READY=1", statusLine(service)])
    }

    private func statusLine(_ service: DeploymentService) -> String {
        guard let active = service.board.current.active else { return "STATUS=no deployment" }
        return "STATUS=\(active.spec.scheduler) (deployment \(active.id)) is the machine's scheduler"
    }

    /// The kernel does not call when it ejects a scheduler; it is asked four times a second.
    private func watch(_ service: DeploymentService) async {
        while !Task.isCancelled {
            await service.observe()
            try? await Task.sleep(for: .milliseconds(250))
        }
    }

    /// Counted looks and refusals reach the file each second.
    private func keepAudit(_ audit: AuditLog) async {
        while !Task.isCancelled {
            try? audit.pay()
            try? audit.flush(now: Clock.monotonic())
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func followStatus(_ service: DeploymentService) async {
        for await _ in service.events.follow(after: 0) { Systemd.notify([statusLine(service)]) }
    }

    /// The thread that serves clients proves that it is alive; the verifier may keep the deployment's busy for long.
    private func keepWatchdogQuiet(_ loop: any EventLoop) {
        guard let interval = Systemd.watchdogMicroseconds() else { return }
        loop.scheduleRepeatedTask(initialDelay: .zero, delay: .microseconds(Int64(interval / 3))) { _ in
            Systemd.notify(["WATCHDOG=1"])
        }
    }
}

/// Signals as a stream; their default actions are switched off.
private struct SignalStream {
    let stream: AsyncStream<ThisProcess.Signal>
    private let sources: [any DispatchSourceSignal]

    init(_ signals: [ThisProcess.Signal]) {
        let (stream, continuation) = AsyncStream.makeStream(of: ThisProcess.Signal.self)
        self.stream = stream
        sources = signals.map { signal in
            ThisProcess.ignore(signal)
            let source = DispatchSource.makeSignalSource(signal: signal.number, queue: .global())
            source.setEventHandler { continuation.yield(signal) }
            source.resume()
            return source
        }
    }
}
