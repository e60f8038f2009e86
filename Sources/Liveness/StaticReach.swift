import BPFObject
import Model

/// What can be reached from one entry, and with what kind of sleep: constants are followed through branches and into
/// subprograms, so that what the target kernel or a parameter rules out does not count.
///
/// It goes at least everywhere that the kernel's verifier goes, but for what only ranges of numbers rule out.
struct StaticReach {
    /// A value as far as it decides branches.
    enum Value: Hashable {
        case unknown
        case constant(UInt64)
        /// Some address: not 0.
        case nonzero
        case variable(map: Int, offset: Int)
        case map(Int)
        case function(Int)

        func joined(_ other: Value) -> Value {
            if self == other { return self }
            return isNonzero && other.isNonzero ? .nonzero : .unknown
        }

        var isNonzero: Bool {
            switch self {
            case .unknown: false
            case .constant(let value): value != 0
            case .nonzero, .variable, .map, .function: true
            }
        }
    }

    /// One step into another function.
    struct Site: Hashable {
        var function: Int
        var slot: Int
        var callee: Int
        var isCallback: Bool
    }

    struct Place: Hashable {
        var function: Int
        var slot: Int
    }

    enum Target: Hashable {
        case kernel(String, isAvailable: Bool)
        case helper(Int32)
        /// What a failed relocation left.
        case poison
    }

    struct Call: Hashable {
        var target: Target
        var function: Int
        var slot: Int
        var maySleep: Bool
        /// The last slot before it whose line is in the scheduler's own file.
        var own: Place?
        var chain: [Site]
        /// The map in the first argument; nil where unknown.
        var map: Int?
    }

    /// The operation, or the program's name.
    let name: String
    let function: Int
    /// The type of the table; empty for a program of its own.
    let table: String
    private(set) var calls: [Call] = []
    private(set) var isComplete = true

    private let object: ResolvedObject
    private var seenCalls: Set<Place> = []
    private var seenEntries: Set<Activation> = []
    private var steps: Int
    private let allowed: Int
    private var spent: Int { allowed - max(steps, 0) }

    struct Activation: Hashable {
        var function: Int
        var arguments: [Value]
        var maySleep: Bool
    }

    static func all(_ object: ResolvedObject) -> [StaticReach] {
        var all: [StaticReach] = []
        var budget = 1_500_000
        func add(_ name: String, _ function: Int, table: String) {
            guard all.count < 256 else { return }
            let reach = StaticReach(object, name, function, table: table, steps: min(budget, 400_000))
            budget -= reach.spent
            all.append(reach)
        }
        var entered: Set<Int> = []
        for table in object.tables {
            for (name, function) in table.functions.sorted(by: { $0.key < $1.key }) {
                guard object.functions.indices.contains(function) else { continue }
                entered.insert(function)
                add(name, function, table: table.type)
            }
        }
        for (index, function) in object.functions.enumerated() where function.isProgram && !entered.contains(index) {
            // An operation that no table names is not loaded, nor is what its section calls optional.
            if function.section.hasPrefix("struct_ops") || function.section.hasPrefix("?") { continue }
            if function.section.hasPrefix(".") { continue }
            add(function.name, index, table: "")
        }
        return all
    }

    private init(_ object: ResolvedObject, _ name: String, _ function: Int, table: String, steps: Int) {
        self.object = object
        self.steps = steps
        allowed = steps
        self.name = name
        self.function = function
        self.table = table
        enter(
            Activation(
                function: function, arguments: Array(repeating: .unknown, count: 5),
                maySleep: object.functions[function].isSleepable), chain: [], own: nil)
    }

    private struct State {
        var registers: [Value]
        var own: Place?

        /// Is anything less known than before?
        mutating func join(_ other: State) -> Bool {
            var changed = false
            for index in registers.indices {
                let joined = registers[index].joined(other.registers[index])
                if joined != registers[index] {
                    registers[index] = joined
                    changed = true
                }
            }
            return changed
        }
    }

    private mutating func enter(_ activation: Activation, chain: [Site], own: Place?) {
        guard seenEntries.insert(activation).inserted else { return }
        guard chain.count < 16, seenEntries.count < 2000, object.functions.indices.contains(activation.function) else {
            isComplete = false
            return
        }
        let code = object.functions[activation.function]
        guard code.instructions.count <= Program.slotLimit else {
            isComplete = false
            return
        }
        let heads = Self.heads(code.instructions)
        var first = State(registers: Array(repeating: .unknown, count: 16), own: own)
        for (index, value) in activation.arguments.enumerated() { first.registers[index + 1] = value }
        first.registers[10] = .nonzero
        var known: [Int: State] = [0: first]
        var open = [0]
        while let head = open.popLast() {
            guard var state = known[head] else { continue }
            for (slot, next) in walk(from: head, code, heads, &state, activation, chain) {
                if known[slot] == nil {
                    known[slot] = next
                    open.append(slot)
                } else if known[slot]?.join(next) == true {
                    open.append(slot)
                }
            }
            guard steps > 0 else {
                isComplete = false
                return
            }
        }
    }

