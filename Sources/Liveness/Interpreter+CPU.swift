import BPFObject

extension Interpreter {
    /// What is to be said of a CPU number, by where it comes from; empty: nothing.
    func note(ofCPU cpu: TermID) -> String {
        let bare = terms.bare(cpu)
        if pickedFrom[bare] != nil { return "picked" }
        if let iterator = state.iterators.first(where: { isElement(bare, of: $0) }) {
            return isBeyondCount(iterator.last) ? "beyond" : ""
        }
        if let value = bounds(of: bare).constant { return value & 0xFFFF_FFFF == 0 ? "" : "constant" }
        if isTested(bare) || isTested(cpu) { return "" }
        if let base = positiveOffset(bare), isCPU(base), !isTested(base) { return "neighbour" }
        return isArbitrary(bare) ? "arbitrary" : ""
    }

    private func isElement(_ cpu: TermID, of iterator: Iterator) -> Bool {
        guard iterator.kind == .numbers, iterator.element != 0 else { return false }
        let value = terms.bare(iterator.value)
        if value == cpu { return true }
        guard let a = bounds(of: cpu).constant, let b = bounds(of: value).constant else { return false }
        return a & 0xFFFF_FFFF == b & 0xFFFF_FFFF
    }

    /// A number of CPUs and some more.
    private func isBeyondCount(_ last: TermID) -> Bool {
        guard let base = positiveOffset(terms.bare(last)) else { return false }
        return isCount(terms.bare(base))
    }

    /// What a term is a constant more than.
    private func positiveOffset(_ id: TermID) -> TermID? {
        let term = terms[id]
        if term.kind == .offset, Int32(truncatingIfNeeded: term.constant) > 0 { return terms.bare(term.a) }
        guard term.kind == .binary, term.operation == .add else { return nil }
        for (part, other) in [(term.a, term.b), (term.b, term.a)] {
            if let value = terms.constant(of: part), Int32(truncatingIfNeeded: value) > 0 { return terms.bare(other) }
        }
        return nil
    }

    /// The number of CPUs, by the kernel's word or the loader's.
    private func isCount(_ id: TermID) -> Bool {
        switch terms.input(of: id) {
        case .pure("scx_bpf_nr_cpu_ids", _, _): return true
        case .load(let base, let offset, _, _):
            guard case .section(let map) = terms[terms.root(base)].nature, program.isFrozen(map) else { return false }
            return program.isMachine(map: map, offset: offset)
        default: return false
        }
    }

    private func isCPU(_ id: TermID) -> Bool {
        if state.permissions.contains(where: { $0.cpu == id }) { return true }
        switch terms.input(of: id) {
        case .pure("scx_bpf_task_cpu", _, _): return true
        case .argument(let place):
            return ["dispatch", "update_idle", "cpu_online", "cpu_offline"].contains(entry.name) && place == 0
                || entry.name == "select_cpu" && place == 1
        case .result:
            return terms[id].bounds == .range(0, UInt64(program.options.cpuLimit - 1))
        default: return false
        }
    }

    /// Some branch has looked at the number.
    private func isTested(_ id: TermID) -> Bool {
        let bare = terms.bare(id)
        if state.refined[id] != nil || state.refined[bare] != nil { return true }
        return state.orders.entries.contains { entry in
            [entry.key.a, entry.key.b].contains { $0 == id || terms.bare($0) == bare }
        }
    }

    /// Made of what a task happens to have: its number, its weight, the time.
    func isArbitrary(_ id: TermID) -> Bool {
        guard let leaves = terms.leaves(of: id), !leaves.isEmpty else { return false }
        return leaves.allSatisfy { leaf in
            if terms[leaf].nature == .time || terms[leaf].nature == .random { return true }
            guard case .load(let base, let offset, _, _) = terms.input(of: leaf) else { return false }
            return terms[terms.root(base)].nature == .task && terms.root(base) == base
                && (offset == program.layout.pid || program.layout.ranks.contains(offset))
        }
    }

    /// The place in a map or a global that a number was loaded from, when that is all there is to it.
    func source(of id: TermID) -> Record.Place? {
        guard let leaves = terms.leaves(of: id), leaves.count == 1,
            case .load(let base, let offset, _, _) = terms.input(of: leaves[leaves.startIndex])
        else { return nil }
        switch terms[terms.root(base)].nature {
        case .section(let map), .mapValue(let map):
            return program.isFrozen(map) ? nil : Record.Place(map: map, offset: offset)
        default: return nil
        }
    }
}
