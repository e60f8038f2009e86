import Daemon
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
private var inputs = 0

@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let services else { preconditionFailure("the services could not be made") }
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = bytes.first else { return 0 }
    let actor = actors[Int(first) % actors.count]
    guard let handler = try? services.handler(for: actor) else { preconditionFailure("no place") }
    let channel = EmbeddedChannel(handler: handler)
    try? channel.connect(to: SocketAddress(unixDomainSocketPath: "/fuzz")).wait()
    if first & 0x80 == 0 {
        var hello = WireRequest()
        hello.id = 1
        (hello.hello.protocolMin, hello.hello.protocolMax) = (1, 1)
        if let frame = try? Frame.encode(hello) { _ = try? channel.writeInbound(frame) }
    }
    // Either bytes as they are, or one message in a frame that fits it.
    var buffer = ByteBuffer()
    let payload = bytes.dropFirst()
    if first & 0x40 == 0 { buffer.writeInteger(UInt32(payload.count)) }
    buffer.writeBytes(payload)
    _ = try? channel.writeInbound(buffer)
    // What waits is given a moment; what is not answered then is answered to nobody.
    inputs += 1
    if inputs % 64 == 0 { usleep(200) }
    channel.embeddedEventLoop.run()
    while let answer = try? channel.readOutbound(as: ByteBuffer.self) {
        precondition(answer.readableBytes <= Frame.answerLimit + Frame.headerBytes)
    }
    _ = try? channel.finish(acceptAlreadyClosed: true)
    services.leave(actor)
    return 0
}
