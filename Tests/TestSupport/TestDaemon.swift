import Foundation
import Linux
import Synchronization
import Wire

/// A real schedcpd of this build, on a socket and a state of its own. Where the tests run as root it gives root up for
/// `nobody`, as the installed one does for `schedcp`.
package final class TestDaemon: Sendable {
    package let folder: TemporaryFolder
    package let process: ChildProcess

    package var socket: String { folder.path("run/schedcp.sock") }
    package var facts: ProcessFacts { ProcessFacts(process.pid) }

    private let place: Places.Place

    private init(_ folder: TemporaryFolder, _ environment: [String: String], _ place: Places.Place) throws {
        self.folder = folder
        self.place = place
        var arguments = ["--socket", folder.path("run/schedcp.sock"), "--state", folder.path("state")]
        arguments += ["--schedulers", folder.path("schedulers"), "--eject-socket", folder.path("eject.sock")]
        arguments += ["--rules", folder.path("policy"), "--audit", folder.path("state/audit")]
        if Checkout.isRoot { arguments += ["--user", "nobody"] }
        var all = ProcessInfo.processInfo.environment
        for name in ["JOURNAL_STREAM", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC"] { all[name] = nil }
        process = try ChildProcess(
            try Checkout.program("schedcpd"), arguments, environment: all.merging(environment) { $1 })
    }

    /// A folder in which a daemon can start: `schedulers` as installed, `state` and `run` to write to.
    package static func folder() async throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try await Checkout.install(into: folder)
        try folder.makeFolder("state")
        try folder.makeFolder("run")
        try folder.makeFolder("policy")
        try folder.copy(Checkout.root + "/policy/rules.conf", to: "policy/rules.conf")
        return folder
    }

    /// Starts one and returns when it serves.
    package static func start(
        in folder: TemporaryFolder, environment: [String: String] = [:]
    ) async throws -> TestDaemon {
        if Checkout.isRoot, let nobody = Accounts.user(named: "nobody") {
            for name in ["state", "run"] { try folder.give(name, to: nobody.uid, nobody.gid) }
        }
        let daemon = try TestDaemon(folder, environment, await Places.forDaemons.take())
        let serves = await eventually {
            !daemon.process.isRunning || (try? daemon.client()) != nil
        }
        guard serves, daemon.process.isRunning else {
            throw Lacking("schedcpd did not start:\n\(daemon.process.errors)")
        }
        return daemon
    }

    package static func start() async throws -> TestDaemon { try await start(in: folder()) }

    /// A connection on which nothing was said yet.
    package func connect() throws -> RawClient { try RawClient(socket, of: self) }

    /// A client that has greeted.
    package func client() throws -> RawClient {
        let client = try connect()
        try client.greet()
        return client
    }

    /// Does it still answer?
    package func answers() -> Bool {
        guard let client = try? client(), let response = try? client.ask(2, .status(WireStatusRequest())) else {
            return false
        }
        if case .status = response.result { return true } else { return false }
    }

    /// Ends it as systemd would, and gives how it ended.
    @discardableResult
    package func stop() async -> ChildProcess.Ending {
        process.signal(SIGTERM)
        return await process.ending()
    }

    /// How many sockets the kernel knows that are connected to it, also those that it has not accepted yet.
    package var connections: Int {
        let lines = (try? TextFile.read("/proc/net/unix", limit: 1 << 24))?.split(separator: "\n") ?? []
        // One of them listens.
        return lines.count { $0.hasSuffix(" " + socket) } - 1
    }

    /// Its number of descriptors once the policy repository, which is opened beside everything else, is there and nobody is
    /// connected any more; -1 when somebody stays.
    package func quietDescriptors() async -> Int {
        // This is answered once it is open.
        _ = try? client().ask(2, .entries(WireEntriesRequest()))
        return await eventually { connections == 0 } ? facts.descriptors : -1
    }
}
