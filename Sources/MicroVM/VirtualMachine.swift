package import GuestProtocol

/// A running virtual machine. Values are valid within the scope that gave them, and may be used by many tasks at once.
package protocol VirtualMachine: Sendable {
    /// What the machine printed.
    var console: ConsoleLog { get }
    /// The machine's private folder on the host, gone with the machine.
    var folder: String { get }
    /// What executes it.
    var accelerator: Accelerator { get }
    /// The agent's greeting.
    var guest: Hello { get async throws }

    /// Starts a command in the machine. Throws ``MachineError``: refused when the guest's system does not start it.
    func start(_ request: CommandRequest) async throws -> GuestProcess
    /// Writes a file in the machine, whole or not at all.
    func put(_ content: [UInt8], to path: String, mode: UInt32) async throws
    /// Reads a file of at most `limit` bytes in the machine.
    func get(_ path: String, limit: Int) async throws -> [UInt8]
    /// Round trip to the agent: its clocks.
    func ping(timeout: Duration) async throws -> GuestClock
    /// Presses the power button and waits until the machine has ended. Throws ``MachineError/Code/timedOut``.
    func powerDown(timeout: Duration) async throws
    /// How the emulator ended, once it has.
    func waitUntilStopped(timeout: Duration) async throws -> MachineExit
}

/// The clocks of a guest, nanoseconds.
package struct GuestClock: Hashable, Sendable {
    package let sinceBoot: UInt64
    package let sinceEpoch: UInt64
}

/// How a machine ended.
package enum MachineExit: Hashable, Sendable {
    /// The emulator's exit status: 0 after power-off, after a reboot and, with `panic=-1`, after a panic.
    case status(Int32)
    /// The emulator was killed.
    case signal(Int32)
}

extension VirtualMachine {
    /// Runs shell text as `user` (nil: root) in the guest's `/`, and gives its status and what it printed.
    ///
    /// At `timeout` the guest kills the command's process group and the result has ``CommandResult/timedOut``. Throws
    /// ``MachineError`` when the machine ends, or does not answer for ten seconds beyond that.
    package func run(
        _ script: String, user: String? = nil, timeout: Duration = MicroVMDefaults.commandLimit,
        input: String = ""
    ) async throws -> CommandResult {
        try await run(["/bin/sh", "-c", script], user: user, timeout: timeout, input: Array(input.utf8))
    }

    /// Runs a program with these arguments; otherwise as ``run(_:user:timeout:input:)``.
    package func run(
        _ arguments: [String], user: String? = nil, timeout: Duration = MicroVMDefaults.commandLimit,
        input: [UInt8] = []
    ) async throws -> CommandResult {
        var request = GuestCommand.request(arguments, user: user)
        request.timeout = timeout.inMilliseconds
        request.outputLimit = UInt64(MicroVMDefaults.outputLimit)
        let asked = request
        return try await withDeadline(timeout + .seconds(10), "'\(arguments.joined(separator: " "))'") {
            let process = try await start(asked)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await process.write(input)
                    try await process.closeInput()
                }
                let result = try await process.collect()
                // A command that ends without reading its input leaves the writer waiting.
                group.cancelAll()
                return result
            }
        }
    }

    /// As ``run(_:user:timeout:input:)``, and throws ``MachineError/Code/commandFailed`` unless the status is 0.
    @discardableResult
    package func succeed(
        _ script: String, user: String? = nil, timeout: Duration = MicroVMDefaults.commandLimit
    ) async throws -> String {
        let result = try await run(script, user: user, timeout: timeout)
        guard result.isSuccess else {
            throw MachineError(.commandFailed, "'\(script)' in the machine: \(result.summary)")
        }
        return result.stdout
    }

    /// Starts shell text as `user` (nil: root), to talk with it while it runs. Without `timeout` it may run for ever.
    package func start(
        _ script: String, user: String? = nil, timeout: Duration? = nil, terminal: TerminalSize? = nil
    ) async throws -> GuestProcess {
        var request = GuestCommand.request(["/bin/sh", "-c", script], user: user)
        request.timeout = timeout?.inMilliseconds ?? 0
        request.terminal = terminal
        return try await start(request)
    }

    /// Waits until systemd in the machine has started everything; gives its state, "running" or "degraded".
    package func waitUntilRunning(timeout: Duration = MicroVMDefaults.bootLimit) async throws -> String {
        let result = try await run("systemctl is-system-running --wait", timeout: timeout)
        let state = result.stdout.split(separator: "\n").last.map(String.init) ?? ""
        guard ["running", "degraded"].contains(state) else {
            throw MachineError(.timedOut, "the machine's systemd did not come up: \(result.summary)")
        }
        return state
    }

    package func put(_ text: String, to path: String, mode: UInt32 = 0o644) async throws {
        try await put(Array(text.utf8), to: path, mode: mode)
    }
}

/// Commands as a lab machine runs them.
package enum GuestCommand {
    /// The environment of root's commands.
    static let environment = [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "USER=root",
        "LOGNAME=root", "SHELL=/bin/bash", "LANG=C.UTF-8", "TERM=dumb", "SYSTEMD_COLORS=0",
        "SYSTEMD_PAGER=cat",
    ]

    /// `user` nil or root: the command itself. Another: through setpriv(1), with that user's groups and environment.
    package static func request(_ arguments: [String], user: String?) -> CommandRequest {
        guard let user, user != "root" else {
            return CommandRequest(arguments: arguments, environment: environment)
        }
        let words = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "--reset-env", "--"]
        return CommandRequest(arguments: words + arguments, environment: environment)
    }
}
