import BPFObject

extension Interpreter {
    static let callDepth = 8

    func call(_ instruction: Instruction, _ reference: Reference?, _ slot: Int) -> Outcome {
        if case .call(let other) = reference { return enter(other, slot) }
        if case .kernelFunction(let name, _, let isAvailable) = reference {
            // The kernel accepts such a call only where it is never reached.
            guard isAvailable else { return .ends }
            kernelCall(name)
        } else if instruction.src == Instruction.CallKind.helper {
            if let outcome = helperCall(instruction.immediate) { return outcome }
        } else {
            giveUp("a call of something unknown")
            return .ends
        }
        go(to: slot + 1)
        return .goesOn
    }

    /// A subprogram, as if its code stood here.
    private func enter(_ other: Int, _ slot: Int) -> Outcome {
        guard state.frames.count < Self.callDepth, program.object.functions.indices.contains(other) else {
            giveUp("calls nested more than \(Self.callDepth) deep")
            return .ends
        }
        push(other, Array(registers[1...5]), repetition: nil)
        return .goesOn
    }

    func push(_ function: Int, _ arguments: [TermID], repetition: Repetition?) {
        let frame = state.frames[state.top]
        let depth = state.frames.count
        let top = terms.input(.frame(depth), Program.address, .frame(depth))
        removeCells { self.region(of: $0.base) == .frame(depth) }
        var values = Array(repeating: TermTable.zero, count: 11)
        for (place, value) in arguments.enumerated() { values[place + 1] = value }
        values[10] = top
        state.frames.append(
            Frame(
                function: function,
                context: context(parent: frame.context, slot: frame.slot, function: function), slot: 0,
                registers: values, ownSlot: -1, repetition: repetition))
    }

    /// The end of a function.
    func leave() -> Outcome {
        let result = register(0)
        guard state.frames.count > 1 else {
            finish(result)
            return .ends
        }
        let frame = state.frames.removeLast()
        let depth = state.frames.count
        state.loops.removeAll { $0.depth >= depth }
        removeCells { self.region(of: $0.base) == .frame(depth) }
        if let repetition = frame.repetition { return repeated(repetition, frame, result) }
        setRegister(0, result)
        go(to: slot + 1)
        return .goesOn
    }

    /// A callback that the kernel calls for each element or number.
    func startRepetition(_ callback: TermID, _ kind: Repetition.Kind, _ count: TermID, _ argument: TermID) -> Outcome {
        guard case .function(let function) = terms.input(of: callback), state.frames.count < Self.callDepth else {
            giveUp("a callback that is not known")
            return .ends
        }
        let after = slot + 1
        let result = unknown(.lower(0, .max))
        // Not once, where that is possible.
        if bounds(of: count).contains(0) {
            fork(from: state, to: after) {
                self.setRegister(0, self.terms.constant(0))
                return self.refine(count, Bounds(0))
            }
            guard assume(.notEqual, count, terms.constant(0), is32: false) else { return .ends }
        }
        setRegister(0, result)
        callBack(function, Repetition(kind: kind, count: count, round: 0, argument: argument))
        return .goesOn
    }

    private func callBack(_ function: Int, _ repetition: Repetition) {
        let site = site
        if repetition.kind == .count, repetition.round == 2, state.progress == 0,
            bounds(of: repetition.count).unsigned.low > Self.workLimit
        {
            var event = event(.work)
            event.note = "up to \(bounds(of: repetition.count).unsigned.low) calls of a callback"
            _ = record.add(event)
        }
        switch repetition.kind {
        case .count:
            let index =
                repetition.round <= Self.exactRounds
                ? terms.constant(UInt64(repetition.round))
                : terms.input(.later(site, place: 32, round: 0), .range(0, 1 << 23))
            if repetition.round > Self.exactRounds { state.refined[index] = nil }
            push(function, [index, repetition.argument], repetition: repetition)
        case .mapElements(let map):
            let round = state.round(at: site)
            let key = terms.input(.written(site, round: round, argument: 1), Program.address, .own)
            let value = terms.input(.written(site, round: round, argument: 2), Program.address, .mapValue(map))
            let address = terms.input(.map(map), Program.address, .map(map))
            push(function, [address, key, value, repetition.argument], repetition: repetition)
        case .once:
            push(function, [TermTable.zero, repetition.argument], repetition: repetition)
        }
    }

