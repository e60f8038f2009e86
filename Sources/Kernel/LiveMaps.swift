import CLibBPF
import Glibc
package import Linux
package import Model

/// What can be read and changed of a scheduler that runs. Tests have one without a kernel.
package protocol LiveAccess: Sendable {
    var layout: LiveLayout { get }
    /// For systemd's descriptor store; nil where there are none.
    var descriptors: LiveDescriptors? { get }

    func tunables() throws(Failure) -> [String: Int128]
    /// Writes all of them at once.
    func set(_ values: [ParameterValue]) throws(Failure)
    /// nil where the scheduler has none. Paths of cgroups are left empty.
    func layers() throws(Failure) -> LayerTable?
    func set(_ layers: LayerTable) throws(Failure)
    func takesHints(_ kind: Hint.Kind) -> Bool
    /// Those that are in the map; keys of cgroups are left empty.
    func hints(_ kind: Hint.Kind) throws(Failure) -> [HintValue]
    /// Puts one into its map, or takes it out.
    func set(_ hint: HintValue) throws(Failure)
    /// The sums over all CPUs; nil where the scheduler keeps none.
    func counters() throws(Failure) -> [UInt64]?
}

/// The maps of a scheduler through which it is read and changed: five at the most.
package struct LiveDescriptors: Sendable {
    package var tunables: SharedDescriptor?
    package var layers: SharedDescriptor?
    package var stats: SharedDescriptor?
    package var hints: [Hint.Kind: SharedDescriptor] = [:]

    package init() {}
}

/// Those of a scheduler in the kernel. Any thread may use it; two writers must not be at work at once.
package struct LiveMaps: LiveAccess {
    package let layout: LiveLayout
    private let maps: LiveDescriptors
    package var descriptors: LiveDescriptors? { maps }

    /// enum schedcp_counter of bpf/include/schedcp/stats.bpf.h.
    package static let counters = 32
    /// A map of hints is not read further.
    private static let mostHints = 4096

    package init(layout: LiveLayout, descriptors: LiveDescriptors) {
        self.layout = layout
        maps = descriptors
    }

    // MARK: Tunables

    package func tunables() throws(Failure) -> [String: Int128] {
        guard !layout.tunables.isEmpty else { return [:] }
        return LiveLayout.read(layout.tunables, in: try value(of: maps.tunables, "the tunables"))
    }

    package func set(_ values: [ParameterValue]) throws(Failure) {
        guard !values.isEmpty else { return }
        let bytes = try layout.patch(try value(of: maps.tunables, "the tunables"), with: values)
        try write(bytes, to: maps.tunables, "the tunables")
        let now = try tunables()
        guard values.allSatisfy({ now[$0.name] == $0.number }) else {
            throw Failure(.internal, "the kernel does not hold what was just written to the tunables")
        }
    }

    // MARK: Layers

    package func layers() throws(Failure) -> LayerTable? {
        guard layout.layers != nil else { return nil }
        return LayerBytes.decode(try value(of: maps.layers, "the layers"))
    }

    /// The whole table first, then its version: who sorts by the new version finds the new rules.
    package func set(_ layers: LayerTable) throws(Failure) {
        guard layout.layers != nil else { throw Failure(.invalidArgument, "the scheduler has no layers") }
        let before = LayerBytes.version(try value(of: maps.layers, "the layers"))
        try write(LayerBytes.encode(layers, version: before), to: maps.layers, "the layers")
        try write(LayerBytes.encode(layers, version: max(1, before &+ 1)), to: maps.layers, "the layers")
    }

    private func value(of map: SharedDescriptor?, _ what: String) throws(Failure) -> [UInt8] {
        guard let map, let bytes = MapValue.read(map.raw) else {
            throw Failure(.internal, "\(what) of the scheduler cannot be read", hint: "deploy it again")
        }
        return bytes
    }

    private func write(_ bytes: [UInt8], to map: SharedDescriptor?, _ what: String) throws(Failure) {
        var zero: UInt32 = 0
        // SAFETY: the bytes are at least as many as the map's value has: they were read from it, or fill it.
        guard let map, let size = MapValue.shape(map.raw)?.value, size <= bytes.count,
            bpf_map_update_elem(map.raw, &zero, bytes, 0) == 0
        else { throw Failure(.internal, "\(what) of the scheduler cannot be written: \(SystemError("bpf").reason)") }
    }

    // MARK: Hints

    package func takesHints(_ kind: Hint.Kind) -> Bool {
        guard let map = maps.hints[kind], let shape = MapValue.shape(map.raw) else { return false }
        return shape.key == Self.keySize(kind) && shape.value == 8
    }

    private static func keySize(_ kind: Hint.Kind) -> Int {
        switch kind {
        case .process: Hint.maxProcessNameBytes + 1
        case .cgroup: 8
        }
    }

    package func hints(_ kind: Hint.Kind) throws(Failure) -> [HintValue] {
        guard takesHints(kind), let map = maps.hints[kind] else { return [] }
        var found: [HintValue] = []
        var key: [UInt8]?
        var next = [UInt8](repeating: 0, count: Self.keySize(kind))
        while found.count < Self.mostHints {
            var value: UInt64 = 0
            // SAFETY: keys and value have the sizes of the map, as `takesHints` has found.
            guard bpf_map_get_next_key(map.raw, key, &next) == 0 else { break }
            if bpf_map_lookup_elem(map.raw, next, &value) == 0 {
                found.append(HintKey.value(next, kind, nanoseconds: value))
            }
            key = next
        }
        return found
    }

    package func set(_ hint: HintValue) throws(Failure) {
        guard let kind = Hint.Kind(rawValue: hint.kind), takesHints(kind), let map = maps.hints[kind] else {
            throw Failure(.invalidArgument, "the scheduler takes no hints by \(hint.kind)")
        }
        let key = HintKey.bytes(hint)
        guard var value = hint.nanoseconds else {
            // SAFETY: as above.
            guard bpf_map_delete_elem(map.raw, key) == 0 || errno == ENOENT else {
                throw Failure(.internal, "a hint cannot be taken away: \(SystemError("bpf").reason)")
            }
            return
        }
        // SAFETY: as above.
        guard bpf_map_update_elem(map.raw, key, &value, 0) == 0 else {
            throw Failure(.tooMany, "the scheduler takes no more hints: \(SystemError("bpf").reason)")
        }
    }

    // MARK: Counters

    package func counters() throws(Failure) -> [UInt64]? {
        guard let map = maps.stats, let shape = MapValue.shape(map.raw),
            shape.type == BPF_MAP_TYPE_PERCPU_ARRAY.rawValue, shape.value == 8, shape.entries == Self.counters
        else { return nil }
        return try PerCPU.sums(map.raw, entries: Self.counters)
    }
}

