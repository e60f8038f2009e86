import BPFObject
import Model

/// Who is served when, where and for how long.
extension Judge {
    mutating func judgeServing() {
        judgeStrictPriority()
        judgeWork()
        judgeAgeing()
        judgeAffinity()
        judgeCPUs()
        judgeSlices()
    }

    private static let queueLimit = 16

    private mutating func judgeStrictPriority() {
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
        var blocked: (PathEnd, Event)?
        // Where the second one's turn would be.
        var late: Event?
        for end in ends {
            let order = end.moves.map {
                (events[$0.event].queue?.constant, events[$0.event].queue, $0.moved, $0.isQuestion)
            }
            // A queue that is not constant may be this one.
            guard order.allSatisfy({ $0.0 != nil || $0.3 || !overlaps($0.1, second) }) else { return }
            let places = order.indices.filter { order[$0].0 == second && !order[$0].3 }
            guard let place = places.first else {
                // Not served on this path: because the first one was.
                if let index = order.firstIndex(where: { $0.0 == first && $0.2 != false && !$0.3 }) {
                    blocked = blocked ?? (end, events[end.moves[index].event])
                }
                continue
            }
            guard order[..<place].contains(where: { $0.0 == first && $0.2 == false }) else { return }
            late = late ?? events[end.moves[place].event]
        }
        guard let (end, _) = blocked, let late else { return }
        judgeBound(check, first, second, end, late, usesMemory: ends.contains { $0.usesMemory })
    }

    private func overlaps(_ queue: QueueReference?, _ id: UInt64) -> Bool {
        queue.map { $0.low <= id && id <= $0.high } ?? true
    }

    /// Something may bound how long the first queue can stay filled.
    private mutating func judgeBound(
        _ check: String, _ first: UInt64, _ second: UInt64, _ end: PathEnd, _ event: Event, usesMemory: Bool
    ) {
        let text = "queue \(second) is served only when queue \(first) is empty"
        let rescued =
            events(.iterate).contains { $0.operation != "dispatch" && overlaps($0.queue, second) }
            || events(.transfer, .insert).contains { $0.owner == .foreign }
        if rescued {
            suspect(check, "\(text), but tasks are also moved from queue to queue")
            return
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
            return
        }
        if bases == .kernelThread {
            suspect(check, "\(text); only threads of the kernel or bound tasks join the first")
            return
        }
        refute(
            check, at: event, "\(text): as long as tasks keep joining the first, those in the second wait for ever",
            lacks: true)
        if usesMemory {
            refute("ageing-broken", at: event, "\(text), whatever it is that dispatch counts")
        }
    }

    private mutating func judgeAgeing() {
        let check = "ageing-broken"
        let ordered = events(.insert, .transfer).filter { $0.isOrdered && $0.key != nil }
        let growing = events(.writeVirtualTime).contains {
            !["enable", "init_task"].contains($0.operation) && !($0.key?.isFixed ?? false)
        }
        for event in ordered {
            guard let key = event.key, let queue = event.queue else { continue }
            let companions = ordered.filter { $0.queue == queue }
            if let constant = key.constant {
                if companions.contains(where: { $0.key?.constant != constant }) {
                    refute(
                        check, at: event,
                        "the key is always \(constant): with other keys in the same queue, one side waits for ever")
                }
            } else if key.isFixed {
                refute(
                    check, at: event,
                    "the key is made of the task's weight or priority alone: who has a large one waits for ever")
            } else if key.usesVirtualTime, !key.usesTime, !key.usesOther, !growing {
                refute(
                    check, at: event, "the key is the task's dsq_vtime, which nothing ever advances", lacks: true)
            }
        }
        conclude(check, applies: !ordered.isEmpty)
    }

    private mutating func judgeAffinity() {
        let check = "affinity"
        if program.countsPlaces {
            suspect(check, "the scheduler counts CPUs by their place in the topology")
            conclude(check)
            return
        }
        for event in events(.insert, .transfer) {
            switch event.permitted {
            case .yes: continue
            case .no(let reason):
                refute(check, at: event, "the task is put on a CPU that it may not be allowed to use: \(reason)")
            case .unknown:
                if let source = event.source, event.queue?.isLocalOn == true,
                    let writers = record.writers[source], !writers.contains("select_cpu")
                {
                    refute(
                        check, at: event,
                        "the CPU was noted by \(writers.sorted().joined(separator: ", ")), and nothing tests that the task may use it now"
                    )
                } else if event.queue?.isLocalOn == true {
                    suspect(
                        check, "whether the task may use the CPU at \(line(event.function, event.ownSlot)) is not known"
                    )
                }
            }
        }
        conclude(check, applies: events(.insert, .transfer).contains { $0.queue?.isLocalOn == true })
    }

