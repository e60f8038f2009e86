import GuestProtocol
import Linux
import MicroVM
import Model

/// Boots the target kernel with the trial's initramfs, and runs the guest's commands in it.
struct TrialMachine: Sendable {
    let kernel: TrialKernel
    let initramfs: String
    let options: TrialOptions

    /// Bytes of standard error, and of records, that are read of one command.
    static let longestErrors = 64 * 1024
    static let longestOutput = 16 << 20

    /// Beside what a console and a panic need. A guest that patches its own code less, tests itself less and looks for
    /// less hardware starts sooner; an oops ends it at once.
    static let kernelArguments = [
        "quiet", "oops=panic", "mitigations=off", "tsc=reliable", "random.trust_cpu=on", "cryptomgr.notests", "nokaslr",
        "no_timer_check", "audit=0", "apparmor=0", "psi=1", "rcupdate.rcu_expedited=1", "8250.nr_uarts=1",
    ]

    func spec(_ shape: TrialShape, lifetime: Duration) -> MachineSpec {
        var spec = MachineSpec(
            kernel: kernel.vmlinuz, initrd: initramfs, kernelArguments: Self.kernelArguments, topology: shape.topology,
            memory: options.memory)
        spec.bootLimit = options.limits.boot
        spec.lifetime = lifetime
        spec.consoleFile = options.consoleFile
        return spec
    }

    /// Runs a command of the guest and hands on its records as they come. Throws ``MachineError`` when the machine ends,
    /// or does not answer for `grace` beyond `limit`, at which the guest ends the command.
    static func run(
        _ arguments: [String], in machine: some VirtualMachine, limit: Duration, grace: Duration = .seconds(10),
        record: @escaping @Sendable (TrialRecord) -> Void
    ) async throws -> GuestCommandEnd {
        var request = GuestCommand.request(["/init", "trial"] + arguments, user: nil)
        request.timeout = UInt32(clamping: max(1, limit.inNanoseconds / 1_000_000))
        let asked = request
        return try await withDeadline(limit + grace, "'\(arguments.first ?? "")' in the machine") {
            let process = try await machine.start(asked)
            try await process.closeInput()
            var decoder = TrialReportDecoder()
            var errors: [UInt8] = []
            var read = 0
            while let event = try await process.next() {
                switch event {
                case .stdout(let bytes):
                    read += bytes.count
                    // What a broken guest says for ever is read, so that it ends, and not kept.
                    if read <= longestOutput { decoder.append(bytes).forEach(record) }
                case .stderr(let bytes): errors += bytes.prefix(max(0, longestErrors - errors.count))
                case .exited(let exit):
                    return GuestCommandEnd(
                        exit: exit, errors: String(decoding: errors, as: UTF8.self), strangeLines: decoder.strangeLines)
                }
            }
            throw MachineError(.stopped, "the command's end never came")
        }
    }
}

/// How a command of the guest ended.
struct GuestCommandEnd: Hashable, Sendable {
    var exit: CommandExit
    var errors: String
    var strangeLines: Int

    /// One sentence for a command that did not end well; nil for one that did.
    var complaint: String? {
        let last = errors.split(separator: "\n").last.map { ": " + String($0).escapedForDisplay(limit: 300) } ?? ""
        switch exit.reason {
        case _ where exit.timedOut: return "it took too long and was ended" + last
        case .status(0): return nil
        case .status(let status): return "it ended with status \(status)" + last
        case .signal(let signal): return "it was ended by signal \(signal)" + last
        }
    }
}
