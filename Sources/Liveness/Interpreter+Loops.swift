import BPFObject

extension Interpreter {
    /// Rounds of a loop that are followed one by one before the rest is taken as one.
    static let exactRounds = 3
    /// Rounds that take no decision are followed further: they end by themselves.
    static let plainRounds = 200
    static let wideningLimit = 10

    /// At the head of a loop.
    func passHead(_ slot: Int) -> Outcome {
        let top = state.top
        state.loops.removeAll { $0.depth > top }
        guard let index = state.loops.firstIndex(where: { $0.depth == top && $0.slot == slot }) else {
            state.loops.append(visit(slot, rounds: 1, widenings: 0))
            return .goesOn
        }
        // Loops that were begun since are inside, and begin anew.
        state.loops.removeSubrange((index + 1)...)
        let last = state.loops[index]
        let rounds = last.rounds + 1
        let isPlain = state.forks == last.forks && last.widenings == 0 && rounds < Self.plainRounds
        if isPlain || rounds <= Self.exactRounds {
            state.loops[index] = visit(slot, rounds: rounds, widenings: last.widenings)
            return .goesOn
        }
        guard last.widenings < Self.wideningLimit else {
            giveUp("a loop that does not settle")
            return .ends
        }
        widen(since: last)
        state.loops[index] = visit(slot, rounds: rounds, widenings: last.widenings + 1)
        return .goesOn
    }

    private func visit(_ slot: Int, rounds: Int, widenings: Int) -> LoopVisit {
        LoopVisit(
            depth: state.top, slot: slot, rounds: rounds, forks: state.forks, registers: registers, cells: state.cells,
            iterators: state.iterators, widenings: widenings)
    }

    /// From here the state stands for this round and all later ones: what changed since the last round may be anything
    /// that the change leads to.
    func widen(since last: LoopVisit) {
        state.isWidened = true
        let site = site
        let live = program.flow(state.frames[state.top].function)?.liveRegisters[slot] ?? 0x3FF
        var fresh: [(TermID, Bounds)] = []
        for number in 0..<10 where live & (1 << UInt16(number)) != 0 {
            let (old, new) = (last.registers[number], registers[number])
            guard old != new else { continue }
            let (value, known) = general(old, new, site, place: number, isLast: last.widenings > 5)
            registers[number] = value
            fresh.append(known)
        }
        widenCells(since: last, site, &fresh)
        for index in state.iterators.indices where !last.iterators.contains(state.iterators[index]) {
            state.iterators[index].isLater = true
            state.iterators[index].round = 0
            state.iterators[index].element = 0
            state.iterators[index].value = 0
        }
        forgetFacts(of: Set(fresh.map(\.0)))
        for (leaf, bounds) in fresh where !bounds.isAny { state.refined[leaf] = bounds }
        learned()
    }

    /// An input for whatever a place holds in later rounds, with what is known of it.
    private func general(
        _ old: TermID, _ new: TermID, _ site: Site, place: Int, isLast: Bool
    ) -> (TermID, (TermID, Bounds)) {
        let root = terms.root(old)
        if terms[root].nature.isAddress, terms.root(new) == root, old != root || new != root {
            // Somewhere else in the same thing.
            let distance = terms.input(.later(site, place: place, round: 1), .any)
            return (terms.binary(.add, root, distance, is32: false) ?? root, (distance, .any))
        }
        let nature = terms[new].nature == terms[old].nature ? terms[new].nature : terms[new].nature
        let plain = nature.isAddress && terms[new].kind != .input ? Nature.scalar : nature
        let leaf = terms.input(.later(site, place: place, round: 0), .any, plain)
        return (leaf, (leaf, isLast ? .any : bounds(of: old).widened(by: bounds(of: new))))
    }

    private func widenCells(since last: LoopVisit, _ site: Site, _ fresh: inout [(TermID, Bounds)]) {
        for index in state.cells.indices {
            let cell = state.cells[index]
            guard !last.cells.contains(cell) else { continue }
            let before = last.cells.first {
                $0.base == cell.base && $0.offset == cell.offset && $0.size == cell.size
            }
            if let before, before.value == cell.value { continue }
            let place = 64 + Int(cell.base) << 20 ^ Int(cell.offset) << 4 ^ cell.size
            let (value, known) = general(
                before?.value ?? cell.value, cell.value, site, place: place,
                isLast: before == nil || last.widenings > 5)
            state.cells[index].value = value
            fresh.append(known)
        }
    }

    /// Is the term made of one of these, or loaded through one?
    private func depends(_ id: TermID, on leaves: Set<TermID>, _ depth: Int) -> Bool {
        guard depth < 16, let own = terms[id].leaves else { return true }
        for leaf in own {
            if leaves.contains(leaf) { return true }
            switch terms.input(of: leaf) {
            case .load(let base, _, _, _): if depends(base, on: leaves, depth + 1) { return true }
            case .pure(_, let a, let b):
                if depends(a, on: leaves, depth + 1) || depends(b, on: leaves, depth + 1) { return true }
            default: break
            }
        }
        return false
    }

    /// What was known of inputs that now stand for something else.
    private func forgetFacts(of leaves: Set<TermID>) {
        guard !leaves.isEmpty else { return }
        func isGone(_ id: TermID) -> Bool { depends(id, on: leaves, 0) }
        state.refined = state.refined.filter { !isGone($0.key) }
        state.orders = state.orders.filter { !isGone($0.key.a) && !isGone($0.key.b) }
        state.permissions.removeAll { isGone($0.cpu) || isGone($0.task) }
        state.tasks.removeAll { isGone($0.task) }
        state.earlier = state.earlier.filter { !isGone($0.key) && !isGone($0.value) }
        state.cells.removeAll { isGone($0.base) }
    }
}
