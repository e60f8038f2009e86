import Model
import SwiftProtobuf
import Testing
import Wire

/// What of a running scheduler can be changed and seen, and its messages.
@Suite struct LiveMappingTests {
    @Test func aRequestIsReadWhole() throws {
        var wire = WireTuneRequest()
        wire.deployment = 7
        wire.settings = [.with { ($0.name, $0.value) = ("slice_us", "2000") }]
        wire.hints = [.with { ($0.kind, $0.key, $0.nanoseconds) = ("process", "encoder", 40) }]
        wire.forgetHints = [.with { ($0.kind, $0.key) = ("cgroup", "a.slice") }]
        wire.layers = .with { table in
            table.layers = [.with { $0.weight = 100 }, .with { ($0.weight, $0.guarantee, $0.cap) = (200, 300, 500) }]
            table.rules = [
                .with { ($0.layer, $0.niceLeast) = (1, -5) }, .with { ($0.layer, $0.niceMost) = (1, 4) },
                .with { ($0.layer, $0.name, $0.cgroup, $0.threads) = (0, "make", "b/c", 3) },
            ]
        }
        let request = try wire.asTuneRequest()
        #expect(request.deployment == 7 && request.settings == [Setting(name: "slice_us", value: "2000")])
        #expect(request.hints.map(\.nanoseconds) == [40] && request.forgotten.map(\.kind) == [.cgroup])
        let layers = try #require(request.layers)
        #expect(layers.layers == [.init(weight: 100), .init(weight: 200, guarantee: 300, cap: 500)])
        #expect(layers.rules.map(\.nice) == [-5...19, -20...4, nil])
        #expect(layers.rules[2].cgroup == "b/c" && layers.rules[2].threads == 3)
        #expect(WireLayerTable(layers).rules.map(\.hasNiceLeast) == [true, true, false])
    }

    static let refused: [@Sendable (inout WireTuneRequest) -> Void] = [
        { _ in },
        { ($0.undo, $0.reset) = (true, true) },
        { request in
            request.undo = true
            request.settings = [.with { ($0.name, $0.value) = ("a", "1") }]
        },
        { $0.settings = [.with { $0.value = "1" }] },
        { $0.settings = [.with { ($0.name, $0.value) = ("a", String(repeating: "1", count: 65)) }] },
        { $0.settings = (0..<65).map { number in .with { ($0.name, $0.value) = ("a\(number)", "1") } } },
        { $0.hints = [.with { ($0.kind, $0.key) = ("thread", "a") }] },
        { $0.hints = (0..<257).map { number in .with { ($0.kind, $0.key) = ("process", "p\(number)") } } },
        { $0.forgetHints = [.with { ($0.kind, $0.key) = ("process", "longer-than-a-name") }] },
        { $0.forgetHints = [.with { ($0.kind, $0.key) = ("cgroup", "../x") }] },
        { $0.layers = WireLayerTable() },
        { $0.layers = .with { $0.layers = (0..<17).map { _ in .with { $0.weight = 1 } } } },
        { $0.layers = .with { $0.layers = [.with { $0.weight = 1001 }] } },
        { $0.layers = .with { $0.layers = [.with { ($0.weight, $0.guarantee, $0.cap) = (1, 500, 400) }] } },
        { $0.layers = .with { $0.layers = (0..<2).map { _ in .with { ($0.weight, $0.guarantee) = (1, 501) } } } },
        { Self.rule(&$0) { $0.layer = 0 } },
        { Self.rule(&$0) { ($0.layer, $0.threads) = (1, 1) } },
        { Self.rule(&$0) { $0.name = "longer-than-a-name" } },
        { Self.rule(&$0) { ($0.niceLeast, $0.niceMost) = (5, 4) } },
        { Self.rule(&$0) { $0.niceLeast = -21 } },
        { Self.rule(&$0) { $0.cgroup = String(repeating: "a/", count: 32) } },
        { request in
            request.layers = .with { table in
                table.layers = [.with { $0.weight = 1 }]
                table.rules = (0..<33).map { _ in .with { $0.threads = 1 } }
            }
        },
    ]

    private static func rule(_ request: inout WireTuneRequest, _ change: (inout WireLayerRule) -> Void) {
        var rule = WireLayerRule()
        change(&rule)
        request.layers = .with { table in
            table.layers = [.with { $0.weight = 1 }]
            table.rules = [rule]
        }
    }

