/// What matters of a state for all that follows, as 128 bits.
struct StateKey: Hashable {
    private var a: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var b: UInt64 = 0xD1B5_4A32_D192_ED03

    mutating func add(_ value: UInt64) {
        a = (a ^ value) &* 0xFF51_AFD7_ED55_8CCD
        a ^= a >> 32
        b = (b &+ value) &* 0xC4CE_B9FE_1A85_EC53
        b ^= b >> 29
    }

    mutating func add(_ value: Int) { add(UInt64(bitPattern: Int64(value))) }
    mutating func add(_ term: TermID) { add(UInt64(UInt32(bitPattern: term))) }

    mutating func add(_ bounds: Bounds) {
        add(bounds.unsigned.low)
        add(bounds.unsigned.high)
        add(UInt64(bitPattern: bounds.signed.low))
        add(UInt64(bitPattern: bounds.signed.high))
        add(UInt64(bounds.unsigned32.low) << 32 | UInt64(bounds.unsigned32.high))
        add(UInt64(UInt32(bitPattern: bounds.signed32.low)) << 32 | UInt64(UInt32(bitPattern: bounds.signed32.high)))
        add(bounds.bits.value)
        add(bounds.bits.unknown)
    }
}

extension Interpreter {
    /// Passes of a join before states are made alike there, first a little, then more.
    static let fineVisits = 120
    static let mediumVisits = 500

    /// Too many different states come by here: what tells them apart is given up, first what shared memory holds, then
    /// all that branches have taught of numbers. What follows stands for all of them, and more.
    func coarsen() {
        let site = site
        let visits = (joinVisits[site] ?? 0) + 1
        joinVisits[site] = visits
        guard visits > Self.fineVisits else { return }
        let count = state.cells.count
        removeCells { cell in
            guard self.region(of: cell.base).isShared else { return false }
            return self.terms[self.terms.root(cell.base)].nature != .task
        }
        var isCoarse = state.cells.count != count
        if visits > Self.mediumVisits {
            let facts = state.refined.count + state.orders.count
            let outcomes = outcomes()
            state.refined.removeAll { id in
                !(self.terms[id].nature.isAddress || outcomes.contains(id))
            }
            state.orders.removeAll { _ in true }
            if state.refined.count + state.orders.count != facts { isCoarse = true }
        }
        if isCoarse {
            state.isWidened = true
            learned()
        }
    }

    /// The results that tell whether something was moved, created or kept.
    private func outcomes() -> Set<TermID> {
        Set(
            state.creates.map(\.result) + state.moves.map(\.result) + state.tasks.map(\.keepResult)
                + state.tasks.map(\.insertResult))
    }

    /// Was a state like this one here before, at least as exact? Notes it if not.
    func isSeen() -> Bool {
        let key = currentKey()
        let exactness: UInt8 = (state.isWidened ? 1 : 0) | (state.isDoubtful ? 2 : 0)
        if let known = seen[key] {
            // What was seen widened or doubtful says nothing for exact paths.
            if known & ~exactness == 0 { return true }
            seen[key] = known & exactness
            return false
        }
        guard seen.count < 200_000 else { return false }
        seen[key] = exactness
        return false
    }

    private func currentKey() -> StateKey {
        markGeneration &+= 1
        var key = StateKey()
        for depth in state.frames.indices { addFrame(depth, to: &key) }
        let cells = liveCells()
        for cell in cells {
            key.add(cell.base)
            key.add(UInt64(bitPattern: cell.offset) << 8 | UInt64(cell.size))
            key.add(cell.value)
        }
        for iterator in state.iterators {
            key.add(iterator.place)
            key.add(iterator.first)
            key.add(iterator.last)
            key.add(iterator.round << 1 | (iterator.isLater ? 1 : 0))
            mark(iterator.first)
            mark(iterator.last)
        }
        addTasks(to: &key)
        addKnowledge(to: &key)
        return key
    }

    private func addFrame(_ depth: Int, to key: inout StateKey) {
        let frame = state.frames[depth]
        let isTop = depth == state.top
        key.add(frame.function << 32 | frame.slot)
        key.add(Int(frame.context))
        guard let flow = program.prepared(frame.function)?.flow, frame.slot < flow.liveRegisters.count else { return }
        var live = flow.isWellFormed ? flow.liveRegisters[frame.slot] : 0x3FF
        if !isTop {
            let next = min(frame.slot + 1, flow.liveRegisters.count - 1)
            live = (flow.isWellFormed ? flow.liveRegisters[next] : 0x3FF) & 0x3C0
        }
        for number in 0..<10 where live & (1 << UInt16(number)) != 0 {
            let value = frame.registers[number]
            key.add(number << 40 | Int(value))
            mark(value)
        }
        if let repetition = frame.repetition {
            key.add(repetition.count)
            key.add(repetition.argument)
            key.add(min(repetition.round, Interpreter.exactRounds + 1))
            mark(repetition.argument)
            mark(repetition.count)
        }
    }

