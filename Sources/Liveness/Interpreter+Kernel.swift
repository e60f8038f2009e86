import BPFObject

extension Interpreter {
    /// A kernel function.
    func kernelCall(_ name: String) {
        guard let model = KernelModel.byName[name] else {
            // Not known: it may write behind whatever it is given.
            for number in UInt8(1)...5 where terms[register(number)].nature.isAddress {
                if terms[terms.root(register(number))].nature == .task { continue }
                forgetBehind(register(number), nil)
            }
            let address = name.hasPrefix("bpf_iter") || name.hasSuffix("_acquire")
            setRegister(0, result(.any, address ? .kernel : .scalar))
            outdateShared()
            return
        }
        switch model {
        case .insert, .insertOrdered, .insertOrderedByArguments, .moveToLocal, .moveBetween, .moveBetweenOrdered,
            .iterationSlice, .iterationKey, .createQueue, .destroyQueue, .queueLength, .peekQueue:
            queueCall(model)
        case .selectCPU, .selectCPUAnd, .pickIdle, .pickAny, .firstOf, .firstOfTwo, .testCPU, .testAndClearIdle,
            .taskCPU, .cpuCount, .constantMask, .place, .kickPlace, .kick:
            cpuCall(model, name)
        case .iterateQueue, .iterateNumbers, .iterateOther, .nextNumber, .nextTask, .nextOther, .endIteration:
            iteratorCall(model)
        default: otherCall(model)
        }
        switch model {
        case .testCPU, .taskCPU, .cpuCount, .place, .nextNumber, .iterateNumbers, .endIteration, .constantMask: break
        default: outdateShared()
        }
    }

    private var cpuLimit: Int32 { Int32(clamping: program.options.cpuLimit - 1) }

    private func cpuCall(_ model: KernelModel, _ name: String) {
        let first = register(1)
        switch model {
        case .selectCPU:
            forgetBehind(register(4), 1)
            let site = site
            let isIdle = terms.input(
                .written(site, round: state.rounds[site] ?? 0, argument: 4), .range(0, 1))
            write(register(4), 0, 1, isIdle)
            let cpu = result(.lower(0, cpuLimit))
            permit(cpu, canonical(terms.root(first)))
            setRegister(0, cpu)
        case .selectCPUAnd:
            let cpu = result(.lower(-4095, cpuLimit))
            permit(cpu, canonical(terms.root(first)))
            setRegister(0, cpu)
        case .pickIdle, .pickAny: setRegister(0, picked(.lower(-4095, cpuLimit), [first]))
        case .firstOf: setRegister(0, picked(.range(0, UInt64(program.options.cpuLimit)), [first]))
        case .firstOfTwo:
            setRegister(0, picked(.range(0, UInt64(program.options.cpuLimit)), [first, register(2)]))
        case .testCPU:
            // A task's mask stays as it is meanwhile; others change at any time.
            let isSteady = task(ofMask: register(2)) != nil
            setRegister(
                0,
                isSteady
                    ? terms.input(.pure("bpf_cpumask_test_cpu", terms.bare(first), register(2)), .range(0, 1))
                    : result(.range(0, 1)))
        case .testAndClearIdle: setRegister(0, result(.range(0, 1)))
        case .taskCPU:
            let task = terms.root(first)
            let cpu = terms.input(.pure(name, task, TermTable.zero), .lower(0, cpuLimit))
            permit(cpu, canonical(task))
            setRegister(0, cpu)
        case .cpuCount: setRegister(0, terms.input(.pure(name, 0, 0), .range(1, UInt64(program.options.cpuLimit))))
        case .constantMask: setRegister(0, terms.input(.pure(name, 0, 0), Program.address, .cpumask))
        case .place: setRegister(0, place(name, first))
        default:
            var event = event(.kick)
            event.flags = bounds(of: register(2))
            if model == .kick {
                event.cpu = bounds(of: first)
                event.note = note(ofCPU: first)
            }
            _ = record.add(event)
            setRegister(0, TermTable.zero)
        }
    }

    /// A cid, or how many there are. A task's may change meanwhile; an operation stays where it is.
    private func place(_ name: String, _ first: TermID) -> TermID {
        let bounds = Bounds.lower(-4095, cpuLimit)
        switch name {
        case "scx_bpf_task_cid": return terms.input(.pure(name, terms.root(first), TermTable.zero), bounds)
        case "scx_bpf_cpu_to_cid", "scx_bpf_cid_to_cpu":
            return terms.input(.pure(name, terms.bare(first), TermTable.zero), bounds)
        case "scx_bpf_this_cid": return terms.input(.pure(name, 0, 0), bounds)
        default: return terms.input(.pure(name, 0, 0), .range(1, UInt64(program.options.cpuLimit)))
        }
    }

    /// A CPU out of masks: permitted where one of them is the task's own.
    private func picked(_ bounds: Bounds, _ masks: [TermID]) -> TermID {
        let cpu = result(bounds)
        for mask in masks { if let task = task(ofMask: mask) { permit(cpu, canonical(task)) } }
        let (function, own) = ownPlace()
        let mask = masks.first ?? TermTable.zero
        let isSame = pickedFrom[cpu].map { $0.mask == mask } ?? true
        pickedFrom[cpu] = Pick(mask: isSame ? mask : TermTable.zero, function: function, slot: own)
        return cpu
    }

