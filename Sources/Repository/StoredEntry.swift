import FoundationEssentials
import Model

/// An entry as JSON: in the database, in the log of changes, in a bundle. Fields are only ever added, and always optional
/// for what was written before.
struct StoredEntry: Codable {
    var name: String
    var version: String
    var kind: String
    var summary: String
    var description: String
    var algorithm: String
    var license: String
    var targetWorkloads: [String]
    var notFor: [String]
    var targets: [StoredTarget]
    var parameters: [StoredParameter]
    var counters: [StoredCounter]
    var queues: [StoredQueue]?
    var hints: [StoredHintSpec]
    var features: [String]
    var uses: [String]
    var kernelMinimum: String
    var promises: [String: String]
    var sourceFile: String?
    var source: String?
    var artifact: String
    var provenance: StoredProvenance

    init(_ entry: PolicyEntry) {
        name = entry.key.name.text
        version = entry.key.version.description
        kind = entry.kind.rawValue
        summary = entry.summary
        description = entry.description
        algorithm = entry.algorithm
        license = entry.license
        targetWorkloads = entry.targetWorkloads
        notFor = entry.notFor
        targets = entry.targets.map { StoredTarget(workloadClass: $0.workloadClass, metric: $0.metric) }
        parameters = entry.parameters.map(StoredParameter.init)
        counters = entry.counters.map(StoredCounter.init)
        queues = entry.queues.isEmpty ? nil : entry.queues.map(StoredQueue.init)
        hints = entry.hints.map {
            StoredHintSpec(kind: $0.kind.rawValue, map: $0.map, description: $0.description)
        }
        features = entry.features
        uses = entry.uses.map(\.text)
        kernelMinimum = entry.kernelMinimum
        promises = entry.promises
        sourceFile = entry.source?.file
        source = entry.source?.text
        artifact = entry.artifact
        provenance = StoredProvenance(entry.provenance)
    }

    var key: EntryKey {
        get throws(Failure) { EntryKey(try SchedulerName(name), try SemanticVersion(version)) }
    }

    /// Not checked for its bounds: see `PolicyEntry.check`.
    func entry() throws(Failure) -> PolicyEntry {
        guard let kind = EntryKind(rawValue: kind) else {
            throw Failure(.invalidArgument, "\(kind.quotedForDisplay()) is not a kind of entry")
        }
        var used: [SchedulerName] = []
        for name in uses { used.append(try SchedulerName(name)) }
        return PolicyEntry(
            key: try key, kind: kind, summary: summary, description: description, algorithm: algorithm,
            license: license, targetWorkloads: targetWorkloads, notFor: notFor,
            targets: targets.map { Target(workloadClass: $0.workloadClass, metric: $0.metric) },
            parameters: try parameters.map { stored throws(Failure) in try stored.spec() },
            counters: try counters.map { stored throws(Failure) in try stored.spec() },
            queues: try (queues ?? []).map { stored throws(Failure) in try stored.spec() },
            hints: try hints.map { stored throws(Failure) in try stored.spec() }, features: features, uses: used,
            kernelMinimum: kernelMinimum, promises: promises,
            source: source.map { SourceText(file: sourceFile ?? "", text: $0) }, artifact: artifact,
            provenance: try provenance.provenance())
    }
}

struct StoredTarget: Codable {
    var workloadClass: String
    var metric: String
}

struct StoredCounter: Codable {
    var name: String
    var index: Int
    var unit: String
    var description: String

    init(_ spec: CounterSpec) {
        name = spec.name
        index = spec.index
        unit = spec.unit
        description = spec.description
    }

    func spec() throws(Failure) -> CounterSpec {
        try CounterSpec(name: name, index: index, unit: unit, description: description)
    }
}

struct StoredQueue: Codable {
    var name: String
    var id: UInt64
    /// A number, `llc` or `cpu`.
    var count: String
    var description: String

    init(_ spec: QueueSpec) {
        name = spec.name
        id = spec.id
        count = spec.count.text
        description = spec.description
    }

    func spec() throws(Failure) -> QueueSpec {
        guard let count = QueueSpec.Count(text: count) else {
            throw Failure(.invalidArgument, "the number of queues \(name.quotedForDisplay()) cannot be read")
        }
        return try QueueSpec(name: name, id: id, count: count, description: description)
    }
}

struct StoredHintSpec: Codable {
    var kind: String
    var map: String
    var description: String

    func spec() throws(Failure) -> HintSpec {
        guard let kind = Hint.Kind(rawValue: kind) else {
            throw Failure(.invalidArgument, "there are no hints by \(kind.quotedForDisplay())")
        }
        return HintSpec(kind: kind, map: map, description: description)
    }
}

/// Numbers as text: JSON's readers do not agree on those beyond 53 bits.
struct StoredParameter: Codable {
    var name: String
    var type: String
    var value: String
    var low: String
    var high: String
    var unit: String
    var description: String
    var live: Bool

    init(_ spec: ParameterSpec) {
        name = spec.name
        type = spec.type.rawValue
        value = "\(spec.defaultValue)"
        low = "\(spec.range.lowerBound)"
        high = "\(spec.range.upperBound)"
        unit = spec.unit
        description = spec.description
        live = spec.isLive
    }

    func spec() throws(Failure) -> ParameterSpec {
        guard let type = ParameterType(rawValue: type), let value = Int128(value), let low = Int128(low),
            let high = Int128(high), low <= high
        else { throw Failure(.invalidArgument, "the parameter \(name.quotedForDisplay()) cannot be read") }
        return try ParameterSpec(
            name: name, type: type, defaultValue: value, range: low...high, unit: unit, description: description,
            isLive: live)
    }
}

struct StoredProvenance: Codable {
    var origin: String
    var maker: String
    var parent: String?
    var change: String

    init(_ provenance: Provenance) {
        origin = provenance.origin.rawValue
        maker = provenance.maker
        parent = provenance.parent?.description
        change = provenance.change
    }

    func provenance() throws(Failure) -> Provenance {
        guard let origin = Provenance.Origin(rawValue: origin) else {
            throw Failure(.invalidArgument, "\(origin.quotedForDisplay()) is not an origin")
        }
        let from = try parent.map { text throws(Failure) in try EntryKey(text) }
        return Provenance(origin, maker: maker, parent: from, change: change)
    }
}
