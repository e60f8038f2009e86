import CLibBPF
import Glibc
package import Linux
package import Model

/// A scheduler's object, parsed, and nothing of it in the kernel yet: the time to set parameters.
package struct OpenedScheduler: ~Copyable {
    let handle: ObjectHandle
    let ops: OpaquePointer
    /// The name that /sys/kernel/sched_ext/root/ops will show.
    package let name: String
    package let exitLayout: ExitLayout?
    package let liveLayout: LiveLayout

    /// An object larger than this is none of a scheduler's.
    package static let maxObjectBytes = 8 << 20

    /// Parses an object file and finds the one `struct sched_ext_ops`, or `struct sched_ext_ops_cid`, in it.
    package static func open(_ bytes: [UInt8], label: String) throws(Failure) -> OpenedScheduler {
        guard bytes.count <= maxObjectBytes else {
            throw Failure(.malformedObject, "the object is larger than \(maxObjectBytes) bytes")
        }
        let handle = try ObjectHandle.open(bytes, name: label) { reason, said in
            Failure(
                .malformedObject, "it is not a BPF object that libbpf can read: \(reason)",
                hint: "compile it with `clang -g -O2 -target bpf -c`", detail: said)
        }
        guard !handle.losesItsArena() else {
            throw Failure(
                .malformedObject, "libbpf \(LibBPFVersion.text) cannot load an object with an arena and so many maps",
                hint: "have fewer sections of data: of these, of maps and of tables up to 16 can be loaded")
        }
        let maps = handle.schedulerMaps()
        guard maps.count == 1, let map = maps.first else {
            throw Failure(
                .malformedObject,
                "the object holds \(maps.count) sched_ext_ops structures, and a scheduler is exactly one",
                hint: "define one in SEC(\".struct_ops.link\")")
        }
        let types = TypeTable(object: handle.raw)
        guard let fields = OpsFields(map: map, types: types) else {
            throw Failure(.malformedObject, "the object's sched_ext_ops cannot be read through its BTF")
        }
        guard !fields.name.isEmpty else {
            throw Failure(.malformedObject, "the scheduler has no name in its sched_ext_ops")
        }
        let layout = LiveLayout(handle: handle)
        return OpenedScheduler(
            handle: handle, ops: map, name: fields.name,
            exitLayout: types.flatMap(ExitLayout.init(types:)), liveLayout: layout)
    }

    /// Where parameters lie: constants, and tunables, which the scheduler lets others change while it runs.
    private static let parameterSections = [".rodata", LiveLayout.tunablesSection]

    /// The integers of these sections by name: what a parameter of a raw object may name. Those that the loader fills
    /// itself (`__SCX_…`, `schedcp_…`, the length of the dump) are not among them.
    package borrowing func parameterTypes() -> [String: ParameterType] {
        guard let types = TypeTable(object: handle.raw) else { return [:] }
        var result: [String: ParameterType] = [:]
        for section in Self.parameterSections {
            for variable in types.variables(inSection: section) where !Self.isLoaders(variable.name) {
                result[variable.name] = types.parameterType(of: variable.type)
            }
        }
        return result
    }

    private static func isLoaders(_ name: String) -> Bool {
        name.hasPrefix("__") || name.hasPrefix("schedcp_") || name.hasSuffix("_dump_len") || name.hasPrefix(".")
    }

    /// Values for an object without a description: its own types are the ranges.
    package borrowing func values(of settings: [Setting]) throws(Failure) -> [ParameterValue] {
        let known = parameterTypes()
        var values: [ParameterValue] = []
        for setting in settings {
            let type = try Self.type(of: setting.name, in: known)
            let spec = try ParameterSpec(name: setting.name, type: type, defaultValue: 0, range: type.representable)
            values.append(try spec.parse(setting.value))
        }
        return values
    }

    private static func type(
        of name: String, in known: [String: ParameterType]
    ) throws(Failure) -> ParameterType {
        if let type = known[name] { return type }
        throw Failure(
            .invalidArgument, "the object has no settable variable \(name.quotedForDisplay()) in .rodata",
            hint: known.isEmpty ? "it has none" : "it has: \(known.keys.sorted().joined(separator: ", "))")
    }

    /// Writes a parameter's value for load. The name must exist in the object with the very type that the value has.
    package mutating func set(_ value: ParameterValue) throws(Failure) {
        let type = try Self.type(of: value.name, in: parameterTypes())
        guard type == value.type else {
            throw Failure(
                .malformedObject,
                "'\(value.name)' is \(type.rawValue) in the object and \(value.type.rawValue) in its description",
                hint: "the description and the object do not belong together; install them again")
        }
        try write(value.bytes, to: value.name)
    }

    /// Fills the scx convention's `__SCX_…` variables from the running kernel's BTF. A name that this kernel does not
    /// have stays 0, which is what programs test for.
    package mutating func fillConstants(from abi: KernelABI) throws(Failure) {
        guard let types = TypeTable(object: handle.raw) else { return }
        for variable in types.variables(inSection: ".rodata") where variable.name.hasPrefix("__SCX_") {
            let constant = String(variable.name.dropFirst(2))
            guard let value = abi.enumerators[constant] else { continue }
            guard !abi.truncated.contains(constant) else {
                throw Failure(
                    .kernelUnsupported, "the kernel's BTF lacks the upper half of \(constant)",
                    hint: "the kernel's BTF was made without 64-bit enums (pahole below 1.24); use another kernel build"
                )
            }
            guard variable.size == 8 else {
                throw Failure(.malformedObject, "\(variable.name) is \(variable.size) bytes in the object, not 8")
            }
            try write(ParameterValue(name: variable.name, type: .u64, number: Int128(value)).bytes, to: variable.name)
        }
    }

    /// Fills `schedcp_nr_cpus`, `schedcp_nr_llcs` and `schedcp_cpu_llc` where the object has them.
    package mutating func fillTopology(_ topology: CPUTopology) throws(Failure) {
        guard let types = TypeTable(object: handle.raw) else { return }
        for variable in types.variables(inSection: ".rodata") {
            switch variable.name {
            case "schedcp_nr_cpus" where variable.size == 4:
                try write(LittleEndian.bytes(UInt32(topology.llcOfCPU.count)), to: variable.name)
            case "schedcp_nr_llcs" where variable.size == 4:
                try write(LittleEndian.bytes(topology.llcCount), to: variable.name)
            case "schedcp_cpu_llc":
                try write(topology.llcOfCPU.prefix(variable.size / 4).flatMap(LittleEndian.bytes), to: variable.name)
            default: break
            }
        }
    }

    /// Copies bytes over the beginning of a variable in one of ``parameterSections``.
    private mutating func write(_ bytes: [UInt8], to name: String) throws(Failure) {
        var size = 0
        guard let types = TypeTable(object: handle.raw), let (section, variable) = Self.place(of: name, in: types),
            let map = handle.section(section), let memory = bpf_map__initial_value(map, &size),
            bytes.count <= variable.size, variable.offset >= 0, variable.offset + variable.size <= size
        else { throw Failure(.malformedObject, "'\(name)' does not lie inside the object's data") }
        // SAFETY: the range was checked against the size that libbpf gives for the section's memory.
        memory.advanced(by: variable.offset).copyMemory(from: bytes, byteCount: bytes.count)
    }

    private static func place(of name: String, in types: TypeTable) -> (section: String, TypeTable.Variable)? {
        for section in parameterSections {
            for variable in types.variables(inSection: section) where variable.name == name {
                return (section, variable)
            }
        }
        return nil
    }

    /// Hands the programs to the kernel's verifier.
    /// - Parameter detail: what ``LoadedScheduler/verified`` shall hold.
    /// - Throws: `verifierRefused` with the whole log of the program that it refused, as `detail`.
    package consuming func load(detail: VerifierDetail = .nothing) throws(Failure) -> LoadedScheduler {
        try prepareForLoad()
        let log = VerifierLog(programs: handle.programs(), detail: detail)
        let raw = handle.raw
        let (result, said) = LibBPFLog.collect { bpf_object__load(raw) }
        guard result == 0 else { throw log.failure(code: -result, libbpf: said) }
        let verified = detail == .nothing ? [] : log.verified(handle.programs())
        return LoadedScheduler(
            handle: handle, ops: ops, name: name, exitLayout: exitLayout, liveLayout: liveLayout,
            verified: verified)
    }

    /// The members of its table that are no operations.
    var fields: OpsFields? { OpsFields(map: ops, types: TypeTable(object: handle.raw)) }

    /// What depends on this machine's state: the size of the dump, and the hotplug sequence, by which the kernel
    /// notices a CPU that came or went between here and the attach.
    private mutating func prepareForLoad() throws(Failure) {
        guard var fields else { return }
        if let sequence = TextFile.firstLine(HostProbe.schedExtFolder + "/hotplug_seq").flatMap({ UInt64($0) }) {
            fields.set("hotplug_seq", to: sequence)
        }
        // Before 1.5, libbpf keeps pointers into the object's BTF, and resizing moves it: the object then keeps the
        // room that it was compiled with, which for ours is the kernel's default.
        guard LibBPF.keepsTypesByNumber else { return }
        guard let dump = exitLayout?.dumpSection, let map = handle.section(dump) else { return }
        let length = fields.dumpLength
        guard bpf_map__set_value_size(map, length) == 0 else {
            throw Failure(.malformedObject, "the section \(dump) cannot hold a dump of \(length) bytes")
        }
        if let variable = exitLayout?.dumpLengthVariable {
            try write(ParameterValue(name: variable, type: .u32, number: Int128(length)).bytes, to: variable)
        }
    }
}
