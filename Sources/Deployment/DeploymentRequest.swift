import Kernel
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
    /// Replace a scheduler that somebody else loaded.
    package var takeover: Bool

    package init(
        scheduler: String, object: [UInt8], settings: [Setting], values: [ParameterValue]?, hints: [Hint],
        hintMaps: [Hint.Kind: String], actor: Actor, takeover: Bool
    ) {
        self.scheduler = scheduler
        self.object = object
        self.settings = settings
        self.values = values
        self.hints = hints
        self.hintMaps = hintMaps
        self.actor = actor
        self.takeover = takeover
    }

    /// Opens, sets, loads: everything up to the point where the machine's scheduling changes.
    func load(abi: KernelABI, topology: CPUTopology) throws(Failure) -> LoadedScheduler {
        var opened = try OpenedScheduler.open(object, label: "schedcp")
        try opened.fillConstants(from: abi)
        try opened.fillTopology(topology)
        let checked: [ParameterValue]
        if let values {
            checked = values
        } else {
            checked = try Self.values(for: settings, in: opened.parameterTypes())
        }
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
        return loaded
    }

    /// A raw object has no description: its own types are the ranges.
    private static func values(for settings: [Setting], in types: [String: ParameterType]) throws(Failure)
        -> [ParameterValue]
    {
        var values: [ParameterValue] = []
        for setting in settings {
            guard let type = types[setting.name] else {
                let known = types.keys.sorted().joined(separator: ", ")
                throw Failure(
                    .invalidArgument,
                    "the object has no settable variable \(setting.name.quotedForDisplay()) in .rodata",
                    hint: known.isEmpty ? "it has none" : "it has: \(known)")
            }
            let spec = try ParameterSpec(name: setting.name, type: type, defaultValue: 0, range: type.representable)
            values.append(try spec.parse(setting.value))
        }
        return values
    }

    private static func key(of hint: Hint) throws(Failure) -> [UInt8] {
        switch hint.kind {
        case .process:
            let bytes = Array(hint.key.utf8)
            return bytes + [UInt8](repeating: 0, count: Hint.maxProcessNameBytes + 1 - bytes.count)
        case .cgroup:
            let id = try Cgroup.id(path: hint.key)
            return (0..<8).map { UInt8(truncatingIfNeeded: id >> (8 * UInt64($0))) }
        }
    }
}

/// Removes a scheduler that somebody else loaded. It needs root, which this process does not have.
package protocol ForeignEjector: Sendable {
    /// Ends the scheduler if it still has this name, and returns when the kernel has its default back.
    func eject(ops: String) async throws(Failure)
}
