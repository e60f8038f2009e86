import BPFObject

/// A function made ready.
final class Prepared {
    let function: Function
    let code: [Instruction]
    let flow: Flow

    init(_ function: Function, _ flow: Flow) {
        self.function = function
        code = function.instructions
        self.flow = flow
    }
}

/// An object made ready: entries, flow of functions, layout. Shared by the runs of all its operations.
final class Program {
    /// Where the kernel enters the object.
    struct Entry: Hashable {
        enum Kind: Hashable { case operation, callback, program }

        /// `enqueue`, or of a callback `timer`, or of another program its name.
        var name: String
        var function: Int
        var kind: Kind
    }

    let object: ResolvedObject
    let options: AnalysisOptions
    let layout: Layout
    private var ready: [Prepared?] = []
    private var loads: [Int: [Int64]] = [:]
    private(set) var entries: [Entry] = []

    init(_ object: ResolvedObject, _ options: AnalysisOptions) {
        self.object = object
        self.options = options
        layout = Layout(object.kernel)
        ready = Array(repeating: nil, count: object.functions.count)
        entries = findEntries()
    }

    /// It counts CPUs by their place in the topology: what is known of CPU numbers does not hold.
    var countsPlaces: Bool { object.scheduler?.countsPlaces ?? false }

    /// A function of more slots is not looked at: its flow alone would take too long.
    static let slotLimit = 16_384

    /// Followed before the others, while the budget lasts; dispatch after those whose writes it depends on.
    private static let first = ["enqueue", "select_cpu", "select_cid", "dispatch", "init"]

    private func findEntries() -> [Entry] {
        func order(_ name: String) -> Int { Self.first.firstIndex(of: name) ?? Self.first.count }
        var entries = object.operations.sorted { (order($0.key), $0.key) < (order($1.key), $1.key) }.map {
            Entry(name: $0.key, function: $0.value, kind: .operation)
        }
        let known = Set(entries.map(\.function))
        for (index, function) in object.functions.enumerated() where function.isProgram && !known.contains(index) {
            // A program of another operations table, or one of its own, such as a tracepoint or a system call's.
            if function.section.hasPrefix("struct_ops") { continue }
            entries.append(Entry(name: function.name, function: index, kind: .program))
        }
        return entries.filter { object.functions.indices.contains($0.function) }
    }

    /// nil where the function is too long.
    func prepared(_ function: Int) -> Prepared? {
        guard ready.indices.contains(function) else { return nil }
        if let known = ready[function] { return known }
        let code = object.functions[function]
        guard code.instructions.count <= Self.slotLimit, !code.instructions.isEmpty else { return nil }
        let made = Prepared(
            code,
            Flow(code, callees: { self.loadOffsets($0) }, argumentCount: { self.argumentCount(code, $0) }))
        ready[function] = made
        return made
    }

    /// Of what is called there; all five where that is not known.
    private func argumentCount(_ code: Function, _ slot: Int) -> Int {
        switch code.references[slot] {
        case .kernelFunction(_, let type?, _):
            guard let prototype = object.kernel.prototype(of: type), !prototype.isVariadic else { return 5 }
            return min(prototype.parameters.count, 5)
        case .call(let other):
            guard object.functions.indices.contains(other), object.functions[other].typeID != nil else { return 5 }
            return min(max(object.functions[other].argumentCount, 0), 5)
        default: return 5
        }
    }

    /// Offsets that a function and those it calls load from, to know what a call may read.
    private func loadOffsets(_ function: Int) -> [Int64] {
        if let known = loads[function] { return known }
        loads[function] = []
        guard object.functions.indices.contains(function) else { return [] }
        var offsets: Set<Int64> = []
        let code = object.functions[function]
        for instruction in code.instructions where instruction.opcode & 0x07 == 1 || instruction.opcode & 0x07 == 3 {
            offsets.insert(Int64(instruction.offset))
        }
        for reference in code.references.values {
            switch reference {
            case .call(let other), .functionPointer(let other): offsets.formUnion(loadOffsets(other))
            default: break
            }
        }
        // Too many to be of use: then every offset counts as read.
        let result = offsets.count > 4096 || offsets.contains(.min) ? [.min] : offsets.sorted()
        loads[function] = result
        return result
    }

