/// What of a scheduler can be read and changed while it runs, as its description has it. A raw object has nothing of it.
package struct LiveDescription: Hashable, Sendable {
    /// Those of its parameters that may be changed.
    package var tunables: [ParameterSpec]
    package var counters: [CounterSpec]
    package var queues: [QueueSpec]

    package init(tunables: [ParameterSpec] = [], counters: [CounterSpec] = [], queues: [QueueSpec] = []) {
        self.tunables = tunables
        self.counters = counters
        self.queues = queues
    }

    package static let none = LiveDescription()
}

extension SchedulerPolicy {
    package var live: LiveDescription {
        LiveDescription(tunables: parameters.filter(\.isLive), counters: counters, queues: queues)
    }
}

/// A change of the running scheduler, as a client asks for it.
package struct TuneRequest: Hashable, Sendable {
    /// The deployment that is meant; 0: whichever runs.
    package var deployment: Int64 = 0
    package var settings: [Setting] = []
    package var hints: [Hint] = []
    package var forgotten: [Hint] = []
    package var layers: LayerTable?
    package var undo = false
    package var reset = false

    package init() {}

    package static let mostSettings = 64
    package static let mostHints = 256

    /// Refuses what is too much, before it is looked at.
    package static func check(settings: Int, hints: Int) throws(Failure) {
        guard settings <= mostSettings, hints <= mostHints else {
            throw Failure(.tooMany, "more than \(mostSettings) settings or \(mostHints) hints at once")
        }
    }

    /// Refuses what is too much, and what contradicts itself.
    package func check() throws(Failure) {
        try Self.check(settings: settings.count, hints: hints.count + forgotten.count)
        let isChange = !settings.isEmpty || !hints.isEmpty || !forgotten.isEmpty || layers != nil
        guard [isChange, undo, reset].filter({ $0 }).count == 1 else {
            throw Failure(
                .invalidArgument,
                isChange || undo || reset
                    ? "taking back or resetting goes alone" : "nothing is asked for: no setting, hint or layer")
        }
        var seen: Set<String> = []
        for setting in settings where !seen.insert(setting.name).inserted {
            throw Failure(
                .invalidArgument, "\(setting.name.quotedForDisplay()) is given twice", hint: "give it once")
        }
        var keys: Set<[String]> = []
        for hint in hints + forgotten where !keys.insert([hint.kind.rawValue, hint.key]).inserted {
            throw Failure(
                .invalidArgument, "the hint for \(hint.key.quotedForDisplay()) is given twice", hint: "give it once")
        }
        try layers?.check()
    }
}

/// A hint as the scheduler's map has it, or has it not.
package struct HintValue: Hashable, Sendable, Codable {
    package var kind: String
    /// A process name, or a path below the root of the cgroup hierarchy.
    package var key: String
    /// The kernel's number of the cgroup; 0 for a process.
    package var cgroupID: UInt64
    /// nil: there is none.
    package var nanoseconds: UInt64?

    package init(_ kind: Hint.Kind, key: String, cgroupID: UInt64 = 0, nanoseconds: UInt64?) {
        self.kind = kind.rawValue
        self.key = key
        self.cgroupID = cgroupID
        self.nanoseconds = nanoseconds
    }

    /// Of the same place in the same map?
    package func isPlace(of other: HintValue) -> Bool {
        kind == other.kind && (cgroupID != 0 || other.cgroupID != 0 ? cgroupID == other.cgroupID : key == other.key)
    }
}

/// Values that a change has to do with: before it, or after.
package struct TuningValues: Hashable, Sendable {
    package var tunables: [String: Int128] = [:]
    package var hints: [HintValue] = []
    package var layers: LayerTable?

    package init() {}

    package var isEmpty: Bool { tunables.isEmpty && hints.isEmpty && layers == nil }

    /// These, and those of `newer` in their place.
    package func overlaid(with newer: TuningValues) -> TuningValues {
        var result = self
        result.tunables.merge(newer.tunables) { $1 }
        result.hints.removeAll { old in newer.hints.contains { $0.isPlace(of: old) } }
        result.hints += newer.hints
        result.layers = newer.layers ?? layers
        return result
    }
}

