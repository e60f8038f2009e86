import BPFObject

extension Interpreter {
    private func map(_ number: UInt8) -> Int? {
        guard case .map(let map) = terms[register(number)].nature else { return nil }
        return program.object.maps.indices.contains(map) ? map : nil
    }

    /// A helper function. Not nil: it has set where the path goes on.
    func helperCall(_ number: Int32) -> Outcome? {
        let first = register(1)
        let second = register(2)
        let third = register(3)
        switch number {
        case Helper.lookup, Helper.lookupPerCPU:
            setRegister(0, result(.any, .mapValue(map(1) ?? -1)))
        case Helper.taskStorage, Helper.cgroupStorage:
            let isOfTask = number == Helper.taskStorage && terms[terms.root(second)].nature == .task
            let owner = isOfTask ? canonical(terms.root(second)) : second
            let value = result(of: "storage", owner, .any, .mapValue(map(1) ?? -1))
            if isOfTask { storageOwners[value] = owner }
            setRegister(0, value)
        case Helper.update: update()
        case Helper.push: pushElement()
        case Helper.pop, Helper.peek:
            note(.drain, map(1))
            forgetBehind(second, map(1).map { program.object.maps[$0].valueSize })
            setRegister(0, result(.signedRange(-4095, 0)))
        case Helper.delete:
            note(.drain, map(1))
            setRegister(0, result(.signedRange(-4095, 0)))
        case Helper.ringOutput:
            keep(in: map(1), second, bounds(of: third).constant, result(.signedRange(-4095, 0)), mayFail: true)
        case Helper.ringReserve: setRegister(0, result(.any, .own))
        case Helper.ringSubmit: submitRing(first)
        case Helper.exchange: exchange(first, second)
        case Helper.loop: return startRepetition(second, .count, terms.zeroExtended(first), third)
        case Helper.forEach:
            note(.drain, map(1))
            return startRepetition(second, .mapElements(map(1) ?? -1), unknown(.range(0, 1 << 32)), third)
        case Helper.drainUser:
            note(.drain, map(1))
            return startRepetition(second, .once, unknown(.range(0, 1 << 17)), third)
        case Helper.timerCallback: setCallback(second, "timer")
        case Helper.timerStart:
            _ = record.add(event(.timerStart))
            setRegister(0, result(.signedRange(-4095, 0)))
        case Helper.timerInit: setRegister(0, result(.signedRange(-4095, 0)))
        default: simpleHelper(number)
        }
        outdateShared()
        return nil
    }

    private func simpleHelper(_ number: Int32) {
        let first = register(1)
        switch number {
        case Helper.time, Helper.jiffies, Helper.bootTime, Helper.coarseTime, Helper.internationalTime:
            setRegister(0, result(.any, .time))
        case Helper.random: setRegister(0, result(.range(0, UInt64(UInt32.max)), .random))
        case Helper.processor: setRegister(0, result(.range(0, UInt64(program.options.cpuLimit - 1))))
        case Helper.probeRead, Helper.probeReadString, Helper.probeReadUser, Helper.probeReadKernel,
            Helper.probeReadUserString, Helper.probeReadKernelString, Helper.currentName:
            let size = bounds(of: register(2)).unsigned
            forgetBehind(first, size.high <= 65_536 ? Int(size.high) : nil)
            probe(number, first, size)
            setRegister(0, result(.signedRange(-4095, Int64(Int32.max))))
        case Helper.perCPU: setRegister(0, result(.any, .kernel))
        case Helper.thisCPU: setRegister(0, result(Program.address, .kernel))
        case Helper.currentTask, Helper.currentTaskBTF: setRegister(0, result(Program.address, .task))
        default:
            for number in UInt8(1)...5 { forgetBehind(register(number), nil) }
            setRegister(0, result())
        }
    }

    /// What is read with care through an address is what would be read without: so `BPF_CORE_READ` of a task's field is
    /// that field.
    private func probe(_ number: Int32, _ target: TermID, _ size: Interval<UInt64>) {
        guard number == Helper.probeReadKernel || number == Helper.probeRead, size.isConstant,
            [1, 2, 4, 8].contains(size.low)
        else { return }
        let source = register(3)
        guard terms[terms.root(source)].nature == .task else { return }
        write(target, 0, Int(size.low), read(source, 0, Int(size.low)))
    }

    private func note(_ kind: Event.Kind, _ map: Int?) {
        if kind == .drain { state.progress += 1 }
        guard let map else { return }
        var event = event(kind)
        event.map = map
        _ = record.add(event)
    }