    @Test(arguments: 0..<refused.count) func whatCannotBeMeantIsRefused(index: Int) {
        var wire = WireTuneRequest()
        Self.refused[index](&wire)
        let failure = #expect(throws: Failure.self) { try wire.asTuneRequest() }
        #expect([.invalidArgument, .tooMany].contains(failure?.code))
    }

    @Test func aTuningBecomesItsMessage() throws {
        let spec = try ParameterSpec(
            name: "slice_us", type: .u32, defaultValue: 4, range: 1...9, unit: "us", isLive: true)
        func value(_ number: Int128) -> ParameterValue { ParameterValue(name: "slice_us", type: .u32, number: number) }
        var (before, after) = (TuningValues(), TuningValues())
        (before.tunables, after.tunables) = (["slice_us": 4], ["slice_us": 2])
        after.hints = [HintValue(.process, key: "a", nanoseconds: nil)]
        let change = TuningChange(
            id: 3, deployment: 7, uid: 1, user: "alice", at: 9, state: .applied, before: before, after: after)
        let wire = WireTuning(
            TuningView(
                deployment: 7, scheduler: "latency",
                tunables: [.init(spec: spec, value: value(2), deployed: value(4))],
                hints: [HintValue(.cgroup, key: "a.slice", cgroupID: 5, nanoseconds: 6)],
                layers: LayerTable(layers: [.init(weight: 1)], rules: []), changes: [change]))
        #expect(wire.deployment == 7 && wire.scheduler == "latency")
        #expect(wire.tunables.first?.value == "2" && wire.tunables.first?.deployed == "4")
        #expect(wire.tunables.first?.spec.unit == "us" && wire.tunables.first?.spec.max == "9")
        #expect(wire.hints.first?.key == "a.slice" && wire.hints.first?.nanoseconds == 6)
        #expect(wire.hasLayers && wire.layers.layers.count == 1)
        #expect(wire.changes.first?.number == 3 && wire.changes.first?.actorUser == "alice")
        #expect(wire.changes.first?.changes == ["slice_us 4 -> 2", "hint process:a none -> none"])
    }

    @Test func aViewBecomesItsMessage() {
        var view = MachineView(
            at: 5, nanoseconds: 500, kernel: KernelState(supported: true, state: "enabled"), owner: .foreign,
            record: nil)
        view.cpus = [.init(cpu: 3, busy: 0.5, llc: 1, queued: 2)]
        view.queues = [.init(name: "shared", id: 9, tasks: 4)]
        view.waits = WaitHistogram(counts: [0, 0, 98, 0, 2])
        view.counters = [.init(name: "kept", total: 7, perSecond: 1.5, unit: "slices", description: "d")]
        view.missing = ["layers: none"]
        let wire = WireView(view, release: "7.3", missingKernel: ["x"])
        #expect(wire.at == 5 && wire.intervalNanoseconds == 500 && !wire.hasDeployment && !wire.hasLayers)
        #expect(wire.kernel.owner == .foreign && wire.kernel.release == "7.3")
        #expect(wire.cpus.first?.cpu == 3 && wire.cpus.first?.busy == 0.5 && wire.cpus.first?.queued == 2)
        #expect(wire.queues.first?.name == "shared" && wire.queues.first?.tasks == 4)
        #expect(wire.waits.counts == [0, 0, 98, 0, 2])
        // The upper ends of their buckets.
        #expect(wire.waits.p50Nanoseconds == 8 && wire.waits.p99Nanoseconds == 32)
        #expect(wire.counters.first?.perSecond == 1.5 && wire.missing == ["layers: none"])
    }

    @Test func aHistogramIsOfWhatCameSince() {
        let earlier = WaitHistogram(counts: [1, 2, 3])
        #expect(WaitHistogram(counts: [4, 2, 9]).since(earlier).counts == [3, 0, 6])
        #expect(WaitHistogram(counts: [0, 5, 1, 8]).since(earlier).counts == [0, 3, 0, 8])
        #expect(WaitHistogram(counts: []).quantile(0.99) == 0)
        #expect(WaitHistogram(counts: [UInt64](repeating: 0, count: 40)).quantile(0.5) == 0)
        #expect(WaitHistogram(counts: [UInt64](repeating: 0, count: 39) + [1]).quantile(1) == 1 << 40)
    }
}
