import Crypto
import GuestProtocol
import Linux
import MicroVM
package import Model

extension Trials {
    /// The most that a kernel's BTF takes, bytes.
    static let longestTypes = 64 << 20
    /// struct btf_header's magic, little-endian.
    private static let typesMagic: [UInt8] = [0x9F, 0xEB]

    /// What the kernel itself says that it is: boots it once and remembers the answer by the image's digest.
    ///
    /// Throws a ``Failure`` that says why a kernel cannot be booted here, or that it has no BTF.
    package func identify(
        events: @escaping @Sendable (TrialEvent) -> Void = { _ in }
    ) async throws(Failure) -> TrialKernelIdentity {
        let folder: String
        let image: [UInt8]
        do {
            folder = try CacheFolder(options.cache).folder("trials")
            image = try TextFile.readBytes(kernel.vmlinuz, limit: 256 << 20)
        } catch { throw Failure(.notFound, "the kernel image cannot be used: \(error)") }
        let base = "\(folder)/kernel-\(Hex.text(SHA256.hash(data: image)))"
        if let known = Self.known(base) { return known }
        let identity = try await ask(events)
        // Without a place to remember it, the next one asks again.
        try? GuestSystemImage.store(identity.btf, at: base + ".btf")
        try? HostFile.write("\(identity.release)\n\(identity.buildID)\n", to: base + ".identity")
        return identity
    }

    private static func known(_ base: String) -> TrialKernelIdentity? {
        guard
            let lines = try? TextFile.read(base + ".identity").split(separator: "\n", omittingEmptySubsequences: false),
            lines.count == 3, !lines[0].isEmpty, let btf = try? TextFile.readBytes(base + ".btf", limit: longestTypes),
            btf.starts(with: typesMagic)
        else { return nil }
        return TrialKernelIdentity(release: String(lines[0]), buildID: String(lines[1]), btf: btf)
    }

    private func ask(_ events: @escaping @Sendable (TrialEvent) -> Void) async throws(Failure) -> TrialKernelIdentity {
        let machine = try await self.machine()
        let limit = options.limits.boot + .seconds(60)
        var attempts = Tries.most
        events(.progress("booting the kernel to ask what it is"))
        while true {
            do {
                return try await withVirtualMachine(
                    machine.spec(.twoCPUs, lifetime: limit), cache: CacheFolder(options.cache)
                ) { try await Self.ask($0) }
            } catch let error as MachineError where error.code == .emulatorFault && attempts > 1 {
                attempts -= 1
            } catch let error as Failure {
                throw error
            } catch {
                throw Failure(.kernelUnsupported, "the kernel could not be asked what it is: \(error)")
            }
        }
    }

    private static func ask(_ machine: QEMUMachine) async throws -> TrialKernelIdentity {
        let transcript = Kept(TrialTranscript())
        let end = try await TrialMachine.run(["identify"], in: machine, limit: .seconds(20)) { record in
            transcript.change { $0.add(record) }
        }
        let said = transcript.value
        guard said.verdict == .passed, !said.release.isEmpty else {
            throw Failure(.kernelUnsupported, "the kernel did not say what it is: \(end.complaint ?? "no answer")")
        }
        let btf = try await machine.get("/sys/kernel/btf/vmlinux", limit: longestTypes)
        guard btf.starts(with: typesMagic) else {
            throw Failure(
                .kernelUnsupported, "the kernel \(said.release.escapedForDisplay(limit: 80)) has no BTF",
                hint: "a kernel with sched_ext is built with CONFIG_DEBUG_INFO_BTF=y")
        }
        return TrialKernelIdentity(release: said.release, buildID: said.buildID, btf: btf)
    }
}
