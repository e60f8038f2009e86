/// What is known of a workload in figures.
package struct WorkloadProfile: Hashable, Sendable {
    /// A lower-case word: `batch`, `throughput`, `latency`, `interactive`, `pipeline`, `server`, `mixed`, or another one.
    package var workloadClass: String
    /// Measured features by name, such as `wakeups-per-second`. None is negative.
    package var features: [String: Double]
    /// What is wanted, in words; may be empty.
    package var goal: String

    package init(workloadClass: String, features: [String: Double] = [:], goal: String = "") {
        self.workloadClass = workloadClass
        self.features = features
        self.goal = goal
    }
}

/// The machine that something was measured on, as far as scheduling sees it.
package struct MachineShape: Hashable, Sendable {
    /// As the kernel calls it: "x86_64".
    package var architecture: String
    package var cpus: Int
    /// Hardware threads of a core.
    package var threadsPerCore: Int
    /// Last-level caches, and memory nodes.
    package var llcs: Int
    package var nodes: Int
    package var isVirtual: Bool

    package init(
        architecture: String, cpus: Int, threadsPerCore: Int = 1, llcs: Int = 1, nodes: Int = 1, isVirtual: Bool = false
    ) {
        self.architecture = architecture
        self.cpus = cpus
        self.threadsPerCore = threadsPerCore
        self.llcs = llcs
        self.nodes = nodes
        self.isVirtual = isVirtual
    }
}

/// A metric under the scheduler divided by the same under what it is compared with, measured in turns.
package struct Effect: Hashable, Sendable {
    package enum Better: String, CaseIterable, Sendable { case lower, higher }

    /// A lower-case word: `makespan`, `throughput`, `wakeup_p99`, `fairness`, or another one.
    package var metric: String
    package var better: Better
    /// What it was compared with: `default` for the kernel's own scheduler, or an entry as `fifo@1.0.0`.
    package var baseline: String
    /// The ratio and its 95 % interval; all above 0.
    package var ratio: Double
    package var low: Double
    package var high: Double
    /// How many times each of the two was measured.
    package var runs: Int

    package init(
        metric: String, better: Better, baseline: String = "default", ratio: Double, low: Double, high: Double,
        runs: Int
    ) {
        self.metric = metric
        self.better = better
        self.baseline = baseline
        self.ratio = ratio
        self.low = low
        self.high = high
        self.runs = runs
    }

    /// Surely better, surely worse, or neither: the interval holds 1.
    package enum Direction: Int, Sendable { case worse = -1, unclear = 0, better = 1 }

    package var direction: Direction {
        if high < 1 { return better == .lower ? .better : .worse }
        if low > 1 { return better == .higher ? .better : .worse }
        return .unclear
    }

    /// How many times as good as the baseline: above 1 is better, whatever the metric.
    package var gain: Double { better == .higher ? ratio : 1 / ratio }
}

/// One measured effect of one entry.
package struct Outcome: Hashable, Sendable {
    /// Who says so. Only what SchedCP measured itself is evidence; the rest is kept to be seen.
    package enum Origin: String, CaseIterable, Sendable {
        /// In the lab's machine.
        case lab
        /// In a deployment on this machine.
        case canary
        /// By a client.
        case reported
        /// In a bundle from elsewhere.
        case imported

        package var isEvidence: Bool { self == .lab || self == .canary }
    }

    /// Chosen by who records it, so that recording it again changes nothing: up to 64 of a-z 0-9 . _ -
    package var id: String
    package var entry: EntryKey
    /// What really ran: SHA-256 of the object.
    package var artifact: String
    package var settings: [Setting]
    package var workload: WorkloadProfile
    package var machine: MachineShape
    /// The kernel's release.
    package var kernel: String
    package var effect: Effect
    package var origin: Origin
    /// The deployment, or the boot of the lab, that it was measured in. Outcomes of one trial are not independent.
    package var trial: String
    package var measuredBy: String
    /// Nanoseconds since the epoch.
    package var measuredAt: Int64

    package init(
        id: String, entry: EntryKey, artifact: String, settings: [Setting] = [], workload: WorkloadProfile,
        machine: MachineShape, kernel: String, effect: Effect, origin: Origin, trial: String, measuredBy: String,
        measuredAt: Int64
    ) {
        self.id = id
        self.entry = entry
        self.artifact = artifact
        self.settings = settings
        self.workload = workload
        self.machine = machine
        self.kernel = kernel
        self.effect = effect
        self.origin = origin
        self.trial = trial
        self.measuredBy = measuredBy
        self.measuredAt = measuredAt
    }
}
