import ArgumentParser
import Dispatch
import FoundationEssentials
import GuestProtocol
import Linux
import MicroVM

/// `schedctl lab`: a machine with a sched_ext kernel, for those who have none.
struct LabCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "Try SchedCP in a virtual machine with a sched_ext kernel.",
        discussion: """
            The lab is Debian with systemd, a kernel with sched_ext and this SchedCP, in a virtual machine that is
            thrown away afterwards. It needs QEMU; building its image needs root once, running it does not.

            Examples:
              schedctl lab build
              schedctl lab run -- schedctl doctor
              schedctl lab shell
            """,
        subcommands: [Build.self, Run.self, Shell.self])

    struct Build: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the lab's image, or find it up to date.",
            discussion: """
                Fetches Debian and the newest kernel with sched_ext from this machine's own Debian mirror and makes
                a disk image in the cache (SCHEDCP_CACHE, default ~/.cache/schedcp). Runs at once when an image of
                this recipe and kernel is there. SchedCP itself is added when a machine boots, so a new build of it
                needs no new image.

                Examples:
                  schedctl lab build
                  schedctl lab build --json | jq -r .folder
                """)

        @Flag(help: "Print the result as JSON.")
        var json = false

        func run() async throws {
            let lab = try Lab.locate()
            let before = try await lab.state()
            let image = try await lab.build()
            let result = BuildResult(
                folder: image.folder, kernel: image.release, built: before != .ready(image),
                seconds: image.buildSeconds)
            guard json else {
                let how = result.built ? "built in \(result.seconds) s" : "up to date"
                print("\(image.folder): Linux \(image.release), \(how)")
                return
            }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(result), as: UTF8.self))
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Boot the lab, run a command in it, and exit with the command's status.",
            discussion: """
                The command's standard output and error come out separately, and a standard input that is not a
                terminal goes in. Status 124: the time was over. 125: the machine did not come up. 127: there is no
                such command in it.

                Examples:
                  schedctl lab run -- uname -r
                  schedctl lab run --cpus 4 --memory 4096 -- sh -c 'nproc; free -m'
                  schedctl lab run --user alice -- schedctl status
                """)

        @OptionGroup var machine: MachineArguments

        @Option(help: "Seconds that the command may take.")
        var timeout: Int?

        @Argument(parsing: .postTerminator, help: "The command and its arguments, after --.")
        var command: [String]

        func validate() throws {
            guard timeout.map({ (1...86400).contains($0) }) ?? true else {
                throw ValidationError("--timeout takes 1 to 86400 seconds")
            }
            guard !words.isEmpty else { throw ValidationError("no command; write it after --") }
        }

        private var words: [String] { command.first == "--" ? Array(command.dropFirst()) : command }

        func run() async throws {
            var request = GuestCommand.request(words, user: machine.user)
            request.timeout = UInt32(timeout ?? 0) * 1000
            let asked = request
            let exit = try await LabCommand.reporting {
                try await withLabMachine(machine.options) { machine in
                    try await LabTerminal.run(asked, in: machine)
                }
            }
            if exit.timedOut { LabTerminal.say("the command took longer than \(timeout ?? 0) s") }
            throw ExitCode(exit.timedOut ? 124 : exit.shellStatus)
        }
    }

    struct Shell: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Boot the lab and work in it.",
            discussion: """
                The machine is thrown away when the shell ends. Control-] leaves it at once.

                Examples:
                  schedctl lab shell
                  schedctl lab shell --user alice --cpus 4
                """)

        @OptionGroup var machine: MachineArguments

        func run() async throws {
            guard HostTerminal.isTerminal(0) else {
                throw ValidationError("a shell needs a terminal; use: schedctl lab run -- sh < FILE")
            }
            LabTerminal.say("booting the lab; Control-] leaves it")
            let user = machine.user
            let exit = try await LabCommand.reporting {
                try await withLabMachine(machine.options) { machine in
                    try await LabTerminal.shell(as: user, in: machine)
                }
            }
            throw ExitCode(exit)
        }
    }

    /// Errors of the lab itself have a status that commands in it rarely use.
    private static func reporting<R: Sendable>(_ body: () async throws -> R) async throws -> R {
        do {
            return try await body()
        } catch let error as MachineError {
            LabTerminal.say("\(error)")
            throw ExitCode(error.code == .refused ? 127 : 125)
        }
    }
}

