/// The machine and its scheduler in an interval.
package struct MachineView: Hashable, Sendable {
    package struct CPU: Hashable, Sendable {
        package var cpu: Int
        /// From 0 to 1.
        package var busy: Double
        package var llc: UInt32
        /// Tasks in its local queue; 0 where that cannot be read.
        package var queued: UInt32

        package init(cpu: Int, busy: Double, llc: UInt32, queued: UInt32) {
            self.cpu = cpu
            self.busy = busy
            self.llc = llc
            self.queued = queued
        }
    }

    package struct Queue: Hashable, Sendable {
        package var name: String
        package var id: UInt64
        package var tasks: UInt32

        package init(name: String, id: UInt64, tasks: UInt32) {
            self.name = name
            self.id = id
            self.tasks = tasks
        }
    }

    package struct Counter: Hashable, Sendable {
        package var name: String
        package var total: UInt64
        package var perSecond: Double
        package var unit: String
        package var description: String

        package init(name: String, total: UInt64, perSecond: Double, unit: String, description: String) {
            self.name = name
            self.total = total
            self.perSecond = perSecond
            self.unit = unit
            self.description = description
        }
    }

    /// Nanoseconds since the epoch, at its end.
    package var at: Int64
    package var nanoseconds: UInt64
    package var kernel: KernelState
    package var owner: KernelState.Owner
    package var record: DeploymentRecord?
    package var cpus: [CPU] = []
    package var queues: [Queue] = []
    package var waits: WaitHistogram?
    package var counters: [Counter] = []
    package var layers: LayerTable?
    /// What could not be read, and why.
    package var missing: [String] = []

    package init(
        at: Int64, nanoseconds: UInt64, kernel: KernelState, owner: KernelState.Owner, record: DeploymentRecord?
    ) {
        self.at = at
        self.nanoseconds = nanoseconds
        self.kernel = kernel
        self.owner = owner
        self.record = record
    }
}

/// How long tasks waited, by powers of two: bucket n holds waits of at least 2^n and less than 2^(n+1) nanoseconds.
package struct WaitHistogram: Hashable, Sendable {
    package static let buckets = 40

    package var counts: [UInt64]

    package init(counts: [UInt64]) { self.counts = counts }

    /// The wait, in nanoseconds, that this share of all waits does not exceed: the upper end of its bucket. 0 without waits.
    package func quantile(_ share: Double) -> UInt64 {
        let all = counts.reduce(0, &+)
        guard all > 0 else { return 0 }
        var left = (Double(all) * share).rounded(.up)
        for (bucket, count) in counts.enumerated() {
            left -= Double(count)
            if left <= 0 { return UInt64(2) << UInt64(min(bucket, 62)) }
        }
        return UInt64(2) << UInt64(min(counts.count, 63) - 1)
    }

    /// What came since an earlier reading of the same counts.
    package func since(_ earlier: WaitHistogram?) -> WaitHistogram {
        guard let earlier else { return self }
        return WaitHistogram(
            counts: counts.enumerated().map { index, count in
                let before = index < earlier.counts.count ? earlier.counts[index] : 0
                return count >= before ? count - before : 0
            })
    }
}