    /// Where control flow joins or a branch leads.
    private static func heads(_ code: [Instruction]) -> Set<Int> {
        var heads: Set<Int> = []
        for slot in code.indices where code[slot].instructionClass == 5 || code[slot].instructionClass == 6 {
            guard !code[slot].isCall, !code[slot].isExit else { continue }
            heads.formUnion(Flow.successors(code, slot))
        }
        return heads
    }

    /// Follows a straight piece of code, and gives where it goes on.
    private mutating func walk(
        from head: Int, _ code: Function, _ heads: Set<Int>, _ state: inout State, _ activation: Activation,
        _ chain: [Site]
    ) -> [(Int, State)] {
        var slot = head
        while code.instructions.indices.contains(slot) {
            if slot != head, heads.contains(slot) { return [(slot, state)] }
            steps -= 1
            guard steps > 0 else { return [] }
            let instruction = code.instructions[slot]
            if let location = code.location(at: slot), !location.file.hasSuffix(".h"), location.line > 0 {
                state.own = Place(function: activation.function, slot: slot)
            }
            if code.poisoned.contains(slot) {
                note(.poison, slot, state, activation, chain)
                return []
            }
            switch instruction.instructionClass {
            case 0x05, 0x06:
                if instruction.isExit { return [] }
                if instruction.isCall {
                    guard call(instruction, code, slot, &state, activation, chain) else { return [] }
                    slot += 1
                    continue
                }
                return branch(instruction, code, slot, state)
            default:
                transfer(instruction, code, slot, &state)
                slot += instruction.isWideLoad ? 2 : 1
            }
        }
        return []
    }

    private mutating func note(
        _ target: Target, _ slot: Int, _ state: State, _ activation: Activation, _ chain: [Site]
    ) {
        guard seenCalls.insert(Place(function: activation.function, slot: slot)).inserted else { return }
        var map: Int?
        if case .map(let index) = state.registers[1] { map = index }
        calls.append(
            Call(
                target: target, function: activation.function, slot: slot, maySleep: activation.maySleep,
                own: state.own, chain: chain, map: map))
    }

    /// False where the path ends.
    private mutating func call(
        _ instruction: Instruction, _ code: Function, _ slot: Int, _ state: inout State, _ activation: Activation,
        _ chain: [Site]
    ) -> Bool {
        defer { for register in 0...5 { state.registers[register] = .unknown } }
        switch code.references[slot] {
        case .call(let callee):
            let site = Site(function: activation.function, slot: slot, callee: callee, isCallback: false)
            let isStatic = object.functions.indices.contains(callee) && object.functions[callee].linkage == .static
            let arguments = isStatic ? Array(state.registers[1...5]) : Array(repeating: .unknown, count: 5)
            enter(
                Activation(function: callee, arguments: arguments, maySleep: activation.maySleep),
                chain: chain + [site], own: state.own)
            return true
        case .kernelFunction(let name, _, let isAvailable):
            note(.kernel(name, isAvailable: isAvailable), slot, state, activation, chain)
            guard isAvailable else { return false }
            enterCallbacks(slot, state, activation, chain, maySleep: name.hasPrefix("bpf_wq_") || activation.maySleep)
            return name != "bpf_throw"
        default:
            guard instruction.src == Instruction.CallKind.helper else { return true }
            note(.helper(instruction.immediate), slot, state, activation, chain)
            // A timer's function never sleeps.
            enterCallbacks(
                slot, state, activation, chain, maySleep: instruction.immediate != 170 && activation.maySleep)
            return true
        }
    }

    private mutating func enterCallbacks(
        _ slot: Int, _ state: State, _ activation: Activation, _ chain: [Site], maySleep: Bool
    ) {
        for case .function(let callee) in state.registers[1...5] {
            let site = Site(function: activation.function, slot: slot, callee: callee, isCallback: true)
            enter(
                Activation(
                    function: callee, arguments: Array(repeating: .unknown, count: 5), maySleep: maySleep),
                chain: chain + [site], own: state.own)
        }
    }

    // MARK: Instructions

    private func transfer(_ instruction: Instruction, _ code: Function, _ slot: Int, _ state: inout State) {
        let target = Int(instruction.dst)
        switch instruction.instructionClass {
        case 0x00: state.registers[target] = instruction.isWideLoad ? wide(code, slot) : .unknown
        case 0x01: state.registers[target] = loaded(instruction, state)
        case 0x03 where instruction.opcode & 0xE0 == 0xC0:
            if instruction.immediate & 1 != 0 { state.registers[Int(instruction.src)] = .unknown }
            if instruction.immediate & 0xF0 == 0xF0 { state.registers[0] = .unknown }
            if instruction.immediate & 0x100 != 0 { state.registers[target] = .unknown }
        case 0x04, 0x07: state.registers[target] = computed(instruction, state)
        default: break
        }
    }

