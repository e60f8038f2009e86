import GuestProtocol
import Subprocess

@testable import Linux
@testable import MicroVM

/// The agent of this build as a process of this computer, behind the same session that talks to a virtual machine.
enum LocalAgent {
    /// Runs `body` with a machine that is this computer; its commands run as the tests' user.
    static func with<R: Sendable>(_ body: (QEMUMachine) async throws -> R) async throws -> R {
        let folder = try HostFile.privateFolder("schedcp-agent")
        defer { HostFile.removeFolder(folder) }
        let machine = QEMUMachine(
            console: try ConsoleLog(), folder: folder, accelerator: .tcg, session: GuestSession(),
            stopped: Promise())
        let socket = folder + "/agent.sock"
        let outcome = try await Subprocess.run(
            .name("sh"), arguments: ["-c", "exec \"$0\" agent --listen \"$1\"", try program(), socket],
            input: .none, output: .discarded,
            error: .discarded
        ) { _ in
            await withTaskGroup(of: Void.self) { group -> Result<R, any Error> in
                group.addTask {
                    let error = await machine.session.serve(socket: socket, startLimit: .seconds(20))
                    machine.session.end(error)
                }
                let result: Result<R, any Error>
                do {
                    _ = try await withDeadline(.seconds(20), "the agent's hello") { try await machine.guest }
                    result = .success(try await body(machine))
                } catch {
                    result = .failure(error)
                }
                group.cancelAll()
                return result
            }
        }
        return try outcome.closureResult.get()
    }

    /// The product beside the test bundle.
    static func program() throws -> String {
        let own = HostFile.target(ofLink: "/proc/self/exe") ?? ""
        let path = own.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/schedcp-guest"
        guard HostFile.exists(path) else { throw MachineError(.missing, "\(path) was not built") }
        return path
    }
}

extension HostFile {
    /// Waits until `condition` holds; false after ten seconds.
    static func eventually(_ condition: () -> Bool) async -> Bool {
        for _ in 0..<1000 {
            if condition() { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return condition()
    }
}
