import BPFObject
import Model

/// What becomes of tasks.
extension Judge {
    mutating func judgeTasks() {
        judgeLostTasks()
        for event in events(.insert) where event.clash >= 0 {
            let first = events[event.clash]
            refute(
                "double-insert", at: event,
                "the task is put into \(describe(event.queue)), and was put into \(describe(first.queue)) before at "
                    + line(first.function, first.ownSlot))
        }
        conclude("double-insert", applies: !events(.insert).isEmpty)
        for event in events(.insert) where event.isAfterKeep {
            refute(
                "insert-after-handoff", at: event,
                "the task is put into \(describe(event.queue)), but was handed on before on this path")
        }
        conclude("insert-after-handoff", applies: events.contains { $0.kind == .keep })
        for event in events(.nullAccess) {
            refute("maybe-null", at: event, "\(event.note) may be null here, and is used without a test")
        }
        conclude("maybe-null")
    }

    func describe(_ queue: QueueReference?) -> String {
        guard let queue else { return "a queue" }
        let layout = program.layout
        if queue.constant == layout.local { return "SCX_DSQ_LOCAL" }
        if queue.constant == layout.global { return "SCX_DSQ_GLOBAL" }
        if queue.isLocalOn { return "SCX_DSQ_LOCAL_ON" }
        return queue.description
    }

    /// Tasks that come from somewhere else than the operation's arguments are put into a queue.
    private var foreignInserts: [Event] { events(.insert, .transfer).filter { $0.owner == .foreign } }

    private enum Fate {
        case served
        /// With the event that the loss is to be shown at, where there is one.
        case lost(String, at: Int = -1)
        case doubtful(String)
    }

    private func fate(_ end: PathEnd, hasForeign: Bool, drained: Set<Int>) -> Fate {
        guard !end.hasError else { return .served }
        guard let fact = end.fact else { return lost("the task is put nowhere", end, hasForeign) }
        if fact.inserts > 0 { return .served }
        if fact.keeps > 0 {
            if end.keepFailed == true {
                return lost("the task could not be kept, and is put nowhere else", end, hasForeign)
            }
            if end.keepFailed == nil, fact.keepResult != 0 {
                return .lost(
                    "the task is lost when there is no room for it: nobody looks whether keeping it succeeded",
                    at: fact.keepEvent)
            }
            guard hasForeign else {
                return .lost(
                    "the task is kept in \(mapName(fact.keptIn)), and nothing ever takes one from there into a queue",
                    at: fact.keepEvent)
            }
            if fact.keptIn < 0 || drained.contains(fact.keptIn) { return .served }
            return .doubtful("user space would have to take the tasks out of \(mapName(fact.keptIn))")
        }
        if fact.maybeKept {
            if hasForeign { return .doubtful("the task may have been kept where the program finds it again") }
            return lost("the task is put into no queue, and nothing takes it from elsewhere", end, hasForeign)
        }
        return lost("the task is put nowhere", end, hasForeign)
    }

    private func lost(_ message: String, _ end: PathEnd, _ hasForeign: Bool) -> Fate {
        if end.isSingleTask, hasForeign {
            return .doubtful("one task is left out, which the program may find by its number")
        }
        return end.isExact ? .lost(message) : .doubtful("an estimated path ends without the task in a queue")
    }

    private func mapName(_ map: Int) -> String {
        program.object.maps.indices.contains(map) ? program.object.maps[map].name : "memory"
    }

    private mutating func judgeLostTasks() {
        let ends = record.ends.filter { $0.operation == "enqueue" }
        let hasForeign = !foreignInserts.isEmpty || !record.incomplete.isEmpty
        let drained = Set(events(.drain).map(\.map))
        var served: [[PathNode]] = []
        var losses: [(PathEnd, String, Int)] = []
        for end in ends {
            switch fate(end, hasForeign: hasForeign, drained: drained) {
            case .served: if end.isExact, !end.hasError, served.count < 400 { served.append(Self.nodes(end.path)) }
            case .doubtful(let reason): suspect("lost-task", reason)
            case .lost(let message, let event): if losses.count < 64 { losses.append((end, message, event)) }
            }
        }
        for (end, message, event) in losses {
            var place = parting(Self.nodes(end.path), served) ?? (end.function, end.ownSlot)
            if event >= 0 { place = (events[event].function, events[event].ownSlot) }
            add(
                "lost-task", "a path through enqueue ends here, and \(message)", location: location(place.0, place.1),
                operation: end.operation, path: steps(end.path, to: end))
        }
        conclude("lost-task", applies: hasOperation("enqueue"), entries: ["enqueue"])
        judgeSelectOnly(losses.map(\.0), served)
    }

    /// The decision with which a path leaves those on which the task is served.
    private func parting(_ path: [PathNode], _ others: [[PathNode]]) -> (Int, Int)? {
        guard !path.isEmpty else { return nil }
        guard let most = others.map({ Self.shared(path, $0) }).max(), most < path.count else {
            return path.last.map { ($0.function, $0.slot) }
        }
        return (path[most].function, path[most].slot)
    }

    /// Tasks that never pass select_cpu, or not with this outcome, depend on what only it does.
    private mutating func judgeSelectOnly(_ losses: [PathEnd], _ served: [[PathNode]]) {
        let check = "select-cpu-only"
        let selects = hasOperation("select_cpu") || hasOperation("select_cid")
        if losses.isEmpty {
            if outcomes.last?.verdict == .unknown { suspect(check, "enqueue was not decided") }
        } else if selects {
            suspect(check, "see lost-task")
        }
        conclude(check, applies: hasOperation("enqueue") && selects, entries: ["enqueue", "select_cpu", "select_cid"])
    }
}
