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
            guard let cpu = event.cpu else {
                if event.kind == .kick {
                    suspect(check, "the cid at \(line(event.function, event.ownSlot)) is not followed")
                }
                continue
            }
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
        let milliseconds = program.object.scheduler?.numbers["timeout_ms"] ?? 0
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
