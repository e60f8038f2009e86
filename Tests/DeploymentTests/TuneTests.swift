import Deployment
import Kernel
import Model
import Repository
import Synchronization
import TestSupport
import Testing

/// What runs is changed: all of it or nothing, written down, and taken back.
@Suite(.timeLimit(.minutes(5))) struct TuneTests {
    @Test func aChangeIsMadeToldAndReadBack() async throws {
        let running = try await Running.start(parameters: [Setting(name: "gap_us", value: "200")])
        let view = try await running.tune {
            $0.settings = [Setting(name: "slice_us", value: "2000"), Setting(name: "gap_us", value: "0x10")]
        }
        #expect(running.tunables == ["slice_us": 2000, "gap_us": 16])
        #expect(running.written == ["gap_us=16 slice_us=2000"])
        #expect(view.tunables.map(\.value.text) == ["2000", "16"])
        // With what it was deployed: what was asked for then, and what the object was compiled with.
        #expect(view.tunables.map(\.deployed.text) == ["5000", "200"])
        #expect(view.changes.first?.lines == ["gap_us 100 -> 16", "slice_us 5000 -> 2000"])
        #expect(view.changes.first?.user.contains("\u{1B}") == false)
        #expect(try await running.states() == [.applied])
        let event = running.parts.events.events(after: 0).last
        #expect(event?.kind == .tuned && event?.message.contains("slice_us 5000 -> 2000") == true)
        #expect(running.parts.witness.lines.last?.kind == .tuned)
        // What is told is what the kernel has, not what was asked for.
        running.live.state.withLock { $0.tunables["slice_us"] = 3333 }
        #expect(try await running.parts.service.tuning().tunables.first?.value.number == 3333)
    }

    static let refused: [([Setting], Failure.Code, String)] = [
        ([Setting(name: "slice_us", value: "999")], .invalidArgument, "between 1000 and 100000 us, not 999"),
        ([Setting(name: "slice_us", value: "100001")], .invalidArgument, "between 1000 and 100000 us"),
        (
            [Setting(name: "gap_us", value: "1"), Setting(name: "slice_us", value: "x")], .invalidArgument,
            "whole number"
        ),
        ([Setting(name: "nothing", value: "1")], .invalidArgument, "no parameter \"nothing\""),
        ([Setting(name: "gap_us", value: "1"), Setting(name: "gap_us", value: "2")], .invalidArgument, "twice"),
        ([], .invalidArgument, "nothing is asked for"),
        ((0..<65).map { Setting(name: "a\($0)", value: "1") }, .tooMany, "64 settings"),
    ]

    @Test(arguments: refused) func whatMayNotBeChangesNothing(
        settings: [Setting], code: Failure.Code, words: String
    ) async throws {
        let running = try await Running.start()
        let failure = await #expect(throws: Failure.self) { _ = try await running.tune { $0.settings = settings } }
        #expect(failure?.code == code)
        #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
        #expect(running.written.isEmpty)
        #expect(try await running.states().isEmpty)
    }

    @Test func aRawObjectHasNothingThatMayBeChanged() async throws {
        let running = try await Running.start(described: false)
        let failure = await #expect(throws: Failure.self) {
            _ = try await running.tune { $0.settings = [Setting(name: "slice_us", value: "2000")] }
        }
        #expect(failure?.code == .invalidArgument && failure?.hint == "it has none")
        #expect(try await running.parts.service.tuning().tunables.isEmpty)
    }

    @Test func anotherDeploymentIsNotTouched() async throws {
        let running = try await Running.start()
        let failure = await #expect(throws: Failure.self) {
            _ = try await running.tune {
                $0.deployment = running.record.id + 1
                $0.settings = [Setting(name: "slice_us", value: "2000")]
            }
        }
        #expect(failure?.code == .notFound && running.written.isEmpty)
        let idle = try Parts(kernel: try FakeKernel(state: "disabled").folder.path)
        let none = await #expect(throws: Failure.self) { _ = try await idle.service.tuning() }
        #expect(none?.code == .nothingDeployed)
    }

    @Test func changesAreTakenBackTheLastOneFirst() async throws {
        let running = try await Running.start()
        for value in ["2000", "3000"] {
            _ = try await running.tune { $0.settings = [Setting(name: "slice_us", value: value)] }
        }
        #expect(try await running.tune { $0.undo = true }.tunables.first?.value.number == 2000)
        #expect(try await running.tune { $0.undo = true }.changes.isEmpty)
        #expect(running.tunables["slice_us"] == 5000)
        #expect(try await running.parts.journal.tuned(running.record.id).isEmpty)
        let failure = await #expect(throws: Failure.self) { _ = try await running.tune { $0.undo = true } }
        #expect(failure?.code == .notFound)
    }

    @Test func resettingBringsBackWhatWasDeployedAndCanBeTakenBack() async throws {
        let running = try await Running.start(parameters: [Setting(name: "slice_us", value: "7000")])
        running.live.state.withLock { $0.tunables["slice_us"] = 7000 }
        _ = try await running.tune {
            $0.settings = [Setting(name: "slice_us", value: "2000"), Setting(name: "gap_us", value: "5")]
            $0.hints = [try Hint(kind: .process, key: "encoder", nanoseconds: 40)]
        }
        let view = try await running.tune { $0.reset = true }
        #expect(view.tunables.map(\.value.number) == [7000, 100] && view.hints.isEmpty)
        #expect(view.changes.count == 2)
        #expect(try await running.tune { $0.undo = true }.tunables.map(\.value.number) == [2000, 5])
        #expect(try await running.parts.service.tuning().hints.map(\.key) == ["encoder"])
        // Where everything is as it was deployed, nothing is written.
        _ = try await running.tune { $0.reset = true }
        let before = running.written
        _ = try await running.tune { $0.reset = true }
        #expect(running.written == before)
    }

    @Test func hintsComeAndGo() async throws {
        let running = try await Running.start()
        let encoder = try Hint(kind: .process, key: "encoder", nanoseconds: 40)
        #expect(try await running.tune { $0.hints = [encoder] }.hints.map(\.nanoseconds) == [40])
        #expect(try await running.tune { $0.forgotten = [encoder] }.hints.isEmpty)
        for forgotten in [encoder, try Hint(kind: .cgroup, key: "a.slice", nanoseconds: 0)] {
            let failure = await #expect(throws: Failure.self) {
                _ = try await running.tune { $0.forgotten = [forgotten] }
            }
            #expect(failure?.code == (forgotten.kind == .process ? .notFound : .invalidArgument))
        }
    }

    @Test func layersAreReplacedAsAWhole() async throws {
        let compiled = LayerTable(
            layers: [.init(weight: 100), .init(weight: 20)], rules: [.init(layer: 1, nice: 5...19)])
        let running = try await Running.start(FakeLive(layers: compiled))
        var new = LayerTable(layers: [.init(weight: 100), .init(weight: 200, guarantee: 300)], rules: [])
        new.rules = [.init(layer: 1, name: "encoder"), .init(layer: 0, threads: 8)]
        #expect(try await running.tune { $0.layers = new }.layers == new)
        new.rules[0].layer = 2
        let failure = await #expect(throws: Failure.self) { _ = try await running.tune { $0.layers = new } }
        #expect(failure?.message.contains("layer 2") == true)
        new.rules[0] = .init(layer: 1, cgroup: "no/such/group")
        await #expect(throws: Failure.self) { _ = try await running.tune { $0.layers = new } }
        #expect(running.written == ["layers"])
        #expect(try await running.tune { $0.reset = true }.layers == compiled)
        let without = try await Running.start()
        let none = await #expect(throws: Failure.self) { _ = try await without.tune { $0.layers = compiled } }
        #expect(none?.code == .invalidArgument)
    }

    @Test func whatCannotBeWrittenWholeIsMadeUndone() async throws {
        // The tunables are written, the hint is not, and then nothing more: the next start has to mend it.
        for writes in [0, 1] {
            let running = try await Running.start(FakeLive { $0.writes = writes })
            await #expect(throws: Failure.self) {
                _ = try await running.tune {
                    $0.settings = [Setting(name: "slice_us", value: "2000")]
                    $0.hints = [try Hint(kind: .process, key: "encoder", nanoseconds: 40)]
                }
            }
            #expect(try await running.states() == [.begun])
            running.live.state.withLock { $0.writes = .max }
            // The next change finds it, and settles it first.
            let view = try await running.tune { $0.settings = [Setting(name: "gap_us", value: "7")] }
            #expect(view.tunables.map(\.value.number) == [5000, 7] && view.hints.isEmpty)
            #expect(try await running.states() == [.applied, .failed])
        }
    }

    @Test(arguments: ["before tune", "after tune"]) func whatFailsOnItsWayIsMadeUndone(place: String) async throws {
        let running = try await Running.start(stops: StopAt(place: place))
        await #expect(throws: Failure.self) {
            _ = try await running.tune { $0.settings = [Setting(name: "slice_us", value: "2000")] }
        }
        #expect(running.tunables["slice_us"] == 5000)
        #expect(try await running.states() == [.failed])
        #expect(running.parts.events.events(after: 0).allSatisfy { $0.kind != .tuned })
        #expect(try await running.parts.service.tuning().changes.isEmpty)
    }

    /// A process that ended in the middle of a change: the kernel says how far it came.
    @Test(arguments: [("5000", "100"), ("2000", "100"), ("2000", "7")])
    func aChangeThatWasCutOffIsSettledByTheNextStart(slice: String, gap: String) async throws {
        let live = FakeLive { state in
            state.tunables = ["slice_us": Int128(slice) ?? 0, "gap_us": Int128(gap) ?? 0]
        }
        let running = try await Running.start(live) { journal, record in
            var before = TuningValues()
            before.tunables = ["slice_us": 5000, "gap_us": 100]
            var after = TuningValues()
            after.tunables = ["slice_us": 2000, "gap_us": 7]
            _ = try await journal.beginTuning(
                TuningChange(deployment: record.id, uid: 1, user: "alice", at: 3, before: before, after: after))
        }
        let isDone = gap == "7"
        #expect(try await running.states() == [isDone ? .applied : .failed])
        #expect(running.tunables == (isDone ? ["slice_us": 2000, "gap_us": 7] : ["slice_us": 5000, "gap_us": 100]))
        let tuned = try await running.parts.journal.tuned(running.record.id)
        #expect(tuned.tunables == (isDone ? ["slice_us": 2000, "gap_us": 7] : [:]))
        #expect(running.parts.events.events(after: 0).map(\.kind) == [.tuned, .adopted])
        if isDone { #expect(try await running.tune { $0.undo = true }.tunables.first?.value.number == 5000) }
    }
}
