import BPFObject

/// Follows the paths of one entry. Depth first, one state at a time; a fork puts the other way aside for later.
///
/// Two states that agree in all that can matter from here on (see `Key`) have the same future, so the second is dropped.
final class Interpreter {
    let program: Program
    let entry: Program.Entry
    var terms = TermTable()
    var state: State
    var pending: [State] = []
    /// Seen states, each with how exact it was.
    var seen: [StateKey: UInt8] = [:]
    var record: Record
    /// Why not every path was seen; empty where every one was.
    private(set) var incomplete = ""
    private(set) var steps = 0
    private(set) var paths = 0
    private(set) var pruned = 0
    /// The memory of `bounds(of:)`, valid for one generation of knowledge.
    var memory: [Bounds] = []
    var memoryGeneration: [Int32] = []
    var generation: Int32 = 1
    /// For `StateKey`: marks of live inputs.
    var marks: [Int32] = []
    var markGeneration: Int32 = 0
    /// Addresses of storage that belongs to a task, and acquired references, to the task.
    var storageOwners: [TermID: TermID] = [:]
    var sameTasks: [TermID: TermID] = [:]
    /// How often the head of a loop was passed, on all paths.
    var headVisits: [Site: Int] = [:]
    /// How often a place where control flow joins was passed, on all paths.
    var joinVisits: [Site: Int] = [:]
    /// CPUs that were picked out of a mask, to the mask. The result may say that there is none.
    var pickedFrom: [TermID: Pick] = [:]
    private var contexts: [ContextKey: Int32] = [:]
    private(set) var arguments: [TermID] = []
    let stepLimit: Int

    struct Pick {
        var mask: TermID
        var function: Int
        var slot: Int
    }

    struct ContextKey: Hashable {
        var parent: Int32
        var slot: Int
        var function: Int
    }

    enum Outcome { case goesOn, ends }

    init(_ program: Program, _ entry: Program.Entry, record: Record, stepLimit: Int) {
        self.program = program
        self.entry = entry
        self.record = record
        self.stepLimit = stepLimit
        state = State(frames: [])
        let frame = terms.input(.frame(0), Program.address, .frame(0))
        var registers = Array(repeating: TermTable.zero, count: 11)
        registers[10] = frame
        if entry.kind == .operation {
            let kinds = Program.arguments(of: entry.name, cpuLimit: program.options.cpuLimit)
            for (place, kind) in kinds.enumerated() { arguments.append(terms.input(.argument(place), kind.1, kind.0)) }
        }
        if entry.kind == .callback {
            // Map, key and value for a timer; the verifier has seen to them.
            for place in 1...3 { registers[place] = terms.input(.argument(place - 1), Program.address, .kernel) }
        } else {
            registers[1] = terms.input(.context, Program.address, .context)
        }
        state.frames = [
            Frame(function: entry.function, context: 0, slot: 0, registers: registers, ownSlot: -1, repetition: nil)
        ]
    }

    func giveUp(_ reason: String) {
        if incomplete.isEmpty { incomplete = reason }
    }

    func run() {
        pending = [state]
        while let next = pending.popLast() {
            state = next
            learned()
            while true {
                guard steps < stepLimit else {
                    giveUp("more than \(stepLimit) instructions to follow")
                    return
                }
                guard state.steps < program.options.budget.pathSteps else {
                    giveUp("a path of more than \(state.steps) instructions")
                    break
                }
                steps += 1
                state.steps += 1
                if advance() == .ends { break }
            }
            paths += 1
            guard paths < program.options.budget.paths else {
                if !pending.isEmpty { giveUp("more than \(paths) paths") }
                return
            }
        }
    }

    /// One instruction.
    private func advance() -> Outcome {
        let top = state.top
        let function = state.frames[top].function
        let slot = state.frames[top].slot
        guard let prepared = program.prepared(function) else {
            giveUp("a function of more than \(Program.slotLimit) instructions")
            return .ends
        }
        guard slot >= 0, slot < prepared.code.count else { return .ends }
        if !prepared.function.poisoned.isEmpty, prepared.function.poisoned.contains(slot) { return .ends }
        if prepared.flow.ownSlots[slot] >= 0 { state.frames[top].ownSlot = slot }
        if prepared.flow.isJoin[slot] {
            if prepared.flow.isHead[slot], passHead(slot) == .ends { return .ends }
            coarsen()
            if isSeen() {
                pruned += 1
                return .ends
            }
        }
        return step(prepared.code[slot], prepared, slot)
    }

    var registers: [TermID] {
        get { state.frames[state.frames.count - 1].registers }
        set { state.frames[state.frames.count - 1].registers = newValue }
    }

    func register(_ number: UInt8) -> TermID {
        number < 11 ? state.frames[state.frames.count - 1].registers[Int(number)] : TermTable.zero
    }

    func setRegister(_ number: UInt8, _ value: TermID) {
        guard number < 10 else { return }
        state.frames[state.frames.count - 1].registers[Int(number)] = value
    }

    func go(to slot: Int) { state.frames[state.frames.count - 1].slot = slot }

    var slot: Int { state.frames[state.frames.count - 1].slot }
    var site: Site { Site(context: state.frames[state.top].context, slot: Int32(state.frames[state.top].slot)) }

    func context(parent: Int32, slot: Int, function: Int) -> Int32 {
        let key = ContextKey(parent: parent, slot: slot, function: function)
        if let known = contexts[key] { return known }
        let number = Int32(contexts.count + 1)
        contexts[key] = number
        return number
    }

    /// Puts a second state aside, which goes on at `slot` with what `change` does to it. The decision is on its path.
    func fork(from origin: State, to target: Int, basis: PathNode.Basis = [], _ change: () -> Bool) {
        let kept = state
        state = origin
        learned()
        state.forks += 1
        decide(to: target, basis)
        go(to: target)
        if change() { pending.append(state) }
        state = kept
        learned()
    }

    /// Notes that the path went to `target` from here.
    func decide(to target: Int, _ basis: PathNode.Basis = []) {
        let frame = state.frames[state.top]
        state.path = PathNode(state.path, function: frame.function, slot: frame.slot, target: target, basis: basis)
    }

    /// An input that is new on this path.
    func unknown(_ bounds: Bounds = .any, _ nature: Nature = .scalar) -> TermID {
        let site = site
        return terms.input(.unknown(site, round: state.round(at: site)), bounds, nature)
    }
}