    /// Of numbers that are no CPU's on some machine.
    private static let messages = [
        "constant": "the CPU is a constant, and nothing tests that the machine has that many",
        "beyond": "the loop goes beyond the last CPU",
        "neighbour": "a CPU's number and some more may be beyond the last CPU",
        "arbitrary": "the number is not a CPU's, and nothing tests that the machine has that many",
    ]

    private mutating func judgeCPUs() {
        let check = "cpu-range"
        if program.countsPlaces {
            suspect(check, "the scheduler counts CPUs by their place in the topology")
            conclude(check)
            return
        }
        let limit = Int64(program.options.cpuLimit)
        for event in events where [.kick, .answer].contains(event.kind) || event.queue?.isLocalOn == true {
            guard let cpu = event.cpu else { continue }
            let range = cpu.signed32
            if range.isConstant, range.low < 0 || Int64(range.low) >= limit {
                refute(check, at: event, "\(range.low) is no CPU's number")
            } else if event.note == "picked", range.low < 0 {
                refute(
                    check, at: event,
                    "the CPU's number may be negative: no CPU may have been found, and nothing tests that")
            } else if let message = Self.messages[event.note] {
                refute(check, at: event, message)
            } else if event.kind == .answer {
                continue
            } else if range.low < 0 || Int64(range.high) >= limit {
                suspect(check, "the range of the CPU's number at \(line(event.function, event.ownSlot)) is not known")
            }
        }
        conclude(check, applies: events.contains { $0.kind == .kick || $0.queue?.isLocalOn == true })
    }

    private mutating func judgeSlices() {
        let check = "slice"
        let milliseconds = program.table?.numbers["timeout_ms"] ?? 0
        let timeout = (milliseconds == 0 ? 30_000 : milliseconds) &* 1_000_000
        let ends =
            events(.kick).contains { event in
                guard let flags = event.flags else { return true }
                return (flags.bits.value | flags.bits.unknown) & program.layout.preemptFlag != 0
            } || events(.writeSlice).contains { ["tick", "timer", "enqueue", "dispatch"].contains($0.operation) }
        for event in events(.insert, .writeSlice) {
            guard let slice = event.slice else { continue }
            if slice.constant == program.layout.infiniteSlice {
                if !ends {
                    refute(
                        check, at: event, "the slice is infinite, and nothing ends it: whoever runs may run for ever",
                        lacks: true)
                }
            } else if slice.constant == 0, event.kind == .insert {
                refute(check, at: event, "the slice is 0")
            } else if slice.constant == 0, event.operation == "running" {
                refute(check, at: event, "the slice of a task that begins to run is set to 0: it gives way at once")
            } else if event.isOfRank, slice.unsigned.high > timeout, slice.unsigned.high < 1 << 60 {
                refute(
                    check, at: event,
                    "with the largest weight the slice is \(slice.unsigned.high / 1_000_000) ms, longer than the watchdog's \(timeout / 1_000_000) ms"
                )
            } else if slice.unsigned.low > timeout, slice.unsigned.low != program.layout.infiniteSlice {
                refute(check, at: event, "the slice is longer than the watchdog's \(timeout / 1_000_000) ms")
            }
        }
        conclude(check, applies: !events(.insert).isEmpty)
    }

    private mutating func judgeWork() {
        for event in events(.work) {
            // BPF_MAX_LOOPS is how one writes a loop that ends otherwise.
            if event.note.hasSuffix("rounds of a loop"),
                event.note.contains("8388608") || event.note.contains("70368744177664")
            {
                suspect("unbounded-work", "a loop of BPF_MAX_LOOPS rounds, which something else may end")
                continue
            }
            refute("unbounded-work", at: event, "\(event.note), while the CPU does nothing else")
        }
        conclude("unbounded-work")
    }
}
