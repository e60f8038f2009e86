import BPFObject

/// Turns: a counter or a deadline in memory decides when a queue is served out of its order. That bounds how long tasks
/// wait there, unless those that arrive elsewhere set it back. Operations by which tasks arrive are followed first, so
/// that the decisions of dispatch can be held against what they set back.
extension Interpreter {
    private static let arrivals: Set = ["enqueue", "select_cpu", "select_cid"]

    /// A place that is the same one whenever the program names it; nil for one of many.
    func place(at base: TermID, _ offset: Int64) -> Record.Place? {
        guard terms.root(base) == base else { return nil }
        switch terms[base].nature {
        case .section(let map): return program.isFrozen(map) ? nil : Record.Place(map: map, offset: offset)
        case .mapValue(let map):
            guard program.object.maps.indices.contains(map) else { return nil }
            let definition = program.object.maps[map]
            let isOne = [MapType.array, MapType.perCPUArray].contains(definition.type) && definition.maxEntries == 1
            return isOne ? Record.Place(map: map, offset: offset) : nil
        default: return nil
        }
    }

    /// - Parameter value: nil where it is not known.
    func noteReset(_ place: Record.Place, _ value: TermID?) {
        let isArrival = Self.arrivals.contains(entry.name)
        guard isArrival || entry.name == "dispatch" else { return }
        state.resets.removeAll { $0 == place }
        if let reset = value.flatMap({ self.reset(to: $0) }) {
            if isArrival {
                record.resets[place, default: []].insert(reset)
                state.resets.append(place)
            } else {
                record.ownResets[place, default: []].insert(reset)
            }
        } else if !(value.map { isCounted($0, place) } ?? false) {
            record.otherWrites.insert(place)
        }
    }

    private func reset(to value: TermID) -> Record.Reset? {
        if let constant = bounds(of: value).constant { return .value(constant) }
        return terms[value].kind == .input && terms[value].nature == .time ? .now : nil
    }

    /// Made of what was there before, and of nothing else.
    private func isCounted(_ value: TermID, _ place: Record.Place) -> Bool {
        guard let leaves = terms.leaves(of: value), !leaves.isEmpty else { return false }
        return leaves.allSatisfy { self.place(of: $0) == place }
    }

    /// Where an input was loaded from, if nothing was there before that the path knew.
    private func place(of leaf: TermID) -> Record.Place? {
        guard case .load(let base, let offset, _, _) = terms.input(of: leaf), state.earlier[leaf] == nil else {
            return nil
        }
        return place(at: base, offset)
    }

    /// The places for which the condition cannot hold, or cannot fail, right after they were set back.
    func turns(
        _ condition: Condition, _ a: TermID, _ b: TermID, _ is32: Bool
    ) -> (whenTrue: [Record.Place], whenFalse: [Record.Place]) {
        guard entry.name == "dispatch", !record.resets.isEmpty, let first = terms.leaves(of: a),
            let second = terms.leaves(of: b)
        else { return ([], []) }
        var result: (whenTrue: [Record.Place], whenFalse: [Record.Place]) = ([], [])
        for place in Set((Array(first) + second).compactMap { self.place(of: $0) }) {
            guard let outcome = self.outcome(condition, a, b, is32, place) else { continue }
            if outcome { result.whenFalse.append(place) } else { result.whenTrue.append(place) }
        }
        return result
    }

    /// What the condition is after each way to set the place back; nil where that differs or depends on more.
    private func outcome(
        _ condition: Condition, _ a: TermID, _ b: TermID, _ is32: Bool, _ place: Record.Place
    ) -> Bool? {
        var outcomes: Set<Bool> = []
        for reset in record.resets[place] ?? [] {
            // Two times, so that only what depends on their difference counts.
            for time: UInt64 in [1 << 32, 1 << 48] {
                let value = if case .value(let constant) = reset { constant } else { time }
                guard let x = evaluate(a, place, value, time), let y = evaluate(b, place, value, time) else {
                    return nil
                }
                outcomes.insert(condition.holds(x, y, is32: is32))
            }
        }
        return outcomes.count == 1 ? outcomes.first : nil
    }

    /// The term's value where the place holds `value`, and it is `time`; nil where it depends on more.
    private func evaluate(
        _ id: TermID, _ place: Record.Place, _ value: UInt64, _ time: UInt64, depth: Int = 0
    ) -> UInt64? {
        let term = terms[id]
        if let constant = term.bounds.constant { return constant }
        guard depth < 12 else { return nil }
        func part(_ id: TermID) -> UInt64? { evaluate(id, place, value, time, depth: depth + 1) }
        switch term.kind {
        case .constant: return term.constant
        case .input:
            if term.nature == .time { return time }
            guard self.place(of: id) == place, case .load(_, _, let size, _) = terms.input(of: id) else { return nil }
            return size < 8 ? value & (1 << UInt64(size * 8) - 1) : value
        case .offset: return part(term.a).map { $0 &+ term.constant }
        case .zeroExtend: return part(term.a).map { $0 & 0xFFFF_FFFF }
        case .signExtend: return part(term.a).flatMap { Bounds($0).signExtended(Int(term.width)).constant }
        case .negate: return part(term.a).map { 0 &- $0 }
        case .byteSwap: return nil
        case .binary:
            guard let x = part(term.a), let y = part(term.b) else { return nil }
            return term.operation.apply(x, y, is32: term.is32)
        }
    }

    func noteTurns(_ places: [Record.Place]) {
        for place in places where !state.turns.contains(place) && state.turns.count < 8 { state.turns.append(place) }
    }
}
