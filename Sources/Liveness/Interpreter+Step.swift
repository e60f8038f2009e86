import BPFObject

extension Interpreter {
    /// Follows one instruction, and goes to the next.
    func step(_ instruction: Instruction, _ prepared: Prepared, _ slot: Int) -> Outcome {
        switch instruction.opcode & 0x07 {
        case 0x00: return wideLoad(instruction, prepared, slot)
        case 0x01: load(instruction)
        case 0x02, 0x03: store(instruction)
        case 0x04, 0x07: arithmetic(instruction)
        default: return jump(instruction, prepared, slot)
        }
        go(to: slot + 1)
        return .goesOn
    }

    private func wideLoad(_ instruction: Instruction, _ prepared: Prepared, _ slot: Int) -> Outcome {
        guard instruction.isWideLoad else {
            // Loads from packets: no scheduler has them.
            setRegister(0, unknown())
            go(to: slot + 1)
            return .goesOn
        }
        let upper = slot + 1 < prepared.code.count ? prepared.code[slot + 1].immediate : 0
        let plain = UInt64(UInt32(bitPattern: instruction.immediate)) | UInt64(UInt32(bitPattern: upper)) << 32
        let value: TermID
        switch prepared.function.references[slot] {
        case .mapPointer(let map): value = terms.input(.map(map), Program.address, .map(map))
        case .mapValue(let map, let offset):
            let base = terms.input(.section(map), .range(1 << 32, UInt64(Int64.max)), .section(map))
            value = terms.offset(base, UInt64(bitPattern: Int64(offset)))
        case .functionPointer(let other): value = terms.input(.function(other), Program.address, .function(other))
        case .kernelFunction(_, _, let isAvailable), .kernelSymbol(_, _, let isAvailable):
            value =
                isAvailable
                ? terms.input(
                    .kernelSymbol(function: state.frames[state.top].function, slot: slot), Program.address, .kernel)
                : terms.constant(0)
        default: value = terms.constant(plain)
        }
        setRegister(instruction.dst, value)
        go(to: slot + 2)
        return .goesOn
    }

    private func arithmetic(_ instruction: Instruction) {
        let is32 = instruction.opcode & 0x07 == 0x04
        let isRegister = instruction.opcode & 0x08 != 0
        let code = instruction.opcode & 0xF0
        let extended = UInt64(bitPattern: Int64(instruction.immediate))
        let source = isRegister ? register(instruction.src) : terms.constant(is32 ? extended & 0xFFFF_FFFF : extended)
        let old = register(instruction.dst)
        let value: TermID
        switch code {
        case 0xB0: value = moved(source, instruction, is32)
        case 0x80: value = shallow(old) { self.terms.negated(is32 ? self.terms.zeroExtended(old) : old) }
        case 0xD0:
            let isKnown = [16, 32, 64].contains(instruction.immediate)
            value = isKnown ? shallow(old) { self.terms.swapped(old, Int(instruction.immediate)) } : unknown()
        default:
            let isSigned = instruction.offset == 1 && (code == 0x30 || code == 0x90)
            guard let operation = Operation(rawValue: code | (isSigned ? 1 : 0)) else {
                value = unknown()
                break
            }
            value = combined(operation, old, source, is32)
        }
        setRegister(instruction.dst, is32 && code != 0xB0 ? terms.zeroExtended(value) : value)
    }

    private func shallow(_ term: TermID, _ make: () -> TermID) -> TermID {
        terms[term].depth < 40 ? make() : unknown()
    }

    private func moved(_ source: TermID, _ instruction: Instruction, _ is32: Bool) -> TermID {
        switch instruction.offset {
        case 8, 16, 32:
            let value = shallow(source) { self.terms.signExtended(source, Int(instruction.offset)) }
            return is32 ? shallow(value) { self.terms.zeroExtended(value) } : value
        case 1 where instruction.immediate != 0 || !is32:
            // An arena address seen from the other address space: as good as the same.
            return source
        default: return is32 ? shallow(source) { self.terms.zeroExtended(source) } : source
        }
    }

    func combined(_ operation: Operation, _ a: TermID, _ b: TermID, _ is32: Bool) -> TermID {
        // A value that the path has made constant is used as such: the term stays small, and equal paths stay equal.
        let left = is32 && terms[a].nature.isAddress ? terms.zeroExtended(a) : settledTerm(a)
        let right = settledTerm(b)
        if let term = terms.binary(operation, left, right, is32: is32) { return term }
        let bounds = bounds(of: a).applying(operation, self.bounds(of: b), is32: is32)
        return unknown(bounds)
    }

    private func settledTerm(_ id: TermID) -> TermID {
        guard !state.refined.isEmpty, let value = bounds(of: id).constant else { return id }
        return terms.constant(value)
    }

