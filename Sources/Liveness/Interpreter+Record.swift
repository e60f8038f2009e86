import BPFObject

extension Interpreter {
    /// An event at the present instruction, to be filled in.
    func event(_ kind: Event.Kind) -> Event {
        let (function, own) = ownPlace()
        return Event(
            kind: kind, operation: entry.name, function: function, slot: slot, ownSlot: own, path: state.path,
            isExact: state.isExact, isLooped: state.loops.contains { $0.depth <= state.top } || !state.iterators.isEmpty
        )
    }

    /// The innermost call that has passed a line of the scheduler's own file, and its slot there.
    func ownPlace() -> (function: Int, slot: Int) {
        for frame in state.frames.reversed() where frame.ownSlot >= 0 { return (frame.function, frame.ownSlot) }
        return (state.frames[state.top].function, state.frames[state.top].slot)
    }

    func owner(_ task: TermID) -> Event.Owner {
        guard case .argument(let place) = terms.input(of: task) else { return .foreign }
        return entry.name == "dispatch" && place == 1 ? .previous : .argument
    }

    func queue(_ id: TermID) -> QueueReference {
        let known = bounds(of: id)
        let layout = program.layout
        let isBuiltIn = known.unsigned.low & layout.builtIn != 0
        let isLocalOn =
            known.bits.value & layout.localOn == layout.localOn && (known.constant ?? 0) < layout.localOn &+ 1 << 33
        return QueueReference(
            low: known.unsigned.low, high: known.unsigned.high,
            origin: known.constant == nil ? describe(id) : "", isBuiltIn: isBuiltIn, isLocalOn: isLocalOn,
            isArbitrary: known.constant == nil && isArbitrary(id))
    }

    /// The CPU in the id of a CPU's own queue.
    func cpu(inQueue id: TermID) -> TermID {
        let term = terms[id]
        if let value = bounds(of: id).constant { return terms.constant(value & 0xFFFF_FFFF) }
        if term.kind == .binary, term.operation == .or || term.operation == .add {
            if terms.constant(of: term.b) != nil { return terms.bare(term.a) }
            if terms.constant(of: term.a) != nil { return terms.bare(term.b) }
        }
        if term.kind == .offset { return terms.bare(term.a) }
        return id
    }

    /// In words that a person can follow; short.
    func describe(_ id: TermID, _ depth: Int = 0) -> String {
        if let value = bounds(of: id).constant { return String(value) }
        guard depth < 4 else { return "…" }
        let term = terms[id]
        switch term.kind {
        case .constant: return String(term.constant)
        case .offset: return describe(term.a, depth + 1) + " + " + String(Int64(bitPattern: term.constant))
        case .zeroExtend, .signExtend, .negate, .byteSwap: return describe(term.a, depth + 1)
        case .binary:
            return "(" + describe(term.a, depth + 1) + " \(term.operation) " + describe(term.b, depth + 1) + ")"
        case .input: return describeInput(id, depth)
        }
    }

    private func describeInput(_ id: TermID, _ depth: Int) -> String {
        switch terms.input(of: id) {
        case .argument(let place): return "argument \(place + 1)"
        case .load(let base, let offset, _, _):
            let root = terms.root(base)
            if case .section(let map) = terms[root].nature, let name = program.variable(map: map, offset: offset)?.name
            {
                return name
            }
            return describe(base, depth + 1) + "->\(offset)"
        case .result(let site, _), .unknown(let site, _), .written(let site, _, _):
            return "result \(site.context).\(site.slot)"
        case .pure("task", let number, _): return "task \(describe(number, depth + 1))"
        case .pure(let name, let a, _): return "\(name)(\(describe(a, depth + 1)))"
        default: return "value"
        }
    }

    /// What the key of an ordered insert is made of.
    func keyOrigin(_ id: TermID) -> KeyOrigin {
        var origin = KeyOrigin(constant: bounds(of: id).constant)
        guard origin.constant == nil else { return origin }
        guard let leaves = terms.leaves(of: id) else {
            origin.usesOther = true
            return origin
        }
        for leaf in leaves {
            let nature = terms[leaf].nature
            if nature == .time {
                origin.usesTime = true
                continue
            }
            guard case .load(let base, let offset, _, _) = terms.input(of: leaf) else {
                origin.usesOther = true
                continue
            }
            let root = terms.root(base)
            if terms[root].nature == .task, root == base {
                if offset == program.layout.virtualTime {
                    origin.usesVirtualTime = true
                } else if program.layout.ranks.contains(offset) {
                    origin.usesRank = true
                } else {
                    origin.usesOther = true
                }
            } else if case .section(let map) = terms[root].nature, program.isFrozen(map) {
                // A table of the program's: fixed.
                origin.usesRank = true
            } else {
                origin.usesOther = true
            }
        }
        return origin
    }

    func noteNull(_ root: TermID) {
        var event = event(.nullAccess)
        switch terms.input(of: root) {
        case .argument(let place): event.note = "argument \(place + 1) of \(entry.name)"
        case .result, .pure: event.note = "the result of a call"
        default: event.note = "an address"
        }
        _ = record.add(event)
    }

    /// A store: does it name a task where others can find it, or set a field that the kernel goes by?
    ///
    /// - Parameter isWhole: `value` is what is there afterwards, and not what is added to it or the like.
    func noteStore(_ base: TermID, _ offset: Int64, _ size: Int, _ value: TermID, isWhole: Bool = true) {
        let region = region(of: base)
        if case .frame = region { return }
        let root = terms.root(base)
        if terms[root].nature == .task, root == base {
            if offset == program.layout.virtualTime {
                var event = event(.writeVirtualTime)
                event.owner = owner(root)
                event.key = keyOrigin(value)
                _ = record.add(event)
            } else if offset == program.layout.slice {
                var event = event(.writeSlice)
                event.owner = owner(root)
                event.slice = bounds(of: value)
                _ = record.add(event)
            }
            return
        }
        switch region {
        case .section(let map), .mapValue(let map):
            record.writers[Record.Place(map: map, offset: offset), default: []].insert(entry.name)
            if let place = place(at: base, offset) { noteReset(place, isWhole ? value : nil) }
        default: break
        }
        guard let task = named(by: value) else { return }
        // Into the task's own storage is no way to find the task again.
        if case .mapValue(let map) = region, isStorage(map), owns(root, task) { return }
        state.withTask(task) { $0.maybeKept = true }
    }

    private func isStorage(_ map: Int) -> Bool {
        program.object.maps.indices.contains(map) && program.object.maps[map].type == MapType.taskStorage
    }

    /// Is the storage that of this task?
    func owns(_ root: TermID, _ task: TermID) -> Bool { storageOwners[root] == task }

    /// The task that a value is the address or the number of; nil where it is neither.
    func named(by value: TermID) -> TermID? {
        let bare = terms.bare(value)
        let root = terms.root(bare)
        if terms[root].nature == .task { return canonical(root) }
        if let owner = storageOwners[root] { return owner }
        guard case .load(let base, let offset, let size, _) = terms.input(of: root) else { return nil }
        let origin = terms.root(base)
        if terms[origin].nature == .task, origin == base {
            return offset == program.layout.pid ? canonical(origin) : nil
        }
        // An address kept in the task's own storage may be its representative elsewhere.
        if let owner = storageOwners[origin], size == 8 { return owner }
        if case .load(let outer, _, 8, _) = terms.input(of: origin), size == 8,
            let owner = storageOwners[terms.root(outer)]
        {
            return owner
        }
        return nil
    }

    /// A reference that was acquired is the same task.
    func canonical(_ task: TermID) -> TermID { sameTasks[task] ?? task }
}
