import BPFObject

extension Interpreter {
    /// Something was learned or the state changed: what was computed for terms holds no longer.
    func learned() { generation &+= 1 }

    /// What is known of a term on this path.
    func bounds(of id: TermID) -> Bounds {
        let index = Int(id)
        if state.refined.isEmpty { return terms[id].bounds }
        if index >= memory.count {
            memory.append(contentsOf: repeatElement(.any, count: terms.count - memory.count + 64))
            memoryGeneration.append(contentsOf: repeatElement(0, count: terms.count - memoryGeneration.count + 64))
        }
        if memoryGeneration[index] == generation { return memory[index] }
        let term = terms[id]
        var result = term.bounds
        if result.constant == nil {
            switch term.kind {
            case .constant, .input, .byteSwap: break
            case .offset:
                result = result.meet(bounds(of: term.a).applying(.add, Bounds(term.constant), is32: false))
            case .binary:
                result = result.meet(
                    bounds(of: term.a).applying(term.operation, bounds(of: term.b), is32: term.is32))
            case .zeroExtend: result = result.meet(bounds(of: term.a).zeroExtended)
            case .signExtend: result = result.meet(bounds(of: term.a).signExtended(Int(term.width)))
            case .negate: result = result.meet(bounds(of: term.a).negated)
            }
            if let learned = state.refined[id] { result = result.meet(learned) }
        }
        memory[index] = result
        memoryGeneration[index] = generation
        return result
    }

    /// Adds knowledge of a term, and of what it is made of. False: the path cannot exist.
    func refine(_ id: TermID, _ new: Bounds, depth: Int = 0) -> Bool {
        let old = bounds(of: id)
        let met = old.meet(new)
        if met.isEmpty { return false }
        if met == old { return true }
        let term = terms[id]
        if term.kind != .constant {
            state.refined[id] = met
            learned()
        }
        if term.kind == .input, !inputWasRefined(id, met) { return false }
        guard depth < 12 else { return true }
        switch term.kind {
        case .constant, .input, .negate, .byteSwap: return true
        case .offset:
            return refine(term.a, met.applying(.subtract, Bounds(term.constant), is32: false), depth: depth + 1)
        case .zeroExtend, .signExtend:
            guard term.kind == .zeroExtend || term.width == 32 else { return true }
            let lower = Bounds(
                unsigned32: met.unsigned32, signed32: met.signed32,
                bits: KnownBits(value: met.bits.value & 0xFFFF_FFFF, unknown: met.bits.unknown | 0xFFFF_FFFF_0000_0000)
            ).settled
            return refine(term.a, lower, depth: depth + 1)
        case .binary: return refineParts(term, met, depth)
        }
    }

    private func refineParts(_ term: Term, _ met: Bounds, _ depth: Int) -> Bool {
        guard let constant = terms.constant(of: term.b) else {
            guard let constant = terms.constant(of: term.a), !term.is32, term.operation == .or else { return true }
            return refine(
                term.b,
                Bounds(bits: KnownBits(value: met.bits.value & ~constant, unknown: met.bits.unknown | constant)),
                depth: depth + 1)
        }
        let upper: UInt64 = term.is32 ? 0xFFFF_FFFF_0000_0000 : 0
        switch term.operation {
        case .and:
            let told = constant & ~upper
            return refine(
                term.a, Bounds(bits: KnownBits(value: met.bits.value & told, unknown: met.bits.unknown | ~told)),
                depth: depth + 1)
        case .or:
            return refine(
                term.a,
                Bounds(
                    bits: KnownBits(value: met.bits.value & ~constant, unknown: met.bits.unknown | constant | upper)),
                depth: depth + 1)
        case .xor where met.constant != nil && !term.is32:
            return refine(term.a, Bounds((met.constant ?? 0) ^ constant), depth: depth + 1)
        case .add where term.is32:
            let lower = Bounds(unsigned32: met.unsigned32, signed32: met.signed32).settled
                .applying(.subtract, Bounds(constant), is32: true)
            return refine(
                term.a, Bounds(unsigned32: lower.unsigned32, signed32: lower.signed32).settled, depth: depth + 1)
        case .shiftRight where !term.is32:
            let count = constant & 63
            let low = met.unsigned.low << count
            let high = met.unsigned.high << count | ((1 << count) &- 1)
            guard met.unsigned.high <= UInt64.max >> count else { return true }
            return refine(term.a, .range(low, high), depth: depth + 1)
        default: return true
        }
    }

