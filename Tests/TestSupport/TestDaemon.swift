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

    private init(_ folder: TemporaryFolder, _ environment: [String: String]) throws {
        self.folder = folder
        var arguments = ["--socket", folder.path("run/schedcp.sock"), "--state", folder.path("state")]
        arguments += ["--schedulers", folder.path("schedulers"), "--eject-socket", folder.path("eject.sock")]
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
        return folder
    }

    /// Starts one and returns when it serves.
    package static func start(
        in folder: TemporaryFolder, environment: [String: String] = [:]
    ) async throws -> TestDaemon {
        if Checkout.isRoot, let nobody = Accounts.user(named: "nobody") {
            for name in ["state", "run"] { try folder.give(name, to: nobody.uid, nobody.gid) }
        }
        let daemon = try TestDaemon(folder, environment)
        let serves = await eventually {
            !daemon.process.isRunning || (try? RawClient.greeted(daemon.socket)) != nil
        }
        guard serves, daemon.process.isRunning else {
            throw Lacking("schedcpd did not start:\n\(daemon.process.errors)")
        }
        return daemon
    }

    package static func start() async throws -> TestDaemon { try await start(in: folder()) }

    package func client() throws -> RawClient { try RawClient.greeted(socket) }

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

    /// Its number of descriptors once nobody is connected: then its only socket is the one that listens.
    package func quietDescriptors() async -> Int {
        _ = await eventually { facts.sockets == 1 }
        return facts.descriptors
    }
}