    private func update() {
        guard let map = map(1) else {
            // A map out of a map of maps.
            keep(in: -1, register(3), nil, result(.signedRange(-4095, 0)), mayFail: true)
            return
        }
        let definition = program.object.maps[map]
        let isArray = definition.type == MapType.array || definition.type == MapType.perCPUArray
        let value = result(.signedRange(-4095, 0))
        // A table of tasks is as often a notebook as a place to wait: only who takes them out could tell.
        let key = named(in: register(2), UInt64(definition.keySize))
        let element = named(in: register(3), UInt64(definition.valueSize))
        for task in Set(key.tasks + element.tasks).sorted() { state.withTask(task) { $0.maybeKept = true } }
        if key.isOpen || element.isOpen { mayBeKept() }
        var event = event(.keep)
        event.map = map
        event.note = isArray ? "array" : "table"
        _ = record.add(event)
        setRegister(0, value)
    }

    private func pushElement() {
        let map = map(1)
        // With BPF_EXIST the oldest element makes room.
        let overwrites = bounds(of: register(3)).constant.map { $0 & 2 != 0 } ?? false
        keep(
            in: map, register(2), map.map { UInt64(program.object.maps[$0].valueSize) }, result(.signedRange(-4095, 0)),
            mayFail: !overwrites)
    }

    /// Puts memory into a map: which tasks does it name?
    private func keep(in map: Int?, _ address: TermID, _ size: UInt64?, _ result: TermID, mayFail: Bool) {
        setRegister(0, result)
        let (tasks, isOpen) = named(in: address, size)
        var event = event(.keep)
        event.map = map ?? -1
        let number = record.add(event)
        for task in tasks {
            state.withTask(task) {
                $0.keepEvent = number
                $0.keeps += 1
                $0.keptIn = map ?? -1
                $0.keepResult = mayFail ? result : 0
            }
        }
        // Memory whose contents are not known may name the task too.
        if isOpen { mayBeKept() }
    }

    private func mayBeKept() {
        if let task = arguments.first, terms[task].nature == .task { state.withTask(task) { $0.maybeKept = true } }
    }

    /// The tasks that a piece of memory names; open: it may name others.
    private func named(in address: TermID, _ size: UInt64?) -> (tasks: [TermID], isOpen: Bool) {
        guard let size else { return ([], true) }
        let (base, offset) = place(address, 0)
        let end = offset &+ Int64(clamping: size)
        var tasks: [TermID] = []
        var covered = 0
        for cell in state.cells where cell.base == base && cell.offset >= offset && cell.offset < end {
            covered += cell.size
            if let task = named(by: cell.value), !tasks.contains(task) { tasks.append(task) }
        }
        return (tasks, covered < Int(clamping: size) && tasks.isEmpty)
    }

    private func submitRing(_ address: TermID) {
        let root = terms.root(address)
        var event = event(.keep)
        event.map = -1
        _ = record.add(event)
        for cell in state.cells where terms.root(cell.base) == root {
            if let task = named(by: cell.value) { state.withTask(task) { $0.keeps += 1 } }
        }
        if let task = arguments.first, terms[task].nature == .task { state.withTask(task) { $0.maybeKept = true } }
        setRegister(0, TermTable.zero)
    }

    /// A task's reference, or another object's, exchanged with what a map holds.
    private func exchange(_ place: TermID, _ value: TermID) {
        let (base, offset) = self.place(place, 0)
        let region = region(of: base)
        var map = -1
        if case .mapValue(let number) = region { map = number }
        if case .section(let number) = region { map = number }
        if bounds(of: value).constant == 0 {
            note(.drain, map)
        } else {
            var event = event(.keep)
            event.map = map
            _ = record.add(event)
            let root = terms.root(value)
            if terms[root].nature == .task {
                let task = canonical(root)
                // In the task's own storage it is of use to those who come by another way only.
                state.withTask(task) {
                    $0.keeps += 1
                    $0.keptIn = map
                    $0.keepResult = 0
                }
            } else if let task = arguments.first, terms[task].nature == .task {
                state.withTask(task) { $0.maybeKept = true }
            }
        }
        forget(base, offset, 8)
        setRegister(0, result(.any, .task))
    }

    func setCallback(_ callback: TermID, _ kind: String) {
        if case .function(let function) = terms.input(of: callback) { record.callbacks[function] = kind }
        setRegister(0, result(.signedRange(-4095, 0)))
    }
}
