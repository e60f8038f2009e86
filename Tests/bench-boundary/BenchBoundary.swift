// bench-boundary: what authorisation and audit cost. The daemon's own handlers without a socket, alternately with the whole
// request and with the boundary alone, so that both are measured at the same moments.

import Access
import Daemon
import Foundation
import Kernel
import Logging
import Model
import NIOCore
import NIOEmbedded
import Wire

@main
struct BenchBoundary {
    static let folder = NSTemporaryDirectory() + "schedcp-bench-\(ProcessInfo.processInfo.processIdentifier)"
    static let root = Actor(uid: 0, gid: 0, pid: 1, groups: [], user: "root")

    static func main() async throws {
        let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 9
        try FileManager.default.createDirectory(atPath: folder + "/policy", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.copyItem(atPath: "policy/rules.conf", toPath: folder + "/policy/rules.conf")
        let services = try Services(
            DaemonConfiguration(
                stateFolder: folder, schedulersFolder: folder + "/none", rulesFolder: folder + "/policy",
                auditFolder: folder + "/audit", ejectSocket: folder + "/none.sock"),
            schedExt: SchedExt(), logger: Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() }))
        print("operation      whole       boundary     ratio with/without (each round)")
        try status(services, rounds: rounds)
        try await privileged(services, rounds: rounds)
    }

    private static func now() -> UInt64 { UInt64(ProcessInfo.processInfo.systemUptime * 1e9) }

    private static func nanoseconds(_ body: () throws -> Void) rethrows -> Double {
        let start = now()
        try body()
        return Double(now() - start)
    }

    private static func show(_ name: String, _ rows: [(whole: Double, boundary: Double)]) {
        let middle = rows.sorted { $0.whole < $1.whole }[rows.count / 2]
        let ratios = rows.map { $0.whole / max(1, $0.whole - $0.boundary) }.sorted()
        let all = ratios.map { String(format: "%.3f", $0) }.joined(separator: " ")
        print(
            name.padding(toLength: 13, withPad: " ", startingAt: 0),
            String(format: "%8.2f us %8.2f us", middle.whole / 1000, middle.boundary / 1000),
            String(format: "  median %.3f (%@)", ratios[ratios.count / 2], all))
    }

    /// A status through the handler, and the boundary's part of it alone.
    private static func status(_ services: Services, rounds: Int) throws {
        let channel = EmbeddedChannel(handler: try services.handler(for: root))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/bench")).wait()
        try channel.writeInbound(try Frame.encode(request { ($0.hello.protocolMin, $0.hello.protocolMax) = (1, 1) }))
        _ = try channel.readOutbound(as: ByteBuffer.self)
        let frame = try Frame.encode(request { $0.status = .init() })
        let count = 20_000
        func whole() throws {
            for _ in 0..<count {
                try channel.writeInbound(frame)
                while try channel.readOutbound(as: ByteBuffer.self) != nil {}
            }
        }
        try whole()
        var rows: [(whole: Double, boundary: Double)] = []
        for _ in 0..<rounds {
            let all = try nanoseconds { try whole() }
            let part = try nanoseconds { try services.pass(root, .status, times: count) }
            rows.append((all / Double(count), part / Double(count)))
        }
        show("status", rows)
    }

    /// The cheapest privileged operation, a rollback of nothing, through the handler with its two synced records; and those
    /// two alone.
    private static func privileged(_ services: Services, rounds: Int) async throws {
        var rows: [(whole: Double, boundary: Double)] = []
        let count = 50
        for _ in 0..<rounds {
            let start = now()
            for _ in 0..<count { try await services.rollbackAsAsked(by: root) }
            let all = Double(now() - start)
            let part = try nanoseconds { for _ in 0..<count { try services.auditTwice(root) } }
            rows.append((all / Double(count), part / Double(count)))
        }
        show("rollback", rows)
    }

    private static func request(_ fill: (inout WireRequest) -> Void) -> WireRequest {
        var request = WireRequest()
        request.id = 1
        fill(&request)
        return request
    }
}
