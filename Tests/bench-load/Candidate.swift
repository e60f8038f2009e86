import Kernel
import Linux
import Model

/// The scheduler that is measured: loaded, attached and detached by the steps of a deployment.
final class Candidate {
    let path: String
    private let bytes: [UInt8]
    private let settings: [Setting]
    private let abi: KernelABI
    private let topology = CPUTopology.read()
    private let kernel = SchedExt()
    private var attached: AttachedScheduler?
    private(set) var name = ""

    init(path: String, settings: [(name: String, value: String)]) throws {
        self.path = path
        self.settings = settings.map { Setting(name: $0.name, value: $0.value) }
        bytes = try TextFile.readBytes(path, limit: OpenedScheduler.maxObjectBytes)
        abi = try KernelABI.read()
    }

    /// Loads it anew, so that none begins with what another turn left in its maps, and attaches it.
    func attach(hints: [(name: String, nanoseconds: UInt64)]) throws(Failure) {
        var opened = try OpenedScheduler.open(bytes, label: "bench")
        try opened.fillConstants(from: abi)
        try opened.fillTopology(topology)
        for value in try opened.values(of: settings) { try opened.set(value) }
        let loaded = try opened.load()
        if !hints.isEmpty {
            try loaded.fill(
                map: "hint_comm",
                with: hints.map { (HintKey.bytes(HintValue(.process, key: $0.name, nanoseconds: nil)), $0.nanoseconds) }
            )
        }
        let now = try loaded.attach()
        name = now.name
        attached = consume now
        guard isAttached else { throw Failure(.ejected, reason) }
    }

    /// Does the kernel itself say that it schedules?
    var isAttached: Bool {
        let state = kernel.read()
        return state.state == "enabled" && (state.ops == name || state.ops.hasPrefix(name + "_"))
    }

    /// Why it ended.
    var reason: String { attached?.exitInfo()?.summary ?? "it is gone" }

    /// Puts the default scheduler back and waits until the kernel says so.
    func detach() throws {
        if let attached = attached.take() { _ = attached.detach() }
        for _ in 0..<500 where kernel.read().state != "disabled" { Worker.pause(microseconds: 10_000) }
        guard kernel.read().state == "disabled" else { throw SystemError("detach", code: 16) }
    }
}