    /// A callback has returned: again, or on behind the call.
    private func repeated(_ repetition: Repetition, _ frame: Frame, _ result: TermID) -> Outcome {
        let after = slot + 1
        let known = bounds(of: result)
        var next = repetition
        next.round += 1
        let canRepeat = known.contains(0) && repetition.round <= Self.exactRounds + 1
        let isOver = decided(.lessOrEqual, repetition.count, terms.constant(UInt64(next.round)), is32: false)
        if canRepeat, isOver != true || repetition.kind != .count {
            if known.constant == 0, isOver == false, repetition.kind == .count {
                startNext(frame.function, next)
                return .goesOn
            }
            let origin = state
            fork(from: origin, to: after) { true }
            state.forks += 1
            decide(to: slot)
            guard refine(result, Bounds(0)) else {
                go(to: after)
                return .goesOn
            }
            startNext(frame.function, next)
            return .goesOn
        }
        if repetition.round > Self.exactRounds { state.isWidened = true }
        go(to: after)
        return .goesOn
    }

    private func startNext(_ function: Int, _ repetition: Repetition) {
        if repetition.round > Self.exactRounds {
            // One round for all later ones: what the callback changes may be anything.
            state.isWidened = true
            let given = region(of: repetition.argument)
            removeCells { cell in
                let region = self.region(of: cell.base)
                if case .frame = region { return region == given }
                return true
            }
            learned()
        }
        callBack(function, repetition)
    }

    /// The result of the present call, new on each visit.
    func result(_ bounds: Bounds = .any, _ nature: Nature = .scalar) -> TermID {
        let site = site
        return terms.input(.result(site, round: state.round(at: site)), bounds, nature)
    }

    /// The result of the present call, told from that of the same call with another argument.
    func result(of name: String, _ argument: TermID, _ bounds: Bounds, _ nature: Nature) -> TermID {
        let site = site
        let round = state.round(at: site)
        let tag =
            UInt64(UInt32(bitPattern: site.context)) << 40 ^ UInt64(UInt32(bitPattern: site.slot)) << 16 ^ UInt64(round)
        return terms.input(.pure(name, argument, terms.constant(tag)), bounds, nature)
    }

    func finish(_ result: TermID) {
        let (function, own) = ownPlace()
        if entry.name == "select_cpu", !state.hasError {
            var event = event(.answer)
            event.cpu = bounds(of: result)
            if let pick = pickedFrom[terms.bare(result)] {
                event.note = "picked"
                (event.function, event.ownSlot) = (pick.function, pick.slot)
            }
            _ = record.add(event)
        }
        let task = arguments.first
        let fact = task.flatMap { state.fact(of: $0) }
        var keepFailed: Bool?
        if let fact, fact.keepResult != 0 {
            let known = bounds(of: fact.keepResult)
            keepFailed = known.signed32 == Interval(0) ? false : known.signed32.contains(0) ? nil : true
        }
        record.add(
            PathEnd(
                operation: entry.name, function: function, slot: slot, ownSlot: own, path: state.path,
                isExact: state.isExact, hasError: state.hasError, result: bounds(of: result), fact: fact,
                keepFailed: keepFailed, isSingleTask: isSingleTask(),
                moves: state.moves.map { move in
                    let known = bounds(of: move.result).signed32
                    return (
                        move.event, known == Interval(0) ? false : known.contains(0) ? nil : true, move.isQuestion,
                        Array(state.turns.prefix(move.turns))
                    )
                }, resets: state.resets,
                usesMemory: state.cells.contains { $0.isWritten && region(of: $0.base).isShared },
                creates: state.creates.map { create in
                    let known = bounds(of: create.result)
                    let isResult = terms.bare(result) == create.result
                    return (
                        create.event, known.signed32 == Interval(0) ? true : known.signed32.contains(0) ? nil : false,
                        isResult
                    )
                }, steps: state.steps))
    }

    /// Does the path hold for one task only, as by a test of its number against one?
    private func isSingleTask() -> Bool {
        guard let task = arguments.first, terms[task].nature == .task, let offset = program.layout.pid else {
            return false
        }
        return state.cells.contains { cell in
            cell.base == task && cell.offset == offset && bounds(of: cell.value).constant != nil
        }
            || state.orders.entries.contains { key, ways in
                ways == 1
                    && [key.a, key.b].contains { id in
                        guard case .load(let base, let place, _, _) = terms.input(of: terms.bare(id)) else {
                            return false
                        }
                        return base == task && place == offset
                    }
            }
    }
}
