import FoundationEssentials
import Model

/// What of a deployment can be read and changed while it runs, as the history keeps it.
struct StoredLive: Codable {
    var tunables: [StoredParameter]
    var counters: [StoredCounter]
    var queues: [StoredQueue]

    init(_ live: LiveDescription) {
        tunables = live.tunables.map(StoredParameter.init)
        counters = live.counters.map(StoredCounter.init)
        queues = live.queues.map(StoredQueue.init)
    }

    var description: LiveDescription {
        get throws(Failure) {
            var live = LiveDescription()
            for stored in tunables { live.tunables.append(try stored.spec()) }
            for stored in counters { live.counters.append(try stored.spec()) }
            for stored in queues { live.queues.append(try stored.spec()) }
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
