package import Kernel
import Linux
package import Model

/// A deployment as the repository and the rules have let it through: the bytes, and what to set in them.
package struct DeploymentRequest: Sendable {
    /// The repository's name, or "object".
    package var scheduler: String
    package var object: [UInt8]
    package var settings: [Setting]
    /// Checked against the description; empty for a raw object, whose settings are checked against its own BTF.
    package var values: [ParameterValue]?
    package var hints: [Hint]
    package var hintMaps: [Hint.Kind: String]
    package var actor: Actor
    /// By what it may touch the machine's scheduler: nothing is deployed without.
    package var authority: Authority
    /// Judges what the loaded programs use; throws where the rules do not permit it.
    package var judge: @Sendable (ObjectUse) throws(Failure) -> Void
    /// What of it can be read and changed while it runs.
    package var live = LiveDescription.none
    /// Changes of an earlier deployment of it, which are made before it is attached.
    package var tuned = TuningValues()
    /// They could not be made.
    package let lost = Mark()
    /// CPU time that the load took, for the budget of who asked.
    package let meter = Meter()
    /// Replace a scheduler that somebody else loaded.
    package var takeover: Bool

    package init(
        scheduler: String, object: [UInt8], settings: [Setting], values: [ParameterValue]?, hints: [Hint],
        hintMaps: [Hint.Kind: String], actor: Actor, authority: Authority, takeover: Bool,
        judge: @escaping @Sendable (ObjectUse) throws(Failure) -> Void
    ) {
        self.scheduler = scheduler
        self.object = object
        self.settings = settings
        self.values = values
        self.hints = hints
        self.hintMaps = hintMaps
        self.actor = actor
        self.authority = authority
        self.judge = judge
        self.takeover = takeover
    }

    /// Opens, sets, loads: everything up to the point where the machine's scheduling changes.
    func load(abi: KernelABI, topology: CPUTopology) throws(Failure) -> LoadedScheduler {
        let start = Clock.threadCPU()
        defer { meter.add(Clock.threadCPU() - start) }
        let loaded = try fillAndLoad(abi, topology)
        try judge(try loaded.use(abi: abi))
        return loaded
    }

    /// Loads and attaches it. Whether the kernel runs it is for the caller to look at.
    package func attach() throws(Failure) -> AttachedScheduler {
        try load(abi: try KernelABI.read(), topology: CPUTopology.read()).attach(hintMaps: hintMaps)
    }

    private func fillAndLoad(_ abi: KernelABI, _ topology: CPUTopology) throws(Failure) -> LoadedScheduler {
        var opened = try OpenedScheduler.open(object, label: "schedcp")
        try opened.fillConstants(from: abi)
        try opened.fillTopology(topology)
        let checked: [ParameterValue]
        if let values { checked = values } else { checked = try opened.values(of: settings) }
        for value in checked { try opened.set(value) }
        let loaded = try opened.load()
        for kind in Hint.Kind.allCases {
            let ofKind = hints.filter { $0.kind == kind }
            guard !ofKind.isEmpty else { continue }
            guard let map = hintMaps[kind] else {
                throw Failure(.invalidArgument, "'\(scheduler)' takes no hints by \(kind.rawValue)")
            }
            var entries: [(key: [UInt8], nanoseconds: UInt64)] = []
            for hint in ofKind { entries.append((try Self.key(of: hint), hint.nanoseconds)) }
            try loaded.fill(map: map, with: entries)
        }
        if !tuned.isEmpty {
            // They are no reason to do without the scheduler.
            do throws(Failure) { try loaded.live(hintMaps: hintMaps).apply(tuned) } catch { lost.set() }
        }
        return loaded
    }

    private static func key(of hint: Hint) throws(Failure) -> [UInt8] {
        HintKey.bytes(try HintValue(resolving: hint))
    }
}

extension HintValue {
    /// The place that a hint has in the scheduler's map now.
    init(resolving hint: Hint) throws(Failure) {
        let id = hint.kind == .cgroup ? try Cgroup.id(path: hint.key) : 0
        self.init(hint.kind, key: hint.key, cgroupID: id, nanoseconds: hint.nanoseconds)
    }
}