    /// Is the condition decided by what is known?
    func decided(_ condition: Condition, _ a: TermID, _ b: TermID, is32: Bool) -> Bool? {
        if a == b { return condition == .sharesBits ? decidedBits(a, b, is32) : condition.holds(0, 0, is32: false) }
        let left = bounds(of: a)
        let right = bounds(of: b)
        if left.assuming(condition, right, is32: is32).isEmpty
            || right.assuming(condition.mirrored, left, is32: is32).isEmpty
        {
            return false
        }
        if condition == .sharesBits { return decidedBits(a, b, is32) }
        if let opposite = condition.opposite,
            left.assuming(opposite, right, is32: is32).isEmpty
                || right.assuming(opposite.mirrored, left, is32: is32).isEmpty
        {
            return true
        }
        let possible = ways(a, b, is32: is32)
        if possible & condition.ways == 0 { return false }
        if possible & ~condition.ways & 0b11111 == 0 { return true }
        return nil
    }

    private func decidedBits(_ a: TermID, _ b: TermID, _ is32: Bool) -> Bool? {
        let mask: UInt64 = is32 ? 0xFFFF_FFFF : .max
        let left = bounds(of: a).bits
        let right = bounds(of: b).bits
        if left.value & right.value & mask != 0 { return true }
        if (left.value | left.unknown) & (right.value | right.unknown) & mask == 0 { return false }
        if a == b {
            let known = bounds(of: a)
            if is32 ? !known.unsigned32.contains(0) : !known.unsigned.contains(0) { return true }
        }
        return nil
    }

    private func ways(_ a: TermID, _ b: TermID, is32: Bool) -> UInt8 {
        if a <= b { return state.orders[State.OrderKey(a: a, b: b, is32: is32)] ?? 0b11111 }
        return Condition.mirror(state.orders[State.OrderKey(a: b, b: a, is32: is32)] ?? 0b11111)
    }

    /// Takes the condition as given. False: it contradicts what is known.
    func assume(_ condition: Condition, _ a: TermID, _ b: TermID, is32: Bool) -> Bool {
        let left = bounds(of: a)
        let right = bounds(of: b)
        let newLeft = left.assuming(condition, right, is32: is32)
        let newRight = right.assuming(condition.mirrored, left, is32: is32)
        if newLeft.isEmpty || newRight.isEmpty { return false }
        if condition.ways != 0, a != b {
            let possible = ways(a, b, is32: is32) & condition.ways
            if possible == 0 { return false }
            if a <= b {
                state.orders[State.OrderKey(a: a, b: b, is32: is32)] = possible
            } else {
                state.orders[State.OrderKey(a: b, b: a, is32: is32)] = Condition.mirror(possible)
            }
        }
        return refine(a, newLeft) && refine(b, newRight)
    }

    /// Takes it as given that the condition does not hold.
    func assumeNot(_ condition: Condition, _ a: TermID, _ b: TermID, is32: Bool) -> Bool {
        if let opposite = condition.opposite { return assume(opposite, a, b, is32: is32) }
        guard let mask = bounds(of: b).constant else {
            guard let mask = bounds(of: a).constant else { return true }
            return refine(b, bounds(of: b).sharingNothing(with: is32 ? mask & 0xFFFF_FFFF : mask))
        }
        return refine(a, bounds(of: a).sharingNothing(with: is32 ? mask & 0xFFFF_FFFF : mask))
    }

    /// An input became known better: what follows from that for other things.
    private func inputWasRefined(_ id: TermID, _ new: Bounds) -> Bool {
        switch terms.input(of: id) {
        case .pure("bpf_cpumask_test_cpu", let cpu, let mask):
            if !new.unsigned.contains(0), let task = task(ofMask: mask) { permit(cpu, task) }
        case .result:
            // The element of a run over numbers: it is there exactly when it is below the end.
            if let iterator = state.iterators.first(where: { $0.element == id }) {
                if new.constant == 0 {
                    if !iterator.isLater { return assumeNot(.signedLess, iterator.value, iterator.last, is32: true) }
                } else if !new.unsigned.contains(0) {
                    return assume(.signedLess, iterator.value, iterator.last, is32: true)
                }
            }
        default: break
        }
        return true
    }

    func permit(_ cpu: TermID, _ task: TermID) {
        let permission = Permission(cpu: terms.bare(cpu), task: task)
        if !state.permissions.contains(permission) { state.permissions.append(permission) }
    }

    /// The task whose permitted CPUs the mask is.
    func task(ofMask mask: TermID) -> TermID? {
        guard case .load(let base, let offset, _, _) = terms.input(of: mask) else {
            let (base, offset) = terms.split(mask)
            let isOwn = program.layout.cpusMask.map { Int64(bitPattern: offset) == $0 } ?? false
            return isOwn && offset != 0 ? base : nil
        }
        return offset == program.layout.cpusPointer ? base : nil
    }
}
