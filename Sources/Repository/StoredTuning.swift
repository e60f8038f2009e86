import FoundationEssentials
import Model

/// What of a deployment can be read and changed while it runs, as the history keeps it.
struct StoredLive: Codable {
    struct StoredQueue: Codable {
        var name: String
        var id: UInt64
        /// A number, `llc` or `cpu`.
        var count: String
        var description: String
    }

    var tunables: [StoredParameter]
    var counters: [StoredCounter]
    var queues: [StoredQueue]

    init(_ live: LiveDescription) {
        tunables = live.tunables.map(StoredParameter.init)
        counters = live.counters.map {
            StoredCounter(name: $0.name, index: $0.index, unit: $0.unit, description: $0.description)
        }
        queues = live.queues.map { queue in
            let count =
                switch queue.count {
                case .some(let number): "\(number)"
                case .perLLC: "llc"
                case .perCPU: "cpu"
                }
            return StoredQueue(name: queue.name, id: queue.id, count: count, description: queue.description)
        }
    }

    var description: LiveDescription {
        get throws(Failure) {
            var live = LiveDescription()
            for stored in tunables { live.tunables.append(try stored.spec()) }
            for stored in counters {
                live.counters.append(
                    try CounterSpec(
                        name: stored.name, index: stored.index, unit: stored.unit, description: stored.description))
            }
            for stored in queues {
                let count: QueueSpec.Count =
                    switch stored.count {
                    case "llc": .perLLC
                    case "cpu": .perCPU
                    default: .some(Int(stored.count) ?? 1)
                    }
                live.queues.append(
                    try QueueSpec(name: stored.name, id: stored.id, count: count, description: stored.description))
            }
            return live
        }
    }
}

/// Values of a change. Numbers are text: they may be larger than JSON's.
struct StoredTuning: Codable {
    var tunables: [String: String]
    var hints: [HintValue]
    var layers: LayerTable?

    init(_ values: TuningValues) {
        tunables = values.tunables.mapValues { "\($0)" }
        hints = values.hints
        layers = values.layers
    }

    var values: TuningValues {
        var values = TuningValues()
        values.tunables = tunables.compactMapValues { Int128($0) }
        values.hints = hints
        values.layers = layers
        return values
    }
}