    private func jump(_ instruction: Instruction, _ prepared: Prepared, _ slot: Int) -> Outcome {
        let is32 = instruction.opcode & 0x07 == 0x06
        switch instruction.opcode & 0xF0 {
        case 0x00:
            go(to: slot + 1 + (is32 ? Int(instruction.immediate) : Int(instruction.offset)))
            return .goesOn
        case 0x80: return call(instruction, prepared.function.references[slot], slot)
        case 0x90: return leave()
        case 0xE0:
            // "may go to": the kernel ends a loop that takes too long.
            fork(from: state, to: slot + 1 + Int(instruction.offset)) { true }
            state.forks += 1
            decide(to: slot + 1)
            go(to: slot + 1)
            return .goesOn
        default: return branch(instruction, slot, is32)
        }
    }

    private func branch(_ instruction: Instruction, _ slot: Int, _ is32: Bool) -> Outcome {
        guard let condition = Condition(rawValue: instruction.opcode & 0xF0) else { return .ends }
        let a = register(instruction.dst)
        let extended = UInt64(bitPattern: Int64(instruction.immediate))
        let b =
            instruction.opcode & 0x08 != 0
            ? register(instruction.src) : terms.constant(is32 ? extended & 0xFFFF_FFFF : extended)
        let target = slot + 1 + Int(instruction.offset)
        if let holds = decided(condition, a, b, is32: is32) {
            noteDecided(slot, holds ? target : slot + 1)
            // Still something to learn: that the two are equal, say.
            guard holds ? assume(condition, a, b, is32: is32) : assumeNot(condition, a, b, is32: is32) else {
                return .ends
            }
            go(to: holds ? target : slot + 1)
            return .goesOn
        }
        let expected = expectation(condition, a, b, is32)
        let basis = basis(a).union(basis(b))
        let turns = self.turns(condition, a, b, is32)
        fork(from: state, to: target, basis: basis) {
            if expected == false { self.state.isDoubtful = true }
            self.noteTurns(turns.whenTrue)
            return self.assume(condition, a, b, is32: is32)
        }
        guard assumeNot(condition, a, b, is32: is32) else { return .ends }
        if expected == true { state.isDoubtful = true }
        noteTurns(turns.whenFalse)
        state.forks += 1
        decide(to: slot + 1, basis)
        go(to: slot + 1)
        return .goesOn
    }

    /// A person follows these too, where they are in the scheduler's own file.
    private func noteDecided(_ slot: Int, _ target: Int) {
        let function = state.frames[state.top].function
        guard let flow = program.prepared(function)?.flow, flow.ownSlots[slot] >= 0 else { return }
        if let last = state.path, last.function == function, last.slot == slot, last.target == target { return }
        decide(to: target)
    }

    /// What a decision on a term looks at.
    private func basis(_ id: TermID) -> PathNode.Basis {
        guard let leaves = terms.leaves(of: id) else { return .memory }
        var basis: PathNode.Basis = []
        for leaf in leaves {
            switch terms[leaf].nature {
            case .time, .random: basis.insert(.memory)
            default: break
            }
            switch terms.input(of: leaf) {
            case .load(let base, let offset, _, _):
                let root = terms.root(base)
                if terms[root].nature == .task, root == base {
                    if offset == program.layout.taskFlags || offset == program.layout.cpuCount {
                        basis.insert(.kernelThread)
                    } else if program.layout.ranks.contains(offset) {
                        basis.insert(.rank)
                    }
                } else if case .section(let map) = terms[root].nature, program.isFrozen(map) {
                    break
                } else {
                    basis.insert(.memory)
                }
            case .result where !terms[leaf].nature.isAddress: basis.insert(.memory)
            case .unknown, .written, .later: basis.insert(.memory)
            default: break
            }
        }
        return basis
    }

    /// What the condition would be if nobody else had written to memory since it was read before; nil where unknown.
    private func expectation(_ condition: Condition, _ a: TermID, _ b: TermID, _ is32: Bool) -> Bool? {
        guard !state.earlier.isEmpty else { return nil }
        let before = (earlierTerm(a, 0), earlierTerm(b, 0))
        if before == (a, b) { return nil }
        return decided(condition, before.0, before.1, is32: is32)
    }

    private func earlierTerm(_ id: TermID, _ depth: Int) -> TermID {
        if let earlier = state.earlier[id] { return depth < 8 ? earlierTerm(earlier, depth + 1) : earlier }
        let term = terms[id]
        guard depth < 8, let leaves = terms.leaves(of: id), leaves.contains(where: { state.earlier[$0] != nil }) else {
            return id
        }
        switch term.kind {
        case .constant, .input, .byteSwap, .negate: return id
        case .offset: return terms.offset(earlierTerm(term.a, depth + 1), term.constant)
        case .zeroExtend: return terms.zeroExtended(earlierTerm(term.a, depth + 1))
        case .signExtend: return terms.signExtended(earlierTerm(term.a, depth + 1), Int(term.width))
        case .binary:
            let a = earlierTerm(term.a, depth + 1)
            return terms.binary(term.operation, a, earlierTerm(term.b, depth + 1), is32: term.is32) ?? id
        }
    }
}
