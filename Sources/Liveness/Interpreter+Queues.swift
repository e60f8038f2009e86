import BPFObject

extension Interpreter {
    func queueCall(_ model: KernelModel) {
        switch model {
        case .insert: insert(register(1), register(2), slice: register(3), key: nil, flags: register(4))
        case .insertOrdered:
            insert(register(1), register(2), slice: register(3), key: register(4), flags: register(5))
        case .insertOrderedByArguments: insertByArguments()
        case .moveToLocal: move(register(1))
        case .moveBetween: transfer(register(2), register(3), isOrdered: false, flags: register(4))
        case .moveBetweenOrdered: transfer(register(2), register(3), isOrdered: true, flags: register(4))
        case .createQueue: create(register(1))
        case .destroyQueue:
            var event = event(.destroy)
            event.queue = queue(register(1))
            _ = record.add(event)
            let gone = register(1)
            state.creates.removeAll { $0.queue == gone }
            setRegister(0, TermTable.zero)
        case .queueLength, .peekQueue:
            var event = event(model == .peekQueue ? .iterate : .askLength)
            event.queue = queue(register(1))
            let asked = entry.name == "dispatch" ? record.add(event) : nil
            if entry.name != "dispatch" { _ = record.add(event) }
            guard model == .queueLength else {
                setRegister(0, result(.any, .task))
                return
            }
            let length = result(.lower(-4095, .max))
            if let number = asked, event.queue?.constant != nil {
                state.moves.removeAll { $0.event == number }
                state.moves.append(
                    MoveFact(
                        queue: register(1), isQuestion: true, result: length, event: number, turns: state.turns.count))
            }
            setRegister(0, length)
        default: setRegister(0, TermTable.zero)
        }
    }

    /// The newest form takes a structure.
    private func insertByArguments() {
        let fields = program.layout.insertArguments
        func field(_ name: String) -> TermID {
            guard let offset = fields[name] else { return unknown() }
            return read(register(2), offset, 8)
        }
        insert(
            register(1), field("dsq_id"), slice: field("slice"), key: field("vtime"), flags: field("enq_flags"))
    }

    private func insert(_ address: TermID, _ queueTerm: TermID, slice: TermID, key: TermID?, flags: TermID) {
        let task = canonical(terms.root(address))
        var event = event(.insert)
        event.owner = owner(task)
        event.queue = queue(queueTerm)
        event.isOrdered = key != nil
        event.key = key.map { keyOrigin($0) }
        event.slice = bounds(of: slice)
        let origin = keyOrigin(slice)
        event.isOfRank = origin.isFixed && origin.usesRank && state.refined[slice] == nil
        event.flags = bounds(of: flags)
        if let target = event.queue { placeOn(target, queueTerm, task, &event) }
        let before = state.fact(of: task)
        if let before, before.inserts > 0, !isKnownFalse(before.insertResult) { event.clash = before.firstInsert }
        if let before, before.keeps > 0, before.keepResult == 0 || !isKnownFailure(before.keepResult) {
            event.isAfterKeep = true
        }
        let number = record.add(event)
        let value = result(.range(0, 1))
        state.withTask(task) {
            $0.inserts += 1
            if $0.firstInsert < 0 { $0.firstInsert = number }
            $0.insertResult = value
        }
        for field in [program.layout.slice, program.layout.virtualTime].compactMap({ $0 }) { forget(task, field, 8) }
        setRegister(0, value)
    }

    private func isKnownFalse(_ result: TermID) -> Bool { result != 0 && bounds(of: result).constant == 0 }

    private func isKnownFailure(_ result: TermID) -> Bool { !bounds(of: result).signed32.contains(0) }

    /// Judges whether the task may run where it is put.
    private func placeOn(_ target: QueueReference, _ id: TermID, _ task: TermID, _ event: inout Event) {
        let layout = program.layout
        if target.isLocalOn {
            let cpu = cpu(inQueue: id)
            event.cpu = bounds(of: cpu)
            event.note = note(ofCPU: cpu)
            event.source = source(of: cpu)
            event.permitted = isPermitted(cpu, task)
        } else if target.constant == layout.local {
            if entry.name == "dispatch", event.owner == .foreign, let cpu = arguments.first {
                event.permitted = isPermitted(terms.bare(cpu), task)
            } else {
                event.permitted = .yes
            }
        } else if target.isBuiltIn {
            event.permitted = .yes
        }
    }

