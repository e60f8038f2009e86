import BPFObject
import Model

/// Queues that are served in a strict order, and what bounds the wait in the second one.
extension Judge {
    private static let queueLimit = 16

    mutating func judgeStrictPriority() {
        let check = "strict-priority"
        let ends = record.ends.filter { $0.operation == "dispatch" }
        let queues = Set(events(.insert).compactMap { $0.queue.flatMap { $0.isBuiltIn ? nil : $0.constant } }).sorted()
        if queues.count > Self.queueLimit { suspect(check, "more than \(Self.queueLimit) queues") }
        for second in queues.prefix(Self.queueLimit) {
            for first in queues.prefix(Self.queueLimit) where first != second { judgePair(check, first, second, ends) }
        }
        conclude(check, applies: queues.count > 1 && hasOperation("dispatch"), entries: ["dispatch", "enqueue"])
    }

    /// Is `second` served only when `first` is empty, on every path?
    private mutating func judgePair(_ check: String, _ first: UInt64, _ second: UInt64, _ ends: [PathEnd]) {
        // A queue whose id is not constant may be this one.
        let isOpen = events(.move, .transfer).contains {
            $0.operation == "dispatch" && $0.queue?.constant == nil && overlaps($0.queue, second)
        }
        if isOpen { return }
        var isBlocked = false
        // Where the second one's turn would be.
        var late: Event?
        var broken: (Event, Record.Place)?
        var known: [Record.Place: Bool] = [:]
        for end in ends {
            let order = end.moves.map {
                (events[$0.event].queue?.constant, events[$0.event].queue, $0.moved, $0.isQuestion)
            }
            // A queue that is not constant may be this one.
            guard order.allSatisfy({ $0.0 != nil || $0.3 || !overlaps($0.1, second) }) else { return }
            let places = order.indices.filter { order[$0].0 == second && !order[$0].3 }
            guard let place = places.first else {
                // Not served on this path: because the first one was.
                if order.contains(where: { $0.0 == first && $0.2 != false && !$0.3 }) { isBlocked = true }
                continue
            }
            let event = events[end.moves[place].event]
            if order[..<place].contains(where: { $0.0 == first && $0.2 == false }) {
                late = late ?? event
            } else if let turn = end.moves[place].turns.first(where: { isSetBack($0, byJoining: first, &known) }) {
                broken = broken ?? (event, turn)
            } else {
                return
            }
        }
        guard isBlocked else { return }
        if let (event, turn) = broken {
            judgeTurn(first, second, event, turn)
        } else if let late {
            judgeBound(check, first, second, late, usesMemory: ends.contains { $0.usesMemory })
        }
    }

    private static let arrivals: Set = ["enqueue", "select_cpu", "select_cid"]

    /// Is the place set back whenever a task joins the queue, and never moved on but by dispatch?
    private func isSetBack(
        _ place: Record.Place, byJoining queue: UInt64, _ known: inout [Record.Place: Bool]
    ) -> Bool {
        if let known = known[place] { return known }
        known[place] = isSetBack(place, byJoining: queue)
        return known[place] ?? false
    }

    private func isSetBack(_ place: Record.Place, byJoining queue: UInt64) -> Bool {
        guard !record.otherWrites.contains(place),
            (record.writers[place] ?? []).isSubset(of: Self.arrivals.union(["dispatch", "init"])),
            (record.ownResets[place] ?? []).isSubset(of: record.resets[place] ?? [])
        else { return false }
        let joins = events(.insert, .transfer).filter { overlaps($0.queue, queue) && $0.queue?.isBuiltIn != true }
        guard
            joins.allSatisfy({
                $0.queue?.constant == queue && $0.owner == .argument && Self.arrivals.contains($0.operation)
            })
        else { return false }
        let ends = record.ends.filter { end in
            guard Self.arrivals.contains(end.operation), let insert = end.fact?.firstInsert, insert >= 0 else {
                return false
            }
            return events[insert].queue?.constant == queue
        }
        return !ends.isEmpty && ends.allSatisfy { $0.resets.contains(place) }
    }

    private mutating func judgeTurn(_ first: UInt64, _ second: UInt64, _ event: Event, _ turn: Record.Place) {
        let name = program.variable(map: turn.map, offset: turn.offset)?.name ?? program.object.maps[turn.map].name
        let text = "it is the turn of queue \(second) when '\(name)' says so, which is set back whenever a task joins "
        suspect("strict-priority", text + "queue \(first)")
        guard !isOtherwiseBound("ageing-broken", first, second, text + "queue \(first)") else { return }
        refute(
            "ageing-broken", at: event,
            text + "queue \(first): as long as tasks keep joining that one, those in queue \(second) wait for ever",
            lacks: true)
    }

    private func overlaps(_ queue: QueueReference?, _ id: UInt64) -> Bool {
        queue.map { $0.low <= id && id <= $0.high } ?? true
    }

    private mutating func judgeBound(
        _ check: String, _ first: UInt64, _ second: UInt64, _ event: Event, usesMemory: Bool
    ) {
        let text = "queue \(second) is served only when queue \(first) is empty"
        guard !isOtherwiseBound(check, first, second, text) else { return }
        refute(
            check, at: event, "\(text): as long as tasks keep joining the first, those in the second wait for ever",
            lacks: true)
        if usesMemory {
            refute("ageing-broken", at: event, "\(text), whatever it is that dispatch counts")
        }
    }

    /// Something may bound how long the first queue can stay filled; then that is noted as a suspicion.
    private mutating func isOtherwiseBound(
        _ check: String, _ first: UInt64, _ second: UInt64, _ text: String
    ) -> Bool {
        let rescued =
            events(.iterate).contains { $0.operation != "dispatch" && overlaps($0.queue, second) }
            || events(.transfer, .insert).contains { $0.owner == .foreign }
        if rescued {
            suspect(check, "\(text), but tasks are also moved from queue to queue")
            return true
        }
        let inserts = events(.insert)
        let favoured = inserts.filter { $0.queue?.constant == first }
        let others = inserts.filter { $0.queue?.constant == second }
        var bases: PathNode.Basis = []
        for one in favoured {
            let path = Self.nodes(one.path)
            for other in others where other.operation == one.operation {
                let second = Self.nodes(other.path)
                let shared = Self.shared(path, second)
                for node in path[shared...].prefix(1) { bases.formUnion(node.basis) }
                if shared == path.count, shared < second.count { bases.formUnion(second[shared].basis) }
            }
        }
        if bases.contains(.memory) {
            suspect(check, "\(text); what decides who joins which changes with time, which may bound the wait")
            return true
        }
        guard bases == .kernelThread else { return false }
        suspect(check, "\(text); only threads of the kernel or bound tasks join the first")
        return true
    }
}
