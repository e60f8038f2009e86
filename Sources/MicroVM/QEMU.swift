import GuestProtocol
import Linux
import Subprocess

/// Boots a machine, runs `body` with it, and ends it.
///
/// Where the machine has an agent, `body` begins after its hello. The machine is thrown away when `body` returns or
/// throws, when the task is cancelled, and when this program dies. Throws ``MachineError``, with the console's last
/// lines where they explain something, or what `body` throws.
///
/// `cache` is the folder that remembers which accelerator works on this computer. `folder`, from
/// ``HostFile/privateFolder(_:)``, becomes the machine's own and goes with it.
nonisolated(nonsending) package func withVirtualMachine<R: Sendable>(
    _ spec: MachineSpec, cache: CacheFolder = .standard, folder: String? = nil,
    _ body: nonisolated(nonsending) (QEMUMachine) async throws -> R
) async throws -> R {
    var accelerator = spec.accelerator
    if accelerator == nil { accelerator = try await AcceleratorProbe(cache: cache).choose(for: spec) }
    return try await QEMU(try await QEMU.find()).run(spec, accelerator ?? .tcg, folder: folder, body)
}

/// The version line of the emulator that machines run in. Throws ``MachineError/Code/missing`` where there is none.
package func emulatorVersion() async throws -> String { try await QEMU(try await QEMU.find()).version() }

/// The QEMU of this computer.
struct QEMU: Sendable {
    static let program = "qemu-system-x86_64"
    static let agentSocket = GuestProtocol.portName + ".sock"

    let path: String

    init(_ path: String) { self.path = path }

    /// Throws ``MachineError/Code/missing``.
    static func find() async throws(MachineError) -> String {
        for (program, package) in [(program, "qemu-system-x86"), ("setpriv", "util-linux")] {
            guard HostFile.program(program) != nil else {
                throw MachineError(
                    .missing, "a virtual machine needs \(program), which is not installed",
                    hint: "On Debian: apt-get install \(package)")
            }
        }
        return HostFile.program(program) ?? program
    }

    /// `qemu-system-x86_64 --version`'s first line.
    func version() async throws -> String {
        let result = try await Subprocess.run(
            .name("sh"), arguments: ["-c", "exec \"$0\" --version", path], output: .string(limit: 4096),
            error: .discarded)
        return String(result.standardOutput.prefix { $0 != "\n" })
    }

    nonisolated(nonsending) func run<R: Sendable>(
        _ spec: MachineSpec, _ accelerator: Accelerator, folder given: String? = nil,
        _ body: nonisolated(nonsending) (QEMUMachine) async throws -> R
    ) async throws -> R {
        for file in [spec.kernel] + (spec.initrd.map { [$0] } ?? []) + spec.disks.map(\.file) {
            guard HostFile.isReadable(file) else { throw MachineError(.missing, "\(file) cannot be read") }
        }
        let folder: String
        do { folder = try given ?? HostFile.privateFolder("schedcp-vm") } catch {
            throw MachineError(.system, "\(error)")
        }
        let run = try MachineRun(
            spec: spec, accelerator: accelerator, folder: folder,
            command: [path] + QEMUCommand(spec, accelerator: accelerator, folder: folder).arguments)
        return try await run.run(body)
    }
}

/// One machine from its start to its end.
private struct MachineRun {
    let spec: MachineSpec
    let command: [String]
    let machine: QEMUMachine
    /// What QEMU and the supervisor say on standard error.
    let complaints: ConsoleLog

    init(spec: MachineSpec, accelerator: Accelerator, folder: String, command: [String]) throws(MachineError) {
        self.spec = spec
        self.command = command
        complaints = try ConsoleLog(capacity: 16 * 1024)
        machine = QEMUMachine(
            console: try ConsoleLog(file: spec.consoleFile), folder: folder, accelerator: accelerator,
            session: GuestSession(), stopped: Promise())
    }