    private func otherCall(_ model: KernelModel) {
        let first = register(1)
        switch model {
        case .setSlice, .setVirtualTime:
            var event = event(model == .setSlice ? .writeSlice : .writeVirtualTime)
            event.owner = owner(canonical(terms.root(first)))
            event.slice = model == .setSlice ? bounds(of: register(2)) : nil
            event.key = model == .setSlice ? nil : keyOrigin(register(2))
            _ = record.add(event)
            let field = model == .setSlice ? program.layout.slice : program.layout.virtualTime
            if let field { write(terms.root(first), field, 8, register(2), isNoted: false) }
            setRegister(0, result(.range(0, 1)))
        case .error:
            state.hasError = true
            setRegister(0, TermTable.zero)
        case .taskFromNumber:
            let task = result(of: "task", first, .any, .task)
            // By its own number: the same task.
            if let known = named(by: first) { sameTasks[task] = known }
            setRegister(0, task)
        case .acquireTask:
            let task = result(of: "acquired", canonical(terms.root(first)), .any, .task)
            sameTasks[task] = canonical(terms.root(first))
            setRegister(0, task)
        case .currentTask: setRegister(0, result(Program.address, .task))
        case .time: setRegister(0, result(.any, .time))
        case .maybeNullKernel: setRegister(0, result(.any, .kernel))
        case .kernelAddress: setRegister(0, result(Program.address, .kernel))
        case .cgroupOfTask: setRegister(0, result(Program.address, .cgroup))
        case .newObject: setRegister(0, result(.any, .own))
        case .addToTree, .addToList:
            _ = record.add(event(.keep))
            noteKeptObject(register(2))
            setRegister(0, result(.lower(-4095, 0)))
        case .takeFromTree, .takeFromList:
            state.progress += 1
            var event = event(.drain)
            event.note = "container"
            _ = record.add(event)
            setRegister(0, result(.any, .kernel))
        case .callbackSet: setCallback(register(2), "workqueue")
        case .boolResult: setRegister(0, result(.range(0, 1)))
        case .smallResult: setRegister(0, result(.lower(0, .max)))
        default: setRegister(0, result())
        }
    }

    /// A node into a tree or a list. Whose it is, only its contents could tell, and others may have written those.
    private func noteKeptObject(_ node: TermID) {
        guard let task = arguments.first, terms[task].nature == .task else { return }
        let root = terms.root(node)
        let names = state.cells.contains { terms.root($0.base) == root && named(by: $0.value) == task }
        let belongs = storageOwners[root] == task
        state.withTask(task) {
            if names || belongs { $0.keeps += 1 } else { $0.maybeKept = true }
        }
    }

    private func iteratorCall(_ model: KernelModel) {
        let place = register(1)
        switch model {
        case .iterateNumbers:
            startIterator(place, .numbers, terms.zeroExtended(register(2)), terms.zeroExtended(register(3)))
            setRegister(0, result(.lower(-4095, 0)))
        case .iterateQueue:
            let queueTerm = register(2)
            startIterator(place, .queue, queueTerm, TermTable.zero)
            var event = event(.iterate)
            event.queue = queue(queueTerm)
            _ = record.add(event)
            setRegister(0, result(.lower(-4095, 0)))
        case .iterateOther:
            startIterator(place, .other, TermTable.zero, TermTable.zero)
            setRegister(0, result(.lower(-4095, 0)))
        case .nextNumber: nextNumber(place)
        case .nextTask: setRegister(0, result(.any, .task))
        case .nextOther: setRegister(0, result(.any, .kernel))
        default:
            state.iterators.removeAll { $0.place == place }
            setRegister(0, TermTable.zero)
        }
    }

    private func startIterator(_ place: TermID, _ kind: Iterator.Kind, _ first: TermID, _ last: TermID) {
        state.iterators.removeAll { $0.place == place }
        let (function, own) = ownPlace()
        state.iterators.append(
            Iterator(
                place: place, kind: kind, first: first, last: last, round: 0, isLater: false, function: function,
                slot: own))
    }

    private func nextNumber(_ place: TermID) {
        guard let index = state.iterators.firstIndex(where: { $0.place == place }) else {
            setRegister(0, result(.any, .own))
            return
        }
        let iterator = state.iterators[index]
        let value: TermID
        if iterator.isLater {
            let first = bounds(of: iterator.first).signed32
            let last = bounds(of: iterator.last).signed32
            value = unknown()
            let high = last.high > .min ? last.high - 1 : .min
            if first.low <= high { _ = refine(value, .lower(first.low, high)) }
        } else {
            value = terms.offset(iterator.first, UInt64(iterator.round))
        }
        let isThere =
            iterator.isLater ? nil : decided(.signedLess, value, iterator.last, is32: true)
        if isThere == false {
            setRegister(0, TermTable.zero)
            return
        }
        let element = result(isThere == true ? Program.address : .any, .own)
        state.iterators[index].element = element
        state.iterators[index].value = value
        if !iterator.isLater { state.iterators[index].round += 1 }
        write(element, 0, 4, terms.zeroExtended(value), isNoted: false)
        setRegister(0, element)
    }
}
