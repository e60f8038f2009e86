import Daemon
import Dispatch
import Foundation
import Kernel
import Logging
import Model
import NIOCore
import NIOEmbedded
import Wire

// Every request handler behind the frames, for every role: the daemon's own services on a kernel without sched_ext.
private let services: Services? = {
    let folder = NSTemporaryDirectory() + "schedcp-fuzz-\(getpid())"
    try? FileManager.default.createDirectory(atPath: folder + "/policy", withIntermediateDirectories: true)
    // As often as they like: the fuzzer is not to be slowed down.
    let rules = (try? String(contentsOfFile: "policy/rules.conf", encoding: .utf8)) ?? ""
    let free = rules.replacingOccurrences(
        of: "requests-per-second [0-9]+ burst [0-9]+", with: "requests-per-second unlimited",
        options: .regularExpression)
    let named = ["schedcp-admin": 990, "schedcp-agents": 991, "schedcp-verifiers": 992].reduce(free) {
        $0.replacingOccurrences(of: "group \($1.key) ", with: "group \($1.value) ")
    }
    try? named.write(toFile: folder + "/policy/rules.conf", atomically: true, encoding: .utf8)
    let configuration = DaemonConfiguration(
        stateFolder: folder, schedulersFolder: folder + "/none", rulesFolder: folder + "/policy",
        auditFolder: folder + "/audit", ejectSocket: folder + "/none.sock")
    return try? Services(
        configuration, schedExt: SchedExt(folder: "/nonexistent"),
        logger: Logger(label: "fuzz", factory: { _ in SwiftLogNoOpLogHandler() }))
}()

private let actors = [
    Actor(uid: 1, gid: 1, pid: 1, groups: [], user: "observer"),
    Actor(uid: 2, gid: 2, pid: 1, groups: [991], user: "agent"),
    Actor(uid: 3, gid: 3, pid: 1, groups: [990], user: "operator"),
    Actor(uid: 4, gid: 4, pid: 1, groups: [992], user: "verifier"),
    Actor(uid: 0, gid: 0, pid: 1, groups: [], user: "root"),
]
/// One client's whole visit. On a loop that the services' own threads may reach.
private func visit(_ services: Services, _ actor: Actor, greets: Bool, _ bytes: ByteBuffer) async {
    let channel = NIOAsyncTestingChannel()
    defer { services.leave(actor) }
    try? await channel.testingEventLoop.executeInContext {
        try channel.pipeline.syncOperations.addHandler(try services.handler(for: actor))
    }
    _ = try? await channel.connect(to: SocketAddress(unixDomainSocketPath: "/fuzz"))
    if greets {
        var hello = WireRequest()
        hello.id = 1
        (hello.hello.protocolMin, hello.hello.protocolMax) = (1, 1)
        if let frame = try? Frame.encode(hello) { _ = try? await channel.writeInbound(frame) }
    }
    _ = try? await channel.writeInbound(bytes)
    // What waits is given a moment; what is not answered then is answered to nobody.
    for _ in 0..<3 {
        await Task.yield()
        await channel.testingEventLoop.run()
    }
    while let answer = try? await channel.readOutbound(as: ByteBuffer.self) {
        precondition(answer.readableBytes <= Frame.answerLimit + Frame.headerBytes)
    }
    _ = try? await channel.finish(acceptAlreadyClosed: true)
}

@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let services else { preconditionFailure("the services could not be made") }
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = bytes.first else { return 0 }
    // Either bytes as they are, or one message in a frame that fits it.
    var buffer = ByteBuffer()
    let payload = bytes.dropFirst()
    if first & 0x40 == 0 { buffer.writeInteger(UInt32(payload.count)) }
    buffer.writeBytes(payload)
    let done = DispatchSemaphore(value: 0)
    let (input, actor) = (buffer, actors[Int(first) % actors.count])
    Task.detached {
        await visit(services, actor, greets: first & 0x80 == 0, input)
        done.signal()
    }
    done.wait()
    return 0
}