    /// Known memory that may be read again, in order.
    private func liveCells() -> [Cell] {
        // What is to be read again anyway says nothing more.
        var rest = state.cells.filter { !$0.isStale }
        var live: [Cell] = []
        var changed = true
        while changed, !rest.isEmpty {
            changed = false
            rest.removeAll { cell in
                guard isLive(cell) else { return false }
                live.append(cell)
                mark(cell.value)
                changed = true
                return true
            }
        }
        return live.sorted { ($0.base, $0.offset, $0.size) < ($1.base, $1.offset, $1.size) }
    }

    private func isLive(_ cell: Cell) -> Bool {
        let root = terms.root(cell.base)
        switch terms[root].nature {
        case .frame(let depth):
            guard depth < state.frames.count else { return false }
            let frame = state.frames[depth]
            guard let flow = program.prepared(frame.function)?.flow, flow.isWellFormed, cell.base == root,
                frame.slot < flow.liveStack.count
            else { return true }
            guard cell.offset >= -512, cell.offset < 0 else { return true }
            var pieces: UInt64 = 0
            for byte in 0..<cell.size { pieces |= Flow.piece(Int(cell.offset) + byte) }
            return flow.liveStack[frame.slot] & pieces != 0
        case .section(let map):
            if isMarked(root) { return true }
            return state.frames.contains {
                program.prepared($0.function)?.flow.mayUse(section: map, after: $0.slot) ?? true
            }
        default:
            guard areLeavesMarked(cell.base) else { return false }
            return state.frames.contains {
                program.prepared($0.function)?.flow.mayLoad(cell.offset, after: $0.slot) ?? true
            }
        }
    }

    private func addTasks(to key: inout StateKey) {
        for fact in state.tasks where areLeavesMarked(fact.task) || arguments.contains(fact.task) {
            key.add(fact.task)
            key.add(min(fact.inserts, 2) << 8 | min(fact.keeps, 2) << 4 | (fact.maybeKept ? 1 : 0))
            key.add(fact.keptIn)
            key.add(fact.firstInsert)
            if fact.keepResult != 0 {
                key.add(fact.keepResult)
                mark(fact.keepResult)
            }
        }
        for permission in state.permissions where areLeavesMarked(permission.cpu) && areLeavesMarked(permission.task) {
            key.add(permission.cpu)
            key.add(permission.task)
        }
        for move in state.moves {
            key.add(move.event)
            key.add(move.turns)
            let outcome = bounds(of: move.result)
            key.add(outcome.constant == 0 ? 1 : outcome.unsigned.contains(0) ? 2 : 3)
            if outcome.unsigned.contains(0), outcome.constant == nil { key.add(move.result) }
        }
        for create in state.creates {
            key.add(create.event)
            let outcome = bounds(of: create.result)
            key.add(outcome.signed32 == Interval(0) ? 1 : outcome.signed32.contains(0) ? 2 : 3)
        }
        for place in state.resets + state.turns { key.add(place.map << 40 ^ Int(place.offset)) }
        key.add(state.resets.count << 1 | (state.hasError ? 1 : 0))
    }

    /// What is known of terms that are made of live inputs only: of others, nobody can ask again.
    private func addKnowledge(to key: inout StateKey) {
        for (id, bounds) in state.refined.entries where areLeavesMarked(id) {
            key.add(id)
            key.add(bounds)
        }
        for (order, ways) in state.orders.entries where areLeavesMarked(order.a) && areLeavesMarked(order.b) {
            key.add(order.a)
            key.add(order.b)
            key.add(Int(ways) << 1 | (order.is32 ? 1 : 0))
        }
    }

    private func mark(_ id: TermID) {
        let term = terms[id]
        guard term.leafCount > 0 else { return }
        if marks.count < terms.count {
            marks.append(contentsOf: repeatElement(0, count: terms.count - marks.count + 256))
        }
        for index in Int(term.firstLeaf)..<Int(term.firstLeaf + term.leafCount) {
            marks[Int(terms.leafList[index])] = markGeneration
        }
    }

    private func isMarked(_ leaf: TermID) -> Bool {
        Int(leaf) < marks.count && marks[Int(leaf)] == markGeneration
    }

    private func areLeavesMarked(_ id: TermID) -> Bool {
        let term = terms[id]
        guard term.leafCount > 0 else { return true }
        for index in Int(term.firstLeaf)..<Int(term.firstLeaf + term.leafCount) {
            let leaf = terms.leafList[index]
            if isMarked(leaf) { continue }
            // A function of its arguments can be asked again while they are there.
            let own = terms[leaf]
            guard own.isPure, areLeavesMarked(own.a), areLeavesMarked(own.b) else { return false }
        }
        return true
    }
}