    private func wide(_ code: Function, _ slot: Int) -> Value {
        switch code.references[slot] {
        case .mapPointer(let map): return .map(map)
        case .mapValue(let map, let offset): return .variable(map: map, offset: offset)
        case .functionPointer(let function): return .function(function)
        case .kernelFunction(_, _, let isAvailable), .kernelSymbol(_, _, let isAvailable):
            return isAvailable ? .nonzero : .constant(0)
        case .call: return .unknown
        case nil:
            guard slot + 1 < code.instructions.count else { return .unknown }
            let low = UInt64(UInt32(bitPattern: code.instructions[slot].immediate))
            return .constant(low | UInt64(UInt32(bitPattern: code.instructions[slot + 1].immediate)) << 32)
        }
    }

    /// From a map whose bytes are frozen.
    private func loaded(_ instruction: Instruction, _ state: State) -> Value {
        guard case .variable(let map, let base) = state.registers[Int(instruction.src)],
            object.maps.indices.contains(map), object.maps[map].isFrozen
        else { return .unknown }
        let size = [0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8][Int(instruction.opcode & 0x18)] ?? 8
        let offset = base &+ Int(instruction.offset)
        let contents = object.maps[map].contents
        guard offset >= 0, offset <= contents.count, size <= contents.count - offset, !isMachines(map, offset) else {
            return .unknown
        }
        var value: UInt64 = 0
        for index in (0..<size).reversed() { value = value << 8 | UInt64(contents[offset + index]) }
        switch instruction.opcode & 0xE0 {
        case 0x60: return .constant(value)
        case 0x80:
            let shift = UInt64(64 - size * 8)
            return .constant(UInt64(bitPattern: Int64(bitPattern: value << shift) >> Int64(shift)))
        default: return .unknown
        }
    }

    /// What the loader fills in differs from machine to machine: all of them count.
    private func isMachines(_ map: Int, _ offset: Int) -> Bool {
        object.maps[map].variables.contains {
            $0.offset <= offset && offset < $0.offset + $0.size && $0.name.hasPrefix("schedcp_")
        }
    }

    private func computed(_ instruction: Instruction, _ state: State) -> Value {
        let is32 = instruction.instructionClass == 0x04
        let code = instruction.opcode & 0xF0
        let extended = UInt64(bitPattern: Int64(instruction.immediate))
        let source =
            instruction.opcode & 0x08 == 0
            ? Value.constant(is32 ? extended & 0xFFFF_FFFF : extended) : state.registers[Int(instruction.src)]
        if code == 0xB0 {
            guard instruction.offset == 0 else { return .unknown }
            guard is32 else { return source }
            if case .constant(let value) = source { return .constant(value & 0xFFFF_FFFF) }
            return .unknown
        }
        switch (state.registers[Int(instruction.dst)], source) {
        case (.constant(let a), .constant(let b)):
            guard instruction.offset == 0, let operation = Operation(rawValue: code) else { return .unknown }
            return .constant(operation.apply(a, b, is32: is32))
        case (.variable(let map, let offset), .constant(let b)) where code == 0x00 && !is32:
            return .variable(map: map, offset: offset &+ Int(truncatingIfNeeded: b))
        default: return .unknown
        }
    }

    private func branch(_ instruction: Instruction, _ code: Function, _ slot: Int, _ state: State) -> [(Int, State)] {
        let ways = Flow.successors(code.instructions, slot)
        guard instruction.opcode & 0xF0 != 0x00, let condition = Condition(rawValue: instruction.opcode & 0xF0) else {
            return ways.map { ($0, state) }
        }
        let is32 = instruction.instructionClass == 0x06
        let extended = UInt64(bitPattern: Int64(instruction.immediate))
        let right =
            instruction.opcode & 0x08 == 0 ? Value.constant(extended) : state.registers[Int(instruction.src)]
        let left = state.registers[Int(instruction.dst)]
        var decided: Bool?
        if case .constant(let a) = left, case .constant(let b) = right {
            decided = condition.holds(a, b, is32: is32)
        } else if left.isNonzero, right == .constant(0), !is32 {
            if condition == .equal { decided = false }
            if condition == .notEqual || condition == .greater { decided = true }
        }
        let taken = slot + 1 + Int(instruction.offset)
        var result: [(Int, State)] = []
        for way in ways {
            let isTaken = way == taken
            if let decided, decided != isTaken, taken != slot + 1 { continue }
            var next = state
            // On the side of equality the value is known.
            if !is32, (condition == .equal && isTaken) || (condition == .notEqual && !isTaken), taken != slot + 1,
                case .constant = right
            {
                next.registers[Int(instruction.dst)] = right
            }
            result.append((way, next))
        }
        return result
    }
}
