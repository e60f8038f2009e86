import Access
import Daemon
import Deployment
import Kernel
import Logging
import Model
import NIOCore
import NIOEmbedded
import Repository
import TestSupport
import Wire

/// One connection without a socket: the test says who is at its other end, and what time it is.
final class Embedded {
    static let adminGroup: UInt32 = 990
    static let ordinary = Actor(uid: 1001, gid: 1001, pid: 1, groups: [], user: "bob")
    static let admin = Actor(uid: 1000, gid: 1000, pid: 1, groups: [adminGroup], user: "alice")
    static let root = Actor(uid: 0, gid: 0, pid: 1, groups: [], user: "root")

    /// What is behind the connection; several may share it.
    final class Backend: Sendable {
        let service: DeploymentService
        let journal: SQLiteJournal
        let catalog: Catalog
        let configuration: DaemonConfiguration
        let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        private let folder: TemporaryFolder

        /// - Parameters:
        ///   - schedulers: a folder with `schedulers` in it.
        ///   - kernel: what plays /sys/kernel/sched_ext; nothing where it is nil.
        init(schedulers: TemporaryFolder? = nil, kernel: TemporaryFolder? = nil) throws {
            folder = try TemporaryFolder()
            journal = try SQLiteJournal(path: folder.path("schedcp.sqlite"))
            service = DeploymentService(
                schedExt: SchedExt(folder: kernel?.path ?? "/nonexistent"), journal: journal,
                artifacts: try ArtifactStore(folder: folder.path("artifacts")), ejector: NobodyEjects(),
                events: EventLog(),
                board: StatusBoard(), logger: logger)
            catalog = schedulers.map { Catalog.read(folder: $0.path("schedulers")) } ?? .empty
            configuration = DaemonConfiguration(
                stateFolder: folder.path, schedulersFolder: "", ejectSocket: folder.path("eject.sock"))
        }
    }

    let channel: EmbeddedChannel

    /// To be used without an `await` in between: its loop belongs to the thread that made it.
    init(_ actor: Actor = ordinary, _ backend: Backend) throws {
        let handler = Connections.handler(
            for: actor, configuration: backend.configuration, service: backend.service, catalog: backend.catalog,
            rules: AccessRules(adminGroup: Self.adminGroup), logger: backend.logger)
        channel = EmbeddedChannel(handler: handler)
        channel.connect(to: try SocketAddress(unixDomainSocketPath: "/client"), promise: nil)
    }

    convenience init(
        _ actor: Actor = ordinary, schedulers: TemporaryFolder? = nil, kernel: TemporaryFolder? = nil
    ) throws {
        try self.init(actor, Backend(schedulers: schedulers, kernel: kernel))
    }

    struct NobodyEjects: ForeignEjector {
        func eject(ops: String) async throws(Failure) { throw Failure(.foreignScheduler, "no test ejects anything") }
    }

    func send(_ bytes: [UInt8]) throws { try channel.writeInbound(ByteBuffer(bytes: bytes)) }

    func send(_ id: UInt64, _ operation: WireRequest.OneOf_Operation) throws {
        try send(RawClient.frame(id, operation))
    }

    func pass(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }

    /// The answers since the last call.
    func answers() throws -> [WireResponse] {
        var decoder = FrameDecoder(limit: Frame.answerLimit)
        var all = ByteBuffer()
        while var buffer = try channel.readOutbound(as: ByteBuffer.self) { all.writeBuffer(&buffer) }
        var answers: [WireResponse] = []
        while let payload = try decoder.decode(buffer: &all) {
            answers.append(try Frame.decode(WireResponse.self, from: payload))
        }
        return answers
    }

    func greet() throws {
        try send(1, .hello(RawClient.hello))
        guard case .hello = try answers().first?.result else { throw Lacking("hello was not answered") }
    }
}
