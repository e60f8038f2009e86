import BPFObject

extension Interpreter {
    /// Rounds of a loop that are followed one by one before the rest is taken as one.
    static let exactRounds = 3
    /// Rounds that take no decision are followed further: they end by themselves.
    static let plainRounds = 200
    static let wideningLimit = 10
    /// Rounds of a loop of which each takes at most one decision; as long as its head is not passed too often in all.
    static let searchRounds = 12
    static let searchVisits = 400

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
        let taken = state.forks - last.forks
        let visits = headVisits[site, default: 0] + 1
        headVisits[site] = visits
        let isPlain = taken == 0 && last.widenings == 0 && rounds < Self.plainRounds
        let isSearch =
            taken <= 2 && isShort() && last.widenings == 0 && rounds <= Self.searchRounds && visits <= Self.searchVisits
        noteProgress(last, rounds)
        if isPlain || isSearch || rounds <= Self.exactRounds {
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

    /// No iterator over numbers is at work, or one over few.
    private func isShort() -> Bool {
        guard let iterator = state.iterators.last else { return true }
        let first = bounds(of: iterator.first).signed32
        let last = bounds(of: iterator.last).signed32
        return iterator.kind == .numbers && first.isConstant && last.isConstant
            && Int64(last.low) - Int64(first.low) < Int64(Self.searchRounds)
    }

    /// Above this many rounds, work that leads to nothing is too much for an operation.
    static let workLimit: UInt64 = 65_536

    /// A loop that goes round again without having taken anything from anywhere: how long can it go on?
    private func noteProgress(_ last: LoopVisit, _ rounds: Int) {
        guard rounds >= 3, state.progress == last.progress else { return }
        var product: UInt64 = 1
        for iterator in state.iterators {
            switch iterator.kind {
            case .numbers:
                let first = bounds(of: iterator.first).signed32
                let end = bounds(of: iterator.last).signed32
                guard first.isConstant, end.isConstant, end.low > first.low else { continue }
                product =
                    product.multipliedReportingOverflow(by: UInt64(Int64(end.low) - Int64(first.low))).partialValue
            case .queue: noteWholeQueue(iterator)
            case .other: continue
            }
        }
        guard product > Self.workLimit, let iterator = state.iterators.first(where: { $0.kind == .numbers }) else {
            return
        }
        var event = event(.work)
        event.note = "up to \(product) rounds of a loop"
        (event.function, event.ownSlot) = (iterator.function, iterator.slot)
        _ = record.add(event)
    }

    /// A walk along a queue that nothing but the queue's end ends.
    private func noteWholeQueue(_ iterator: Iterator) {
        guard entry.name != "dispatch", entry.kind == .operation, state.isWidened else { return }
        let isBounded = state.refined.entries.contains { key, known in
            guard case .later = terms.input(of: key) else { return false }
            return known.unsigned32.high < .max || known.signed32.high < .max
                || known.unsigned.high < UInt64(UInt32.max)
        }
        if isBounded { return }
        var event = event(.work)
        event.note = "a walk along the whole of a queue"
        (event.function, event.ownSlot) = (iterator.function, iterator.slot)
        event.isExact = true
        _ = record.add(event)
    }

    private func visit(_ slot: Int, rounds: Int, widenings: Int) -> LoopVisit {
        LoopVisit(
            depth: state.top, slot: slot, rounds: rounds, forks: state.forks, registers: registers, cells: state.cells,
            iterators: state.iterators, widenings: widenings, progress: state.progress)
    }

    /// From here the state stands for this round and all later ones: what changed since the last round may be anything
    /// that the change leads to.
    func widen(since last: LoopVisit) {
        state.isWidened = true
        let site = site
        let live = program.prepared(state.frames[state.top].function)?.flow.liveRegisters[slot] ?? 0x3FF
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
        // An address that was tested stays tested: each round stores one like it.
        let isThere = plain.isAddress && !bounds(of: old).contains(0) && !bounds(of: new).contains(0)
        let least: Bounds = isThere ? Program.address : .any
        return (leaf, (leaf, isLast ? least : bounds(of: old).widened(by: bounds(of: new)).meet(least)))
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
        guard depth < 16, let own = terms.leaves(of: id) else { return true }
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
        state.refined.removeAll { isGone($0) }
        state.orders.removeAll { isGone($0.a) || isGone($0.b) }
        state.permissions.removeAll { isGone($0.cpu) || isGone($0.task) }
        state.tasks.removeAll { isGone($0.task) }
        state.earlier = state.earlier.filter { !isGone($0.key) && !isGone($0.value) }
        state.cells.removeAll { isGone($0.base) }
    }
}