/// The key of a hint in its map.
package enum HintKey {
    package static func bytes(_ hint: HintValue) -> [UInt8] {
        guard hint.kind == Hint.Kind.process.rawValue else {
            return LittleEndian.bytes(hint.cgroupID)
        }
        let name = Array(hint.key.utf8.prefix(Hint.maxProcessNameBytes))
        return name + [UInt8](repeating: 0, count: Hint.maxProcessNameBytes + 1 - name.count)
    }

    static func value(_ key: [UInt8], _ kind: Hint.Kind, nanoseconds: UInt64) -> HintValue {
        switch kind {
        case .process:
            HintValue(
                kind, key: String(decoding: key.prefix { $0 != 0 }, as: UTF8.self), nanoseconds: nanoseconds)
        case .cgroup:
            HintValue(
                kind, key: "", cgroupID: LittleEndian.number(key, size: key.count), nanoseconds: nanoseconds)
        }
    }
}

/// Maps whose every CPU has a copy of each value.
enum PerCPU {
    private static func cpus() throws(Failure) -> Int {
        let cpus = Int(libbpf_num_possible_cpus())
        guard (1...65536).contains(cpus) else { throw Failure(.internal, "the number of CPUs is unknown") }
        return cpus
    }

    /// For each entry the sum of what the CPUs have, all of them 8 bytes.
    static func sums(_ fd: CInt, entries: Int) throws(Failure) -> [UInt64] {
        var values = [UInt64](repeating: 0, count: try cpus())
        var sums: [UInt64] = []
        for entry in 0..<UInt32(entries) {
            var key = entry
            // SAFETY: the kernel writes 8 bytes for each possible CPU.
            guard bpf_map_lookup_elem(fd, &key, &values) == 0 else {
                throw Failure(.internal, "a map cannot be read: \(SystemError("bpf").reason)")
            }
            sums.append(values.reduce(0, &+))
        }
        return sums
    }

    /// The only entry of a map: words of 8 bytes, summed up over the CPUs.
    static func words(_ fd: CInt, count: Int) throws(Failure) -> [UInt64] {
        let cpus = try cpus()
        var values = [UInt64](repeating: 0, count: cpus * count)
        var zero: UInt32 = 0
        // SAFETY: the kernel writes `count` words for each possible CPU.
        guard bpf_map_lookup_elem(fd, &zero, &values) == 0 else {
            throw Failure(.internal, "a map cannot be read: \(SystemError("bpf").reason)")
        }
        return (0..<count).map { word in (0..<cpus).reduce(0) { $0 &+ values[$1 * count + word] } }
    }
}

extension LoadedScheduler {
    /// The maps through which it can be read and changed, also before it is attached.
    package borrowing func live(hintMaps: [Hint.Kind: String]) throws(Failure) -> LiveMaps {
        var maps = LiveDescriptors()
        func shared(_ map: OpaquePointer?) throws(Failure) -> SharedDescriptor? {
            guard let map else { return nil }
            do { return SharedDescriptor(try .duplicating(bpf_map__fd(map))) } catch {
                throw error.asFailure(.internal)
            }
        }
        if !liveLayout.tunables.isEmpty { maps.tunables = try shared(handle.section(LiveLayout.tunablesSection)) }
        if liveLayout.layers != nil { maps.layers = try shared(handle.section(LiveLayout.layersSection)) }
        maps.stats = try shared(handle.map(named: LiveLayout.statsMap))
        for (kind, name) in hintMaps { maps.hints[kind] = try shared(handle.map(named: name)) }
        return LiveMaps(layout: liveLayout, descriptors: maps)
    }
}
