import GuestProtocol
import Linux

/// Finds out whether the processor itself can run a machine here. That /dev/kvm opens proves nothing: under some
/// hypervisors a machine can be made and never runs a kernel. So boot one, with a time limit, and remember the answer
/// for this host kernel and this QEMU.
struct AcceleratorProbe: Sendable {
    /// A kernel on a working KVM is up in a second or two.
    static let limit: Duration = .seconds(20)

    /// What the lab's initramfs prints when the kernel's command line has `schedcp.probe`; scripts/lab/init.
    static let marker = "schedcp-lab: probe "

    let cache: CacheFolder

    /// An answer is only remembered where a kernel was really tried.
    func choose(for spec: MachineSpec) async throws -> Accelerator {
        guard HostFile.isWritable("/dev/kvm") else { return .tcg }
        let qemu = QEMU(try await QEMU.find())
        let question = "\(GuestSystem.kernelRelease) \(try await qemu.version())"
        let file = try cache.folder("accelerator") + "/\(Self.hexadecimal(Checksum.of(question.utf8)))"
        if let answer = Self.answer(in: file, to: question) { return answer }
        let answer: Accelerator = await works(spec, qemu) ? .kvm : .tcg
        // Without a place to remember it, the next machine asks again.
        try? HostFile.write("\(question)\n\(answer.rawValue)\n", to: file)
        return answer
    }

    private func works(_ spec: MachineSpec, _ qemu: QEMU) async -> Bool {
        var probe = MachineSpec(kernel: spec.kernel, initrd: spec.initrd, kernelArguments: ["schedcp.probe"])
        probe.hasAgent = false
        probe.memory = 256
        probe.topology = Topology(cpus: 1)
        probe.lifetime = Self.limit
        let said = try? await qemu.run(probe, .kvm) { machine in
            _ = try await machine.waitUntilStopped(timeout: Self.limit)
            return machine.console.text
        }
        return said?.split(separator: "\n").contains { $0.hasPrefix(Self.marker) } ?? false
    }

    static func answer(in file: String, to question: String) -> Accelerator? {
        guard let lines = try? TextFile.read(file).split(separator: "\n"), lines.count == 2,
            lines[0] == question
        else { return nil }
        return Accelerator(rawValue: String(lines[1]))
    }

    static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