/// The options of a machine.
struct MachineArguments: ParsableArguments {
    @Option(help: "Processors of the machine.")
    var cpus = 2

    @Option(help: "Memory of the machine, MiB.")
    var memory = 2048

    @Option(help: "The user in the machine: root, alice or bob.")
    var user = "root"

    @Option(help: ArgumentHelp("Write the machine's console to this file.", valueName: "file"))
    var console: String?

    func validate() throws {
        guard (1...255).contains(cpus) else { throw ValidationError("--cpus takes 1 to 255") }
        guard (512...1_048_576).contains(memory) else {
            throw ValidationError("--memory takes 512 to 1048576 MiB")
        }
    }

    var options: LabOptions {
        var options = LabOptions()
        options.topology = Topology(cpus: cpus)
        options.memory = memory
        options.consoleFile = console
        return options
    }
}

/// What `lab build --json` prints.
private struct BuildResult: Encodable {
    let folder: String
    let kernel: String
    let built: Bool
    let seconds: Int
}

/// A command in a machine, tied to this program's own standard streams.
enum LabTerminal {
    static func say(_ text: String) {
        try? HostFile.write(Array("schedctl: \(text)\n".utf8)[...], to: 2)
    }

    static func run(_ request: CommandRequest, in machine: QEMUMachine) async throws -> CommandExit {
        let process = try await machine.start(request)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                if !HostTerminal.isTerminal(0) { try await copyInput(to: process) { _ in true } }
                try await process.closeInput()
            }
            defer { group.cancelAll() }
            return try await copyOutput(of: process)
        }
    }

    /// Gives the shell's exit status, or 0 when the person left with Control-].
    static func shell(as user: String, in machine: QEMUMachine) async throws -> Int32 {
        var request = GuestCommand.request(["/bin/bash", "-l"], user: user)
        request.environment.removeAll { $0.hasPrefix("TERM=") || $0.hasPrefix("SYSTEMD_") }
        request.environment.append("TERM=\(HostFile.environment("TERM") ?? "vt100")")
        request.folder = user == "root" ? "/root" : "/home/\(user)"
        let size = HostTerminal.size(of: 0)
        request.terminal = TerminalSize(rows: size?.rows ?? 24, columns: size?.columns ?? 80)
        let process = try await machine.start(request)
        let raw = try HostTerminal.RawMode(0)
        defer { withExtendedLifetime(raw) {} }
        return try await withThrowingTaskGroup(of: Int32?.self) { group in
            group.addTask {
                try await copyInput(to: process) { !$0.contains(0x1D) }
                return 0
            }
            group.addTask { try await copyOutput(of: process).shellStatus }
            defer { group.cancelAll() }
            return try await group.next().flatMap { $0 } ?? 0
        }
    }

    private static func copyOutput(of process: GuestProcess) async throws -> CommandExit {
        while let event = try await process.next() {
            switch event {
            case .stdout(let data): try HostFile.write(data[...], to: 1)
            case .stderr(let data): try HostFile.write(data[...], to: 2)
            case .exited(let exit): return exit
            }
        }
        throw MachineError(.stopped, "the command's end never came")
    }

    /// Copies standard input until its end, or until `goesOn` says no to what was typed; tells the command when the
    /// terminal's size changes.
    private static func copyInput(to process: GuestProcess, while goesOn: ([UInt8]) -> Bool) async throws {
        var size = HostTerminal.size(of: 0)
        while true {
            try Task.checkCancellation()
            if let now = HostTerminal.size(of: 0), size.map({ $0 != now }) ?? true {
                size = now
                try await process.resize(TerminalSize(rows: now.rows, columns: now.columns))
            }
            guard let bytes = await nextInput() else { continue }
            guard !bytes.isEmpty, goesOn(bytes) else { return }
            try await process.write(bytes)
        }
    }

    /// What comes within a fifth of a second; nil when nothing does, empty at the end. Waits on a thread of its own.
    private static func nextInput() async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                guard HostFile.waitReadable(0, milliseconds: 200) else {
                    return continuation.resume(returning: nil)
                }
                continuation.resume(returning: (try? HostFile.read(0, limit: 16 * 1024)) ?? [])
            }
        }
    }
}
