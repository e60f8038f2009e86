import Access
import Deployment
import Dispatch
import Kernel
package import Linux
package import Logging
import Model
import NIOCore
import NIOPosix
import Repository

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
    package func run(socket: String?, passed: [Systemd.Passed]) async throws {
        ThisProcess.ignore(.pipe)
        let signals = SignalStream([.terminate, .interrupt, .hangup])
        let events = EventLog()
        let service = DeploymentService(
            schedExt: SchedExt(), journal: try SQLiteJournal(path: configuration.stateFolder + "/schedcp.sqlite"),
            artifacts: try ArtifactStore(folder: configuration.stateFolder + "/artifacts"),
            ejector: SocketEjector(path: configuration.ejectSocket), events: events, board: StatusBoard(),
            logger: logger)
        try await service.recover(passed.filter { DescriptorStore.isOurs($0.name) })
        let router = Router(
            configuration: configuration, service: service, catalog: readCatalog(), rules: Self.readRules())
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await Server(router: router, logger: logger).listen(source(socket, passed), on: group)
        announce(service)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await watch(service) }
            tasks.addTask { await followStatus(service) }
            keepWatchdogQuiet(group.next())
            for await signal in signals.stream {
                if signal != .hangup { break }
                reload(router, service)
            }
            Systemd.notify(["STOPPING=1", "STATUS=stopping"])
            tasks.cancelAll()
            events.finish()
            try await channel.close()
        }
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

    private func readCatalog() -> Catalog {
        let catalog = Catalog.read(folder: configuration.schedulersFolder)
        for problem in catalog.problems { logger.warning("left out of the repository: \(problem)") }
        return catalog
    }

    private static func readRules() -> AccessRules {
        AccessRules(adminGroup: Accounts.group(named: AccessRules.adminGroupName))
    }

    private func reload(_ router: Router, _ service: DeploymentService) {
        Systemd.notify(["RELOADING=1", "MONOTONIC_USEC=\(Clock.monotonic() / 1000)"])
        router.replace(catalog: readCatalog(), rules: Self.readRules())
        service.events.append(
            .reloaded, "the schedulers and the access rules were read again", record: nil, at: Clock.realtime())
        logger.notice("reloaded")
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
