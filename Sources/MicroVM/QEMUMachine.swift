package import GuestProtocol

/// A machine in QEMU.
package struct QEMUMachine: VirtualMachine {
    package let console: ConsoleLog
    package let folder: String
    package let accelerator: Accelerator
    let session: GuestSession
    let stopped: Promise<MachineExit>

    package var guest: Hello {
        get async throws { try await session.greeting.value() }
    }

    package func start(_ request: CommandRequest) async throws -> GuestProcess {
        let channel = try await session.open { .execute(channel: $0, request) }
        switch try await withDeadline(.seconds(30), "starting a command", { try await channel.receive() }) {
        case .started(_, let process): return GuestProcess(identifier: process, channel: channel)
        case .failed(_, let failure): throw MachineError(.refused, failure.description)
        default:
            throw MachineError(.protocolViolation, "the agent did not say whether the command was started")
        }
    }

    package func put(_ content: [UInt8], to path: String, mode: UInt32) async throws {
        let channel = try await session.open { .putFile(channel: $0, path: path, mode: mode) }
        defer { session.close(channel) }
        try await withDeadline(Self.transferLimit(content.count), "writing \(path) in the machine") {
            try await channel.sendData(content, Message.fileData)
            try await channel.send(.fileEnd(channel: channel.number))
            switch try await channel.receive() {
            case .fileStored(_, let size) where size == content.count: return
            case .failed(_, let failure): throw MachineError(.refused, "\(path) in the machine: \(failure)")
            default: throw MachineError(.protocolViolation, "the agent stored something else at \(path)")
            }
        }
    }

    package func get(_ path: String, limit: Int = 16 * 1024 * 1024) async throws -> [UInt8] {
        let channel = try await session.open {
            .getFile(channel: $0, path: path, limit: UInt64(max(0, limit)))
        }
        defer { session.close(channel) }
        return try await withDeadline(Self.transferLimit(limit), "reading \(path) in the machine") {
            var content: [UInt8] = []
            while let message = try await channel.receive() {
                switch message {
                case .fileData(_, let data): content += data
                case .fileEnd: return content
                case .failed(_, let failure):
                    throw MachineError(.refused, "\(path) in the machine: \(failure)")
                default: break
                }
            }
            throw MachineError(.protocolViolation, "the agent did not send all of \(path)")
        }
    }

    package func ping(timeout: Duration = .seconds(10)) async throws -> GuestClock {
        try await withDeadline(timeout, "the agent's answer") { try await session.ping() }
    }

    package func powerDown(timeout: Duration = .seconds(60)) async throws {
        try await control.execute("system_powerdown")
        _ = try await waitUntilStopped(timeout: timeout)
    }

    package func waitUntilStopped(timeout: Duration) async throws -> MachineExit {
        try await withDeadline(timeout, "the machine's end") { try await stopped.value() }
    }

    private var control: QMP { QMP(socket: folder + "/control.sock") }

    /// A quarter of a MiB a second, which an emulated machine exceeds many times, and half a minute to begin.
    private static func transferLimit(_ size: Int) -> Duration { .seconds(30 + size / (256 * 1024)) }
}