    func isPermitted(_ cpu: TermID, _ task: TermID) -> Permitted {
        let bare = terms.bare(cpu)
        for permission in state.permissions where permission.task == task {
            if permission.cpu == bare { return .yes }
            if isSame(permission.cpu, bare) { return .yes }
        }
        if isBoundToOne(task) { return .unknown }
        if let value = bounds(of: bare).constant {
            return .no("CPU \(UInt32(truncatingIfNeeded: value)) is named without a look at what the task may use")
        }
        switch terms.input(of: bare) {
        case .argument:
            return entry.name == "select_cpu" ? .unknown : .no("nothing tests that the task may use this CPU")
        case .result:
            guard let mask = pickedFrom[bare]?.mask else { return .unknown }
            switch terms.input(of: mask) {
            case .pure(let name, _, _): return .no("it was picked from \(name)(), which is not the task's own mask")
            default: return .unknown
            }
        case .pure("scx_bpf_task_cpu", _, _): return .no("it is another task's CPU")
        case .load(let base, let offset, _, _):
            // A constant table, or a global: the number does not come from the task.
            if case .section(let map) = terms[terms.root(base)].nature, program.isFrozen(map) {
                _ = offset
                return .no("the CPU comes from a constant, and nothing tests that the task may use it")
            }
            return .unknown
        default:
            if case .result? = terms.leaves(of: bare)?.first.flatMap({ terms.input(of: $0) }),
                terms[bare].kind == .binary,
                terms[bare].operation == .modulo
            {
                return .no("the CPU is computed, and nothing tests that the task may use it")
            }
            return terms[bare].kind == .binary && terms[bare].operation == .modulo
                ? .no("the CPU is computed, and nothing tests that the task may use it") : .unknown
        }
    }

    /// The path has found the two numbers equal.
    private func isSame(_ a: TermID, _ b: TermID) -> Bool {
        decided(.equal, a, b, is32: true) == true
            || decided(.equal, terms.zeroExtended(a), terms.zeroExtended(b), is32: false) == true
    }

    /// The path has asked on how many CPUs the task may run: it then knows more than is followed here.
    private func isBoundToOne(_ task: TermID) -> Bool {
        guard let offset = program.layout.cpuCount else { return false }
        return state.cells.contains {
            $0.base == task && $0.offset == offset && (state.refined[$0.value] != nil || isOrdered($0.value))
        }
    }

    private func isOrdered(_ value: TermID) -> Bool {
        state.orders.entries.contains { $0.key.a == value || $0.key.b == value }
    }

    private func move(_ queueTerm: TermID) {
        var event = event(.move)
        event.queue = queue(queueTerm)
        let number = record.add(event)
        let value = result(.range(0, 1))
        // What is known of the order of service is of use only where the queue is one.
        if event.queue?.constant != nil {
            state.moves.removeAll { $0.event == number }
            state.moves.append(
                MoveFact(queue: queueTerm, result: value, event: number, turns: state.turns.count))
        }
        setRegister(0, value)
    }

    private func transfer(_ address: TermID, _ queueTerm: TermID, isOrdered: Bool, flags: TermID) {
        let task = canonical(terms.root(address))
        var event = event(.transfer)
        event.owner = owner(task)
        event.queue = queue(queueTerm)
        event.isOrdered = isOrdered
        event.flags = bounds(of: flags)
        if let target = event.queue {
            placeOn(target, queueTerm, task, &event)
            // A task out of a queue of this CPU's may well be one that this CPU may run.
            if case .no = event.permitted, !target.isLocalOn { event.permitted = .unknown }
        }
        _ = record.add(event)
        state.progress += 1
        setRegister(0, result(.range(0, 1)))
    }

    private func create(_ queueTerm: TermID) {
        var event = event(.create)
        event.queue = queue(queueTerm)
        // The same id twice, on one path, for certain.
        if let before = state.creates.first(where: {
            $0.queue == queueTerm && bounds(of: queueTerm).constant != nil && !isKnownFailure($0.result)
        }) {
            event.clash = before.event
        }
        let number = record.add(event)
        let value = result(.lower(-4095, 0))
        state.creates.removeAll { $0.event == number && event.isLooped }
        state.creates.append(
            CreateFact(queue: queueTerm, result: value, event: number, isLooped: event.isLooped))
        setRegister(0, value)
    }
}
