/// What an entry of the repository is.
package enum EntryKind: String, CaseIterable, Sendable {
    /// A whole scheduler, which can be deployed.
    case scheduler
    /// A piece of code that schedulers are composed of: a header, not an object.
    case primitive
}

/// A counter that a running scheduler keeps of its own, beside those that all have.
package struct CounterSpec: Hashable, Sendable {
    /// Those below are the same in every scheduler.
    package static let indices = 16...31

    package var name: String
    /// Its place in the map `schedcp_stats`.
    package var index: Int
    package var unit: String
    package var description: String

    package init(name: String, index: Int, unit: String = "events", description: String) throws(Failure) {
        guard Self.indices.contains(index) else {
            throw Failure(
                .invalidArgument,
                "counter '\(name)' has index \(index), and a scheduler's own are "
                    + "\(Self.indices.lowerBound) to \(Self.indices.upperBound)")
        }
        self.name = name
        self.index = index
        self.unit = unit
        self.description = description
    }
}

/// What an entry promises to improve: a measured outcome is evidence for or against it where class and metric are these.
package struct Target: Hashable, Sendable {
    /// The class of workload, as `batch`; see `WorkloadProfile`.
    package var workloadClass: String
    /// As `makespan`; see `Effect`.
    package var metric: String

    package init(workloadClass: String, metric: String) {
        self.workloadClass = workloadClass
        self.metric = metric
    }
}

/// The text of a program, and the name of its file.
package struct SourceText: Hashable, Sendable {
    package var file: String
    package var text: String

    package init(file: String, text: String) {
        self.file = file
        self.text = text
    }
}

/// Where an entry comes from.
package struct Provenance: Hashable, Sendable {
    package enum Origin: String, CaseIterable, Sendable {
        /// Installed with SchedCP.
        case shipped
        /// Added by a person.
        case person
        /// Made by a program, such as an agent.
        case agent
        /// Taken from a bundle that was made elsewhere.
        case imported
    }

    package var origin: Origin
    /// Who or what, in words: an account, an agent with its model, a bundle's address.
    package var maker: String
    /// What it was derived from.
    package var parent: EntryKey?
    /// The change against the parent, in words; empty without one.
    package var change: String

    package init(_ origin: Origin, maker: String, parent: EntryKey? = nil, change: String = "") {
        self.origin = origin
        self.maker = maker
        self.parent = parent
        self.change = change
    }
}

/// One version of a scheduler policy or of a primitive: what it is, which never changes. What became of it is evidence and
/// kept beside it.
package struct PolicyEntry: Hashable, Sendable {
    package var key: EntryKey
    package var kind: EntryKind
    /// One line.
    package var summary: String
    package var description: String
    package var algorithm: String
    /// SPDX identifier.
    package var license: String
    package var targetWorkloads: [String]
    package var notFor: [String]
    package var targets: [Target]
    package var parameters: [ParameterSpec]
    package var counters: [CounterSpec]
    /// The dispatch queues that it makes.
    package var queues: [QueueSpec]
    package var hints: [HintSpec]
    /// What it makes use of, as `topology.llc` or `hints.process`.
    package var features: [String]
    /// The primitives that it is composed of.
    package var uses: [SchedulerName]
    /// The oldest kernel release on which it loads, as "6.12".
    package var kernelMinimum: String
    package var promises: [String: String]
    package var source: SourceText?
    /// SHA-256, lower-case hex: of the object, or of the text where a primitive has none.
    package var artifact: String
    package var provenance: Provenance

    package init(
        key: EntryKey, kind: EntryKind = .scheduler, summary: String, description: String, algorithm: String,
        license: String, targetWorkloads: [String] = [], notFor: [String] = [], targets: [Target] = [],
        parameters: [ParameterSpec] = [], counters: [CounterSpec] = [], queues: [QueueSpec] = [],
        hints: [HintSpec] = [], features: [String] = [], uses: [SchedulerName] = [], kernelMinimum: String,
        promises: [String: String] = [:], source: SourceText? = nil, artifact: String, provenance: Provenance
    ) {
        self.key = key
        self.kind = kind
        self.summary = summary
        self.description = description
        self.algorithm = algorithm
        self.license = license
        self.targetWorkloads = targetWorkloads
        self.notFor = notFor
        self.targets = targets
        self.parameters = parameters
        self.counters = counters
        self.queues = queues
        self.hints = hints
        self.features = features
        self.uses = uses
        self.kernelMinimum = kernelMinimum
        self.promises = promises
        self.source = source
        self.artifact = artifact
        self.provenance = provenance
    }
}

/// An entry as the repository holds it.
package struct EntryRecord: Hashable, Sendable, Identifiable {
    /// Grows with each entry that is added; never used twice.
    package let id: Int64
    package let entry: PolicyEntry
    package let status: EntryStatus
    /// Nanoseconds since the epoch.
    package let addedAt: Int64
    /// No later version of this name is there.
    package let isNewest: Bool

    package init(id: Int64, entry: PolicyEntry, status: EntryStatus, addedAt: Int64, isNewest: Bool) {
        self.id = id
        self.entry = entry
        self.status = status
        self.addedAt = addedAt
        self.isNewest = isNewest
    }
}
