import Deployment
import Kernel
import Linux
import Model
import Repository
import Service
import Synchronization
import TestSupport

/// What of a scheduler can be read and changed, without a kernel.
final class FakeLive: LiveAccess {
    struct State {
        var tunables: [String: Int128] = ["slice_us": 5000, "gap_us": 100]
        var hints: [HintValue] = []
        var layers: LayerTable?
        var counters: [UInt64]? = (0..<32).map { UInt64($0) }
        /// So many writes succeed still.
        var writes = Int.max
        /// Everything that was written, in its order.
        var written: [String] = []
    }

    let layout: LiveLayout
    let descriptors: LiveDescriptors? = nil
    let state: Mutex<State>

    init(layers: LayerTable? = nil, _ change: (inout State) -> Void = { _ in }) {
        layout = LiveLayout(
            tunables: ["slice_us": .init(type: .u32, offset: 0), "gap_us": .init(type: .u64, offset: 8)],
            compiled: ["slice_us": 5000, "gap_us": 100], layers: layers)
        var first = State()
        first.layers = layers
        change(&first)
        state = Mutex(first)
    }

    private func write(_ what: String, _ change: (inout State) -> Void) throws(Failure) {
        let isWritten = state.withLock { state in
            guard state.writes > 0 else { return false }
            state.writes -= 1
            state.written.append(what)
            change(&state)
            return true
        }
        if !isWritten { throw Failure(.internal, "the kernel refused") }
    }

    func tunables() throws(Failure) -> [String: Int128] { state.withLock { $0.tunables } }

    func set(_ values: [ParameterValue]) throws(Failure) {
        guard !values.isEmpty else { return }
        try write(values.map { "\($0.name)=\($0.text)" }.sorted().joined(separator: " ")) { state in
            for value in values { state.tunables[value.name] = value.number }
        }
    }

    func layers() throws(Failure) -> LayerTable? { state.withLock { $0.layers } }

    func set(_ layers: LayerTable) throws(Failure) {
        // As the kernel has it: without paths.
        try write("layers") { $0.layers = LayerBytes.decode(LayerBytes.encode(layers, version: 1)) }
    }

    func takesHints(_ kind: Hint.Kind) -> Bool { kind == .process }

    func hints(_ kind: Hint.Kind) throws(Failure) -> [HintValue] {
        state.withLock { $0.hints.filter { $0.kind == kind.rawValue } }
    }

    func set(_ hint: HintValue) throws(Failure) {
        try write("hint \(hint.key)=\(hint.nanoseconds.map { "\($0)" } ?? "-")") { state in
            state.hints.removeAll { $0.isPlace(of: hint) }
            if hint.nanoseconds != nil { state.hints.append(hint) }
        }
    }

    func counters() throws(Failure) -> [UInt64]? { state.withLock { $0.counters } }
}

/// A deployment that runs, as a new daemon has taken it up, with a scheduler that can be changed.
struct Running {
    let kernel: FakeKernel
    let parts: Parts
    let live: FakeLive
    let record: DeploymentRecord

    static func description() throws(Failure) -> LiveDescription {
        LiveDescription(
            tunables: [
                try ParameterSpec(
                    name: "slice_us", type: .u32, defaultValue: 4000, range: 1000...100000, unit: "us", isLive: true),
                try ParameterSpec(name: "gap_us", type: .u64, defaultValue: 100, range: 0...1000, isLive: true),
            ],
            counters: [try CounterSpec(name: "lifted", index: 16, description: "a test")],
            queues: [try QueueSpec(name: "shared", id: 0), try QueueSpec(name: "each", id: 8, count: .perCPU)])
    }

    /// - Parameter left: what an earlier process has left in the ledger.
    static func start(
        _ live: FakeLive = FakeLive(), stops: any Stops = NoStops(), parameters: [Setting] = [],
        described: Bool = true, left: (SQLiteJournal, DeploymentRecord) async throws -> Void = { _, _ in }
    ) async throws -> Running {
        let kernel = try FakeKernel(state: "enabled", ops: "latency", sequence: 5)
        let parts = try Parts(kernel: kernel.folder.path, stops: stops, adoptLive: { _, _ in live })
        let artifact = try parts.artifacts.put(try await Checkout.object("fifo"))
        var spec = Parts.spec("latency", artifact: artifact)
        spec.parameters = parameters
        if described { spec.live = try description() }
        var record = try await parts.journal.begin(spec, at: 1)
        try record.move(to: .active, reason: "", at: 2)
        (record.enableSequence, record.ops) = (5, "latency")
        try await parts.journal.update(record)
        try await left(parts.journal, record)
        try await parts.service.recover(try parts.kept(record.id, file: try parts.folder.write("", to: "kept")))
        return Running(kernel: kernel, parts: parts, live: live, record: record)
    }

    func tune(_ change: (inout TuneRequest) throws -> Void) async throws -> TuningView {
        var request = TuneRequest()
        try change(&request)
        return try await parts.service.tune(request, by: Parts.actor)
    }

    /// What is in the kernel, as far as anybody can see.
    var tunables: [String: Int128] { live.state.withLock { $0.tunables } }
    var written: [String] { live.state.withLock { $0.written } }
    func states() async throws -> [TuningChange.State] {
        try await parts.journal.tunings(of: record.id).map(\.state)
    }
}

/// Fails at one place.
struct StopAt: Stops {
    let place: String
    func reach(_ reached: String) throws(Failure) {
        if reached == place { throw Failure(.internal, "stopped at \(reached)") }
    }
}
