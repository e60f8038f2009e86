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

    package init() {}
}

/// Boots a lab machine with SchedCP in it, waits until its systemd has started everything, and runs `body` as
/// ``withVirtualMachine(_:cache:folder:_:)`` does. An image is built first where there is none and this user can.
nonisolated(nonsending) package func withLabMachine<R: Sendable>(
    _ options: LabOptions = LabOptions(), lab given: Lab? = nil,
    _ body: nonisolated(nonsending) (QEMUMachine) async throws -> R
) async throws -> R {
    let lab = try given ?? Lab.locate()
    let image = try await lab.image()
    let folder: String
    do { folder = try HostFile.privateFolder("schedcp-vm") } catch { throw MachineError(.system, "\(error)") }
    let payload = folder + "/payload.tar"
    do {
        try await lab.writePayload(to: payload, roots: options.roots)
    } catch {
        HostFile.remove(payload)
        HostFile.removeFolder(folder)
        throw error
    }
    var spec = image.spec(payload: payload)
    spec.topology = options.topology
    spec.memory = options.memory
    spec.lifetime = options.lifetime
    spec.bootLimit = options.bootLimit
    spec.consoleFile = options.consoleFile
    spec.kernelArguments += options.kernelArguments
    return try await withVirtualMachine(spec, cache: lab.cache, folder: folder) { machine in
        _ = try await machine.waitUntilRunning(timeout: options.bootLimit)
        return try await body(machine)
    }
}
