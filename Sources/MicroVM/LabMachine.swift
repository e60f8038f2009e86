import Linux

/// What may be different from one lab machine to the next.
package struct LabOptions: Hashable, Sendable {
    package var topology = Topology(cpus: 2)
    /// MiB.
    package var memory = 2048
    /// Folders that are laid over the system, after SchedCP.
    package var roots: [String] = []
    /// Until the machine is ended whatever it does; nil for never.
    package var lifetime: Duration?
    package var bootLimit = MicroVMDefaults.bootLimit
    package var consoleFile: String?
    package var kernelArguments: [String] = []
    /// Verifies on this computer for SchedCP in the machine; nil for none, and then nothing is deployed there that is not
    /// attested elsewhere.
    package var verifier: LabVerifier? = LabVerifier.locate()

    package init() {}
}

/// Boots a lab machine with SchedCP in it, waits until its systemd has started everything, and runs `body` as
/// ``withVirtualMachine(_:cache:folder:_:)`` does. An image is built first where there is none and this user can. A boot
/// that fails for ``MachineError/Code/emulatorFault`` is tried again, twice.
nonisolated(nonsending) package func withLabMachine<R: Sendable>(
    _ options: LabOptions = LabOptions(), lab given: Lab? = nil,
    _ body: nonisolated(nonsending) (QEMUMachine) async throws -> R
) async throws -> R {
    let lab = try given ?? Lab.locate()
    let image = try await lab.image()
    var attempts = 3
    while true {
        var hasBegun = false
        do {
            let folder = try await preparedFolder(lab, options)
            let spec = options.spec(image, payload: "\(folder)/payload.tar")
            return try await withVirtualMachine(spec, cache: lab.cache, folder: folder) { machine in
                let verifying = options.verifier?.serve(folder: folder, image: image, cache: lab.cache)
                defer { verifying?.cancel() }
                _ = try await machine.waitUntilRunning(timeout: options.bootLimit)
                hasBegun = true
                return try await body(machine)
            }
        } catch let error as MachineError where error.code == .emulatorFault && !hasBegun && attempts > 1 {
            attempts -= 1
        }
    }
}

/// A machine's private folder with the payload in it.
private func preparedFolder(_ lab: Lab, _ options: LabOptions) async throws -> String {
    let folder: String
    do { folder = try HostFile.privateFolder("schedcp-vm") } catch { throw MachineError(.system, "\(error)") }
    do {
        let key = try await options.verifier?.key(cache: lab.cache)
        try await lab.writePayload(to: "\(folder)/payload.tar", roots: options.roots, verifierKey: key)
    } catch {
        HostFile.remove("\(folder)/payload.tar")
        HostFile.removeFolder(folder)
        throw error
    }
    return folder
}

extension LabOptions {
    fileprivate func spec(_ image: LabImage, payload: String) -> MachineSpec {
        var spec = image.spec(payload: payload)
        spec.topology = topology
        spec.memory = memory
        spec.lifetime = lifetime
        spec.bootLimit = bootLimit
        spec.consoleFile = consoleFile
        spec.kernelArguments += kernelArguments
        if verifier != nil { spec.ports.append(LabVerifier.port) }
        return spec
    }
}