/// A change in the ledger.
package struct TuningChange: Hashable, Sendable, Identifiable {
    package enum State: String, Sendable {
        /// Written down, and perhaps done.
        case begun
        case applied
        /// It was not done, or made undone because it could not be done whole.
        case failed
        /// It was taken back.
        case undone
        /// The scheduler was loaded anew without it.
        case lost
    }

    package var id: Int64
    package var deployment: Int64
    package var uid: UInt32
    package var user: String
    /// Nanoseconds since the epoch.
    package var at: Int64
    package var state: State
    /// The change that this one takes back; 0: none.
    package var undoes: Int64
    package var before: TuningValues
    package var after: TuningValues

    package init(
        id: Int64 = 0, deployment: Int64, uid: UInt32, user: String, at: Int64, state: State = .begun,
        undoes: Int64 = 0, before: TuningValues, after: TuningValues
    ) {
        self.id = id
        self.deployment = deployment
        self.uid = uid
        self.user = user
        self.at = at
        self.state = state
        self.undoes = undoes
        self.before = before
        self.after = after
    }

    /// One line for each value, as `slice_us 5000 -> 2000`.
    package var lines: [String] {
        var lines = after.tunables.sorted { $0.key < $1.key }.map { name, value in
            "\(name) \(before.tunables[name].map { "\($0)" } ?? "?") -> \(value)"
        }
        for hint in after.hints {
            let old = before.hints.first { $0.isPlace(of: hint) }?.nanoseconds
            func text(_ value: UInt64?) -> String { value.map { "\($0) ns" } ?? "none" }
            lines.append("hint \(hint.kind):\(hint.key) \(text(old)) -> \(text(hint.nanoseconds))")
        }
        if let layers = after.layers {
            lines.append("layers: \(layers.layers.count) with \(layers.rules.count) rules")
        }
        return lines
    }
}

/// What can be changed of the running scheduler, and what is in force.
package struct TuningView: Hashable, Sendable {
    package struct Value: Hashable, Sendable {
        package var spec: ParameterSpec
        package var value: ParameterValue
        package var deployed: ParameterValue

        package init(spec: ParameterSpec, value: ParameterValue, deployed: ParameterValue) {
            self.spec = spec
            self.value = value
            self.deployed = deployed
        }
    }

    package var deployment: Int64
    package var scheduler: String
    package var tunables: [Value]
    package var hints: [HintValue]
    package var layers: LayerTable?
    /// Those that can be taken back, the newest first.
    package var changes: [TuningChange]

    package init(
        deployment: Int64, scheduler: String, tunables: [Value], hints: [HintValue], layers: LayerTable?,
        changes: [TuningChange]
    ) {
        self.deployment = deployment
        self.scheduler = scheduler
        self.tunables = tunables
        self.hints = hints
        self.layers = layers
        self.changes = changes
    }
}

/// Where changes of running schedulers are kept. What a call has returned is on disk.
package protocol TuningLedger: Sendable {
    /// Writes a change down before it is done, and gives it its number. The oldest beyond a bound are forgotten.
    func beginTuning(_ change: TuningChange) async throws(Failure) -> TuningChange
    /// A change that has come to its end, and what then differs from what was deployed.
    func endTuning(_ change: TuningChange, tuned: TuningValues?) async throws(Failure)
    /// Of a deployment, the newest first.
    func tunings(of deployment: Int64) async throws(Failure) -> [TuningChange]
    /// What differs from what was deployed.
    func tuned(_ deployment: Int64) async throws(Failure) -> TuningValues
    /// What was changed of a deployment is gone with the maps that held it.
    func loseTunings(of deployment: Int64) async throws(Failure)
}
