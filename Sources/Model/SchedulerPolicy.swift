/// A scheduler with its parameters, description and target workloads: one entry of the repository.
package struct SchedulerPolicy: Hashable, Sendable {
    package var name: SchedulerName
    package var version: String
    /// One line.
    package var summary: String
    package var description: String
    package var algorithm: String
    package var license: String
    package var parameters: [ParameterSpec]
    package var hints: [HintSpec]
    package var targetWorkloads: [String]
    package var notFor: [String]
    /// The oldest kernel release it is made for, as "6.12".
    package var kernelMinimum: String
    /// What the scheduler promises, by name, in words; the verifier holds it to this.
    package var promises: [String: String]
    /// SHA-256 of the object, lower-case hex.
    package var artifact: String
    /// What its counters mean, in the order in which it keeps them.
    package var counters: [CounterSpec]
    /// The dispatch queues that it makes.
    package var queues: [QueueSpec]
    /// As `topology.llc` or `hints.process`.
    package var features: [String]
    /// The primitives that it is composed of.
    package var uses: [SchedulerName]
    /// What it promises to improve.
    package var targets: [Target]
    /// A plain file name in the same folder; empty where the source is not told.
    package var sourceFile: String

    package init(
        name: SchedulerName, version: String, summary: String, description: String, algorithm: String, license: String,
        parameters: [ParameterSpec], hints: [HintSpec], targetWorkloads: [String], notFor: [String],
        kernelMinimum: String, promises: [String: String], artifact: String, counters: [CounterSpec] = [],
        queues: [QueueSpec] = [], features: [String] = [], uses: [SchedulerName] = [], targets: [Target] = [],
        sourceFile: String = ""
    ) {
        self.name = name
        self.version = version
        self.summary = summary
        self.description = description
        self.algorithm = algorithm
        self.license = license
        self.parameters = parameters
        self.hints = hints
        self.targetWorkloads = targetWorkloads
        self.notFor = notFor
        self.kernelMinimum = kernelMinimum
        self.promises = promises
        self.artifact = artifact
        self.counters = counters
        self.queues = queues
        self.features = features
        self.uses = uses
        self.targets = targets
        self.sourceFile = sourceFile
    }

    /// Checks what a client asked for against the parameters that this scheduler has.
    package func values(for settings: [Setting]) throws(Failure) -> [ParameterValue] {
        var values: [ParameterValue] = []
        for setting in settings {
            guard let spec = parameters.first(where: { $0.name == setting.name }) else {
                let known = parameters.map(\.name).joined(separator: ", ")
                throw Failure(
                    .invalidArgument, "'\(name)' has no parameter \(setting.name.quotedForDisplay())",
                    hint: known.isEmpty ? "it has none" : "it has: \(known)")
            }
            guard !values.contains(where: { $0.name == setting.name }) else {
                throw Failure(.invalidArgument, "parameter '\(setting.name)' is given twice", hint: "give it once")
            }
            values.append(try spec.parse(setting.value))
        }
        return values
    }

    /// Checks that this scheduler takes hints of each kind given.
    package func check(_ given: [Hint]) throws(Failure) {
        for hint in given where !hints.contains(where: { $0.kind == hint.kind }) {
            throw Failure(
                .invalidArgument, "'\(name)' takes no hints by \(hint.kind.rawValue)",
                hint: hints.isEmpty
                    ? "it takes no hints" : "it takes: " + hints.map(\.kind.rawValue).joined(separator: ", "))
        }
    }
}

/// A parameter as a client writes it; not checked yet.
package struct Setting: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A kind of hint that a scheduler reads, and the BPF hash map that holds it.
package struct HintSpec: Hashable, Sendable {
    package var kind: Hint.Kind
    package var map: String
    package var description: String

    package init(kind: Hint.Kind, map: String, description: String) {
        self.kind = kind
        self.map = map
        self.description = description
    }
}

/// What is expected of some tasks: how much CPU time one of them will need.
package struct Hint: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// By the kernel's process name (`comm`), at most 15 bytes.
        case process
        /// By cgroup, a path below the root of the v2 hierarchy; children inherit it.
        case cgroup
    }

    package static let maxProcessNameBytes = 15
    package static let maxPathBytes = 1024

    package let kind: Kind
    package let key: String
    /// Expected CPU time in nanoseconds.
    package let nanoseconds: UInt64

    package init(kind: Kind, key: String, nanoseconds: UInt64) throws(Failure) {
        guard !key.isEmpty, !key.utf8.contains(0) else {
            throw Failure(.invalidArgument, "a hint needs the name of a process or the path of a cgroup")
        }
        switch kind {
        case .process:
            guard key.utf8.count <= Self.maxProcessNameBytes else {
                throw Failure(
                    .invalidArgument,
                    "\(key.quotedForDisplay()) is longer than a process name in the kernel",
                    hint: "the kernel keeps the first \(Self.maxProcessNameBytes) bytes; give those")
            }
        case .cgroup:
            let parts = key.split(separator: "/", omittingEmptySubsequences: true)
            guard key.utf8.count <= Self.maxPathBytes, !parts.contains(".."), !parts.contains(".") else {
                throw Failure(
                    .invalidArgument, "\(key.quotedForDisplay()) is not a path below the cgroup root",
                    hint: "give it as in /proc/PID/cgroup, for example system.slice/batch.service")
            }
        }
        self.kind = kind
        self.key = key
        self.nanoseconds = nanoseconds
    }
}
