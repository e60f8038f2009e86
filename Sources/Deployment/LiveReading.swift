import Kernel
package import Linux
package import Model

/// What was read at one moment. Two of them make a view.
package struct LiveReading: Sendable {
    /// Nanoseconds, since the epoch and monotonic.
    package var at: Int64
    package var monotonic: Int64
    package var kernel: KernelState
    package var owner: KernelState.Owner
    package var record: DeploymentRecord?
    package var times: ProcessorTimes?
    package var llcs: [UInt32] = []
    package var queues: [MachineView.Queue] = []
    /// Tasks in the local queues, by CPU.
    package var local: [Int: UInt32] = [:]
    package var waits: WaitHistogram?
    package var counters: [UInt64]?
    package var layers: LayerTable?
    package var missing: [String] = []

    package init(at: Int64, monotonic: Int64, kernel: KernelState, owner: KernelState.Owner) {
        self.at = at
        self.monotonic = monotonic
        self.kernel = kernel
        self.owner = owner
    }

    /// The interval that this reading ends and an earlier one began.
    package func view(since earlier: LiveReading) -> MachineView {
        let passed = UInt64(max(1, monotonic - earlier.monotonic))
        var view = MachineView(at: at, nanoseconds: passed, kernel: kernel, owner: owner, record: record)
        view.missing = missing
        if let times, let before = earlier.times {
            view.cpus = times.busy(since: before).sorted { $0.key < $1.key }.map { cpu, busy in
                MachineView.CPU(
                    cpu: cpu, busy: busy, llc: cpu < llcs.count ? llcs[cpu] : 0, queued: local[cpu] ?? 0)
            }
        }
        view.queues = queues
        // A histogram that was counted anew has nothing in common with the one before.
        if let waits { view.waits = waits.since(earlier.waits) }
        view.layers = layers
        let isSame = earlier.record?.id == record?.id && earlier.kernel.enableSequence == kernel.enableSequence
        view.counters = counted(since: isSame ? earlier.counters : nil, Double(passed) / 1e9)
        if counters != nil, !isSame { view.missing.append("rates of counters: the scheduler is new in this interval") }
        return view
    }

    private func counted(since before: [UInt64]?, _ seconds: Double) -> [MachineView.Counter] {
        guard let counters else { return [] }
        let own = (record?.spec.live.counters ?? []).map { ($0.index, $0.name, $0.unit, $0.description) }
        return (CommonCounters.all + own).compactMap { index, name, unit, description in
            guard index < counters.count else { return nil }
            var rate = 0.0
            if let before, index < before.count, counters[index] >= before[index] {
                rate = Double(counters[index] - before[index]) / seconds
            }
            return MachineView.Counter(
                name: name, total: counters[index], perSecond: rate, unit: unit, description: description)
        }
    }
}

/// The counters that every scheduler keeps: enum schedcp_counter of bpf/include/schedcp/stats.bpf.h.
enum CommonCounters {
    static let all: [(Int, String, String, String)] = [
        (0, "select_idle", "tasks", "that select_cpu put on an idle CPU at once"),
        (1, "enqueued", "tasks", "that enqueue put into a queue"),
        (2, "dispatched", "tasks", "that dispatch moved from a queue to a CPU"),
        (3, "kept", "slices", "at whose end the task went on"),
        (4, "kicked", "CPUs", "that were idle and woken for a task in a queue"),
        (5, "preempted", "tasks", "that ran and were interrupted for another"),
        (6, "idle", "calls", "of dispatch that found nothing to run"),
        (7, "stolen", "tasks", "of the dispatched: out of another domain's queue"),
        (8, "aged", "tasks", "of the dispatched: out of turn, by the rule that bounds the wait"),
        (9, "yielded", "tasks", "that asked to let others go first"),
        (10, "waited_ns", "ns", "from enqueue to the CPU, of all that were enqueued; 0 where it is not measured"),
    ]
}