    /// Names of read-only globals that stand for the machine, not for the scheduler: any value is possible.
    private static let machineNames: Set<String> = [
        "schedcp_nr_cpus", "schedcp_nr_llcs", "schedcp_cpu_llc", "nr_cpu_ids", "nr_cpus", "nr_online_cpus",
        "num_possible_cpus",
    ]

    /// The bytes of a frozen section where they are the same on every machine.
    func frozenBytes(map: Int, offset: Int64, size: Int) -> UInt64? {
        guard object.maps.indices.contains(map), object.maps[map].isFrozen, offset >= 0 else { return nil }
        let definition = object.maps[map]
        guard offset < Int64(definition.contents.count) else { return nil }
        let start = Int(offset)
        guard start + size <= definition.contents.count else { return nil }
        if definition.variables.contains(where: {
            $0.offset <= start && start < $0.offset + $0.size && Self.machineNames.contains($0.name)
        }) {
            return nil
        }
        var value: UInt64 = 0
        for index in (0..<size).reversed() { value = value << 8 | UInt64(definition.contents[start + index]) }
        return value
    }

    /// A global that the loader fills with what the machine is like.
    func isMachine(map: Int, offset: Int64) -> Bool {
        variable(map: map, offset: offset).map { Self.machineNames.contains($0.name) } ?? false
    }

    func variable(map: Int, offset: Int64) -> MapDefinition.Variable? {
        guard object.maps.indices.contains(map) else { return nil }
        return object.maps[map].variables.first { Int64($0.offset) <= offset && offset < Int64($0.offset + $0.size) }
    }

    func isFrozen(_ map: Int) -> Bool { object.maps.indices.contains(map) && object.maps[map].isFrozen }

    /// The arguments of an operation: their nature and bounds, by place.
    static func arguments(of operation: String, cpuLimit: Int) -> [(Nature, Bounds)] {
        let task: (Nature, Bounds) = (.task, address)
        let maybeTask: (Nature, Bounds) = (.task, .any)
        let flags: (Nature, Bounds) = (.scalar, .any)
        let cpu: (Nature, Bounds) = (.scalar, .lower(0, Int32(clamping: cpuLimit - 1)))
        let pointer: (Nature, Bounds) = (.kernel, address)
        let group: (Nature, Bounds) = (.cgroup, address)
        let bool: (Nature, Bounds) = (.scalar, .range(0, 1))
        return switch OperationName.withCPUs(operation) {
        case "select_cpu": [task, cpu, flags]
        case "enqueue", "dequeue", "runnable", "quiescent": [task, flags]
        case "dispatch": [cpu, maybeTask]
        case "tick", "running", "enable", "disable", "exit_task": [task, pointer]
        case "stopping": [task, bool]
        case "yield": [task, maybeTask]
        case "core_sched_before": [task, task]
        case "set_weight": [task, (.scalar, .range(1, 10_000))]
        case "set_cpumask" where operation == "set_cpumask": [task, (.cpumask, address)]
        case "update_idle": [cpu, bool]
        case "cpu_acquire", "cpu_release": [cpu, pointer]
        case "cpu_online", "cpu_offline": [cpu]
        case "init_task": [task, pointer]
        case "dump": [pointer]
        case "dump_cpu": [pointer, cpu, bool]
        case "dump_task": [pointer, task]
        case "cgroup_init": [group, pointer]
        case "cgroup_exit": [group]
        case "cgroup_prep_move", "cgroup_move", "cgroup_cancel_move": [task, group, group]
        case "cgroup_set_weight": [group, (.scalar, .range(1, 10_000))]
        case "exit": [pointer]
        default: []
        }
    }

    /// An address that is not null.
    static let address = Bounds.range(1, .max)
}
