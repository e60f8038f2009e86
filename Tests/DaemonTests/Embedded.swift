import Daemon
import Deployment
import Foundation
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
    static let agentGroup: UInt32 = 991
    static let verifierGroup: UInt32 = 992
    static let ordinary = Actor(uid: 1001, gid: 1001, pid: 1, groups: [], user: "bob")
    static let admin = Actor(uid: 1000, gid: 1000, pid: 1, groups: [adminGroup], user: "alice")
    static let agent = Actor(uid: 1003, gid: 1003, pid: 1, groups: [agentGroup], user: "carol")
    static let verifier = Actor(uid: 1004, gid: 1004, pid: 1, groups: [verifierGroup], user: "dave")
    static let root = Actor(uid: 0, gid: 0, pid: 1, groups: [], user: "root")

    /// What is behind the connection; several may share it.
    final class Backend: Sendable {
        let daemon: Services
        let folder: TemporaryFolder
        var service: DeploymentService { daemon.service }
        var journal: SQLiteJournal { daemon.journal }

        /// - Parameters:
        ///   - schedulers: a folder with `schedulers` in it.
        ///   - kernel: what plays /sys/kernel/sched_ext; nothing where it is nil.
        ///   - rules: the shipped ones, with numbers for the groups, where it is nil.
        ///   - state: a folder in which something lies already.
        ///   - model: the folder of the model; there is none where it is nil.
        init(
            schedulers: TemporaryFolder? = nil, kernel: TemporaryFolder? = nil, rules: String? = nil,
            verifier: VerifierLimits = VerifierLimits(), state: TemporaryFolder? = nil, model: String? = nil
        ) throws {
            folder = try state ?? TemporaryFolder()
            try folder.write(try rules ?? Embedded.rules(), to: "policy/rules.conf")
            var configuration = DaemonConfiguration(
                stateFolder: folder.path, schedulersFolder: schedulers?.path("schedulers") ?? folder.path("none"),
                rulesFolder: folder.path("policy"), auditFolder: folder.path("audit"),
                ejectSocket: folder.path("eject.sock"), modelFolder: model ?? folder.path("no-model"))
            configuration.verifier = verifier
            daemon = try Services(
                configuration, schedExt: SchedExt(folder: kernel?.path ?? "/nonexistent"),
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        }
    }

    /// The rules that are shipped, with numbers for the groups that this machine need not have.
    static func rules() throws -> String {
        let bytes = FileManager.default.contents(atPath: Checkout.root + "/policy/rules.conf") ?? Data()
        return String(decoding: bytes, as: UTF8.self)
            .replacingOccurrences(of: "group schedcp-admin ", with: "group \(adminGroup) ")
            .replacingOccurrences(of: "group schedcp-agents ", with: "group \(agentGroup) ")
            .replacingOccurrences(of: "group schedcp-verifiers ", with: "group \(verifierGroup) ")
    }

    let channel: EmbeddedChannel

    /// To be used without an `await` in between: its loop belongs to the thread that made it.
    init(_ actor: Model.Actor = ordinary, _ backend: Backend) throws {
        channel = EmbeddedChannel(handler: try backend.daemon.handler(for: actor))
        channel.connect(to: try SocketAddress(unixDomainSocketPath: "/client"), promise: nil)
    }

    convenience init(
        _ actor: Model.Actor = ordinary, schedulers: TemporaryFolder? = nil, kernel: TemporaryFolder? = nil
    ) throws {
        try self.init(actor, Backend(schedulers: schedulers, kernel: kernel))
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

    /// Sends a request that is answered after a while, and waits for its last answer. On a loop that other threads may reach:
    /// the answer comes from one.
    static func ask(
        _ actor: Model.Actor, _ backend: Backend, _ operation: WireRequest.OneOf_Operation,
        verifying: (WireVerifyProgress) -> Void = { _ in }
    ) async throws -> WireResponse {
        let channel = NIOAsyncTestingChannel()
        let daemon = backend.daemon
        try await channel.testingEventLoop.executeInContext {
            try channel.pipeline.syncOperations.addHandler(try daemon.handler(for: actor))
        }
        try await channel.connect(to: SocketAddress(unixDomainSocketPath: "/client"))
        try await channel.writeInbound(ByteBuffer(bytes: RawClient.frame(1, .hello(RawClient.hello))))
        try await channel.writeInbound(ByteBuffer(bytes: RawClient.frame(2, operation)))
        var last: WireResponse?
        var told: [WireVerifyProgress] = []
        defer { told.forEach(verifying) }
        for _ in 0..<20_000 where last == nil {
            await channel.testingEventLoop.run()
            while let buffer = try await channel.readOutbound(as: ByteBuffer.self) {
                for answer in try Self.decode(buffer) where answer.id != 1 {
                    switch answer.result {
                    case .progress: continue
                    case .verifying(let what): told.append(what)
                    default: last = answer
                    }
                }
            }
            if last == nil { try await Task.sleep(for: .milliseconds(1)) }
        }
        _ = try? await channel.finish(acceptAlreadyClosed: true)
        daemon.leave(actor)
        guard let last else { throw Lacking("no answer came") }
        return last
    }

    private static func decode(_ buffer: ByteBuffer) throws -> [WireResponse] {
        var decoder = FrameDecoder(limit: Frame.answerLimit)
        var rest = buffer
        var answers: [WireResponse] = []
        while let payload = try decoder.decode(buffer: &rest) {
            answers.append(try Frame.decode(WireResponse.self, from: payload))
        }
        return answers
    }
}
