import BPFObject
import Model

/// Queues: created, filled, served.
extension Judge {
    mutating func judgeQueues() {
        judgeOrder()
        judgeCreation()
        judgeService()
        judgeIdentifiers()
        judgeInit()
    }

    /// Into queues of the program's own.
    private var customInserts: [Event] {
        events(.insert, .transfer).filter { $0.queue.map { !$0.isBuiltIn } ?? false }
    }

    private mutating func judgeOrder() {
        for event in events(.insert, .transfer) where event.isOrdered {
            guard let queue = event.queue else { continue }
            if queue.isBuiltIn {
                refute(
                    "vtime-builtin", at: event, "a task is put into \(describe(queue)) with a key, which has no order")
            } else if queue.isOpen {
                suspect("vtime-builtin", "the queue of \(line(event.function, event.ownSlot)) is not known")
            }
        }
        conclude("vtime-builtin", applies: events(.insert, .transfer).contains { $0.isOrdered })
        let inserts = customInserts
        for event in inserts where !event.isOrdered {
            guard let queue = event.queue else { continue }
            guard
                let other = inserts.first(where: { other in
                    other.isOrdered && other.isExact && other.queue.map { $0.overlaps(queue) } ?? false
                })
            else { continue }
            if let id = queue.constant, other.queue?.constant == id {
                let rarer =
                    inserts.filter { $0.isOrdered && $0.queue?.constant == id }.count == 1
                    && inserts.filter { !$0.isOrdered && $0.queue?.constant == id }.count > 1
                let (place, second) = rarer ? (other, event) : (event, other)
                refute(
                    "mixed-order", at: place,
                    "\(queue.description) gets tasks \(place.isOrdered ? "with a key" : "at its end") here, and "
                        + "\(place.isOrdered ? "at its end" : "with a key") at \(line(second.function, second.ownSlot))"
                )
            } else {
                suspect("mixed-order", "\(queue.description) and \(describe(other.queue)) may be the same queue")
            }
        }
        conclude("mixed-order", applies: inserts.contains { $0.isOrdered })
    }

    private mutating func judgeCreation() {
        let creates = events(.create)
        let uses = events(.insert, .transfer, .move, .iterate).filter { $0.queue.map { !$0.isBuiltIn } ?? false }
        for event in uses {
            guard let queue = event.queue, event.kind != .iterate else { continue }
            let covering = creates.filter { $0.queue?.overlaps(queue) ?? false }
            if covering.isEmpty {
                guard !queue.isOpen || creates.isEmpty else { continue }
                refute(
                    "unknown-dsq", at: event,
                    queue.isOpen ? "no queue is ever created" : "\(queue.description) is never created", lacks: true)
            } else if queue.constant == nil {
                let created = creates.map { $0.queue?.high ?? .max }.max() ?? .max
                if queue.isArbitrary, queue.high > created, created < UInt64(UInt32.max) {
                    refute(
                        "unknown-dsq", at: event,
                        "the id can be up to \(queue.high), and queues are created up to \(created) only")
                } else if queue.isOpen {
                    suspect("unknown-dsq", "the queue of \(line(event.function, event.ownSlot)) is not known")
                }
            }
        }
        for event in events(.insert) where event.queue?.constant == program.layout.invalid {
            refute("unknown-dsq", at: event, "a task is put into SCX_DSQ_INVALID")
        }
        judgeInitPaths(uses, creates)
        conclude("unknown-dsq", applies: !uses.isEmpty)
        for event in creates where event.clash >= 0 {
            refute(
                "created-twice", at: event,
                "\(describe(event.queue)) was created before, at \(line(events[event.clash].function, events[event.clash].ownSlot))"
            )
        }
        conclude("created-twice", applies: !creates.isEmpty)
    }

    /// A queue that only some of the successful ways through init create.
    private mutating func judgeInitPaths(_ uses: [Event], _ creates: [Event]) {
        let constants = Set(uses.compactMap { $0.queue?.constant })
        for id in constants.sorted() {
            let makers = creates.filter {
                $0.queue?.overlaps(QueueReference(low: id, high: id, origin: "", isBuiltIn: false, isLocalOn: false))
                    ?? false
            }
            guard !makers.isEmpty, makers.allSatisfy({ $0.operation == "init" && $0.queue?.constant == id }) else {
                continue
            }
            for end in record.ends where end.operation == "init" && !end.hasError && end.result.signed32.contains(0) {
                let made = end.creates.contains { events[$0.event].queue?.constant == id && $0.created != false }
                if made { continue }
                guard end.isExact else {
                    suspect("unknown-dsq", "init may succeed without queue \(id)")
                    continue
                }
                let maker = makers[0]
                add(
                    "unknown-dsq", "init can succeed without creating queue \(id), which is used",
                    location: location(maker.function, maker.ownSlot), operation: "init", path: steps(end.path))
            }
        }
    }

    private mutating func judgeService() {
        let transfers = Set(events(.transfer).map(\.operation))
        let services = events(.move) + events(.iterate).filter { transfers.contains($0.operation) }
        for event in customInserts {
            guard let queue = event.queue else { continue }
            if services.contains(where: { $0.queue?.overlaps(queue) ?? false }) {
                if queue.constant == nil { suspectService(queue, services, event) }
                continue
            }
            refute(
                "unconsumed-dsq", at: event,
                services.isEmpty
                    ? "tasks are put into \(queue.description), and no queue is ever served"
                    : "tasks are put into \(queue.description), which is never served", lacks: true)
        }
        conclude("unconsumed-dsq", applies: !customInserts.isEmpty)
    }

    private mutating func suspectService(_ queue: QueueReference, _ services: [Event], _ event: Event) {
        let covered = services.contains { $0.queue?.covers(queue) ?? false }
        if queue.isOpen || !covered {
            suspect(
                "unconsumed-dsq",
                "not every queue that \(line(event.function, event.ownSlot)) may mean is known to be served")
        }
    }

    private mutating func judgeIdentifiers() {
        let layout = program.layout
        for event in events(.insert, .transfer, .create, .move) {
            guard let queue = event.queue else { continue }
            if let id = queue.constant {
                guard id & layout.builtIn != 0, !queue.isLocalOn || event.kind == .create else { continue }
                let known = [layout.local, layout.global, layout.invalid].contains(id)
                if !known || event.kind == .create || event.kind == .move {
                    refute(
                        "dsq-id-range", at: event,
                        "the queue's id is \(String(id, radix: 16)) in hexadecimal, which is one of the kernel's own")
                }
            } else if queue.isBuiltIn, !queue.isLocalOn {
                refute("dsq-id-range", at: event, "the queue's id has the bit that marks the kernel's own queues")
            }
        }
        conclude("dsq-id-range", applies: !customInserts.isEmpty || !events(.create).isEmpty)
    }

    /// Errors of init that nobody sees.
    private mutating func judgeInit() {
        let check = "init-ignored-error"
        for end in record.ends where end.operation == "init" && !end.hasError && end.result.signed32.contains(0) {
            for create in end.creates where create.created != true && !create.isResult {
                let event = events[create.event]
                if create.created == false {
                    guard end.result.signed32.isConstant, end.isExact, event.isExact else {
                        suspect(check, "init may go on after a failure")
                        continue
                    }
                }
                guard end.isExact else {
                    suspect(check, "the result at \(line(event.function, event.ownSlot)) may be ignored")
                    continue
                }
                refute(
                    check, at: event,
                    "\(describe(event.queue)) may not have been created, and init succeeds all the same")
            }
        }
        conclude(check, applies: events(.create).contains { $0.operation == "init" }, entries: ["init"])
    }
}
