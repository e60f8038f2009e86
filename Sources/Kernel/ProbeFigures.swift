/// What the run queue probe counted for one group of tasks since it was last cleared.
package struct WaitFigures: Hashable, Sendable {
    /// 0 for all that is not a worker of a trial.
    package var group: Int
    package var waits: UInt64
    /// Nanoseconds from runnable to running, of all waits together.
    package var total: UInt64
    package var longest: UInt64
    package var longestProcess: Int32
    /// Nanoseconds for which a task waited and a CPU on which it may run was idle, of all waits that were not short.
    package var idleTotal: UInt64
    package var idleLongest: UInt64
    /// Waits by the binary logarithm of their microseconds: bucket 0 is below 2 µs, bucket 1 below 4 µs.
    package var buckets: [UInt64]

    package init(
        group: Int, waits: UInt64 = 0, total: UInt64 = 0, longest: UInt64 = 0, longestProcess: Int32 = 0,
        idleTotal: UInt64 = 0, idleLongest: UInt64 = 0, buckets: [UInt64] = []
    ) {
        self.group = group
        self.waits = waits
        self.total = total
        self.longest = longest
        self.longestProcess = longestProcess
        self.idleTotal = idleTotal
        self.idleLongest = idleLongest
        self.buckets = buckets
    }

    /// The wait, in nanoseconds, that this share of all waits does not exceed: the upper end of its bucket, and never
    /// more than the longest. 0 where nothing waited.
    package func quantile(_ share: Double) -> UInt64 {
        let all = buckets.reduce(0, +)
        guard all > 0 else { return 0 }
        var left = (Double(all) * share).rounded(.up)
        for (bucket, count) in buckets.enumerated() {
            left -= Double(count)
            if left <= 0 { return min(longest, (UInt64(2) << UInt64(bucket)) * 1000) }
        }
        return longest
    }

    /// Both together, as if they were one group.
    package func adding(_ other: WaitFigures) -> WaitFigures {
        var sum = self
        sum.waits += other.waits
        sum.total += other.total
        if other.longest > sum.longest {
            sum.longest = other.longest
            sum.longestProcess = other.longestProcess
        }
        sum.idleTotal += other.idleTotal
        sum.idleLongest = max(sum.idleLongest, other.idleLongest)
        let count = max(buckets.count, other.buckets.count)
        sum.buckets = (0..<count).map {
            (buckets.count > $0 ? buckets[$0] : 0) + (other.buckets.count > $0 ? other.buckets[$0] : 0)
        }
        return sum
    }
}

/// A task that was runnable and had not run yet when the probe was read.
package struct WaitingTask: Hashable, Sendable {
    package var process: Int32
    package var name: String
    package var group: Int
    /// -20 to 19.
    package var nice: Int
    /// SCHED_NORMAL 0, SCHED_EXT 7 and so on.
    package var policy: UInt32
    /// Of the first 64 CPUs, those on which it may run.
    package var cpus: UInt64
    /// How often it had run before.
    package var runs: UInt64
    /// Nanoseconds since it became runnable.
    package var waited: UInt64
    /// The most of that for which one of its CPUs was idle.
    package var idleBeside: UInt64

    package init(
        process: Int32, name: String, group: Int, nice: Int = 0, policy: UInt32 = 0, cpus: UInt64 = .max,
        runs: UInt64 = 0, waited: UInt64, idleBeside: UInt64 = 0
    ) {
        self.process = process
        self.name = name
        self.group = group
        self.nice = nice
        self.policy = policy
        self.cpus = cpus
        self.runs = runs
        self.waited = waited
        self.idleBeside = idleBeside
    }
}