    nonisolated(nonsending) func run<R: Sendable>(
        _ body: nonisolated(nonsending) (QEMUMachine) async throws -> R
    ) async throws -> R {
        var options = PlatformOptions()
        // Control-C at a terminal is for this program; it then ends the machine in good order.
        options.processGroupID = 0
        options.teardownSequence = [.send(signal: .terminate, allowedDurationToNextStep: .seconds(5))]
        let outcome = try await Subprocess.run(
            .name("sh"),
            arguments: Arguments(Supervisor.arguments(folder: machine.folder, command: command)),
            environment: .inherit.updating(["TMPDIR": machine.folder, "LC_ALL": "C"]),
            platformOptions: options,
            input: .inputWriter, output: .sequence, error: .sequence
        ) { execution in
            await attend(
                output: execution.standardOutput, errors: execution.standardError,
                end: { try? await execution.standardInputWriter.finish() }, body)
        }
        do {
            return try outcome.closureResult.get()
        } catch let error as MachineError where error.code == .stopped && EmulatorFault.isIn(machine.console.text) {
            throw MachineError(
                .emulatorFault, "\(error.message): \(EmulatorFault.explanation)", console: error.console,
                hint: "Try again, or install a newer QEMU.")
        }
    }

    /// Runs `body` beside the tasks that keep the machine's outputs flowing.
    nonisolated(nonsending) private func attend<R: Sendable>(
        output: SubprocessOutputSequence, errors: SubprocessOutputSequence,
        end: @escaping @Sendable () async -> Void,
        _ body: nonisolated(nonsending) (QEMUMachine) async throws -> R
    ) async -> Result<R, any Error> {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                async let said: Void = Self.copy(errors, to: complaints)
                await Self.copy(output, to: machine.console)
                await said
                if !Task.isCancelled { ended() }
            }
            if spec.hasAgent {
                group.addTask {
                    let socket = "\(machine.folder)/\(QEMU.agentSocket)"
                    let error = await machine.session.serve(socket: socket, startLimit: spec.bootLimit)
                    // The emulator's end says more than the end of its socket; it comes within the moment, if it does.
                    _ = try? await machine.waitUntilStopped(timeout: .seconds(3))
                    machine.session.end(error.with(console: lastWords))
                }
            }
            if let lifetime = spec.lifetime {
                group.addTask {
                    guard (try? await Task.sleep(for: lifetime)) != nil else { return }
                    machine.session.end(
                        MachineError(.timedOut, "the machine's time, \(lifetime.inSeconds), is over"))
                    await end()
                }
            }
            let result: Result<R, any Error>
            do {
                if spec.hasAgent { try await waitForAgent() }
                result = .success(try await body(machine))
            } catch {
                result = .failure(error)
            }
            await end()
            group.cancelAll()
            return result
        }
    }

    private func waitForAgent() async throws {
        do {
            _ = try await withDeadline(spec.bootLimit, "booting the machine") { try await machine.guest }
        } catch let error as MachineError where error.console.isEmpty {
            throw error.with(console: lastWords)
        }
    }

    private func ended() {
        let exit = Supervisor.exit(in: complaints.text)
        machine.stopped.fulfil(
            exit.map { .success($0) }
                ?? .failure(MachineError(.stopped, "the machine's supervisor was killed")))
        let how =
            switch exit {
            case .status(0): "the machine has ended"
            case .status(let status): "the emulator ended with status \(status)"
            case .signal(let signal): "the emulator was ended by signal \(signal)"
            case nil: "the machine's supervisor was killed"
            }
        machine.session.end(MachineError(.stopped, how, console: lastWords))
    }

    private var lastWords: [String] {
        machine.console.tail() + Supervisor.withoutMarker(complaints.tail(8))
    }

    private static func copy(_ source: SubprocessOutputSequence, to log: ConsoleLog) async {
        do {
            for try await buffer in source { log.append(buffer.withUnsafeBytes { Array($0) }) }
        } catch {
            // The pipe ends with the machine; how it ends is the supervisor's to say.
        }
    }
}

/// Before version 8.1, QEMU's translator could keep an instruction that another processor of the guest had replaced
/// while it was being translated (fixed by "accel/tcg: Always lock pages before translation"). A Linux guest that patches
/// its own code, as it does when it switches a static branch, then stops at a breakpoint that is no longer there. Seen in
/// one of thirty boots with four processors.
enum EmulatorFault {
    static let explanation = "its kernel hit a fault of this QEMU's translator"

    static func isIn(_ console: String) -> Bool { console.contains("Oops: int3:") }
}
