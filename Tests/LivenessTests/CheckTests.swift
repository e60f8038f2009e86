import BPFObject
import Model
import Testing

@testable import Liveness

/// Each check on the smallest scheduler that fulfils it, and on one that does not.
@Suite(.timeLimit(.minutes(5)))
struct CheckTests {
    private func analyse(
        enqueue: (inout Assembler) -> Void, dispatch: ((inout Assembler) -> Void)? = nil,
        initialise: ((inout Assembler) -> Void)? = nil
    ) -> AnalysisResult {
        let code = Assembler.make {
            $0.argument(0, into: 6)
            $0.argument(1, into: 7)
            enqueue(&$0)
        }
        var operations = [("enqueue", code)]
        let standard = Assembler.serving(0)
        operations.append(("dispatch", dispatch.map { Assembler.make($0) } ?? standard[0].1))
        operations.append(("init", initialise.map { Assembler.make($0) } ?? standard[1].1))
        return Liveness.analyse(Assembler.object(operations))
    }

    private func insertInto(_ queue: UInt64, slice: Int32 = 20_000_000) -> (inout Assembler) -> Void {
        {
            $0.insert(task: 6, queue: queue, slice: slice)
            $0.leave()
        }
    }

    private func serve(_ queues: Int32...) -> (inout Assembler) -> Void {
        {
            for queue in queues {
                $0.set(1, queue)
                $0.call("scx_bpf_dsq_move_to_local")
                // If a task was found, that is all.
                $0.jump(0x15, 0, 0, over: 1)
                $0.leave()
            }
            $0.leave()
        }
    }

    private func create(_ queues: Int32...) -> (inout Assembler) -> Void {
        {
            for queue in queues {
                $0.set(1, queue)
                $0.set(2, -1)
                $0.call("scx_bpf_create_dsq")
                $0.jump(0x16, 0, 0, over: 1)
                $0.leave()
            }
            $0.leave(0)
        }
    }

    @Test func aQueueThatWasNeverCreated() {
        let result = analyse(enqueue: insertInto(7), dispatch: serve(7))
        #expect(result.findings("unknown-dsq").count == 2)
    }

    @Test func aQueueThatIsNeverServed() {
        let result = analyse(enqueue: insertInto(1), dispatch: serve(0), initialise: create(0, 1))
        #expect(result.findings("unconsumed-dsq").count == 1)
        #expect(result.verdict("unknown-dsq") == .proved)
    }

    @Test func aQueueThatIsCreatedTwice() {
        #expect(analyse(enqueue: insertInto(0), initialise: create(0, 0)).verdict("created-twice") == .refuted)
        #expect(analyse(enqueue: insertInto(0), initialise: create(0, 1)).verdict("created-twice") == .proved)
    }

    @Test func anErrorThatInitIgnores() {
        let ignoring = analyse(
            enqueue: insertInto(0),
            initialise: {
                $0.set(1, 0)
                $0.set(2, -1)
                $0.call("scx_bpf_create_dsq")
                $0.leave(0)
            })
        #expect(ignoring.verdict("init-ignored-error") == .refuted)
        #expect(analyse(enqueue: insertInto(0)).verdict("init-ignored-error") == .proved)
        #expect(analyse(enqueue: insertInto(0), initialise: create(0)).verdict("init-ignored-error") == .proved)
    }

    @Test func twoOrdersInOneQueue() {
        let result = analyse(enqueue: {
            $0.jump(0x15, 7, 0, over: 7)
            $0.insert(task: 6, queue: 0)
            $0.leave()
            $0.helper(5)
            $0.move(4, 0)
            $0.move(1, 6)
            $0.set(2, 0)
            $0.set(3, 20_000_000)
            $0.set(5, 0)
            $0.call("scx_bpf_dsq_insert_vtime")
            $0.leave()
        })
        #expect(result.verdict("mixed-order") == .refuted)
        #expect(result.verdict("lost-task") == .proved)
        #expect(result.verdict("ageing-broken") == .proved)
    }

    @Test func aKeyInAQueueOfTheKernels() {
        let result = analyse(enqueue: {
            $0.helper(5)
            $0.move(4, 0)
            $0.move(1, 6)
            $0.setWide(2, Assembler.local)
            $0.set(3, 20_000_000)
            $0.set(5, 0)
            $0.call("scx_bpf_dsq_insert_vtime")
            $0.leave()
        })
        #expect(result.verdict("vtime-builtin") == .refuted)
    }

    @Test func aQueueThatWaitsForAnotherToBeEmpty() {
        let either: (inout Assembler) -> Void = {
            $0.jump(0x15, 7, 0, over: 7)
            $0.insert(task: 6, queue: 0)
            $0.leave()
            $0.insert(task: 6, queue: 1)
            $0.leave()
        }
        #expect(
            analyse(enqueue: either, dispatch: serve(0, 1), initialise: create(0, 1)).verdict("strict-priority")
                == .refuted)
        // By turns, as the clock says.
        let turns: (inout Assembler) -> Void = {
            $0.helper(5)
            $0.jump(0x45, 0, 1, over: 9)
            $0.set(1, 0)
            $0.call("scx_bpf_dsq_move_to_local")
            $0.jump(0x15, 0, 0, over: 1)
            $0.leave()
            $0.set(1, 1)
            $0.call("scx_bpf_dsq_move_to_local")
            $0.leave()
            $0.leave()
            $0.set(1, 1)
            $0.call("scx_bpf_dsq_move_to_local")
            $0.jump(0x15, 0, 0, over: 1)
            $0.leave()
            $0.set(1, 0)
            $0.call("scx_bpf_dsq_move_to_local")
            $0.leave()
        }
        #expect(
            analyse(enqueue: either, dispatch: turns, initialise: create(0, 1)).verdict("strict-priority") == .proved)
    }

    @Test func slices() {
        #expect(analyse(enqueue: insertInto(0, slice: 0)).verdict("slice") == .refuted)
        #expect(analyse(enqueue: insertInto(0, slice: -1)).verdict("slice") == .refuted)
        #expect(analyse(enqueue: insertInto(0)).verdict("slice") == .proved)
    }

    @Test func aCPUThatWasNotFound() {
        func kick(tested: Bool) -> AnalysisResult {
            analyse(enqueue: {
                $0.insert(task: 6, queue: 0)
                $0.set(2, 0)
                $0.move(1, 6)
                $0.call("scx_bpf_pick_idle_cpu")
                if tested { $0.jump(0xC6, 0, 0, over: 3) }
                $0.emit(0xBC, dst: 1, src: 0)
                $0.set(2, 0)
                $0.call("scx_bpf_kick_cpu")
                $0.leave()
            })
        }
        #expect(kick(tested: false).verdict("cpu-range") == .refuted)
        #expect(kick(tested: true).verdict("cpu-range") == .proved)
    }

    @Test func aTaskOnACPUThatNobodyTested() {
        let local: UInt64 = 3 << 62
        #expect(analyse(enqueue: insertInto(local | 3)).verdict("affinity") == .refuted)
    }

    /// Cids are small numbers too, and no CPUs': nothing is proved of them, and nothing refuted.
    @Test func placesAreNoCPUs() {
        let local: UInt64 = 3 << 62
        let enqueue = Assembler.make {
            $0.argument(0, into: 6)
            $0.insert(task: 6, queue: local | 9000)
            $0.set(1, 9000)
            $0.set(2, 0)
            $0.call("scx_bpf_kick_cid")
            $0.leave()
        }
        var object = Assembler.object([("enqueue", enqueue), ("select_cid", Assembler.make { $0.leave(-1) })])
        #expect(Liveness.analyse(object).verdict("cpu-range") == .refuted)
        object.tables[0].type = "sched_ext_ops_cid"
        let result = Liveness.analyse(object)
        #expect(result.verdict("cpu-range") == .unknown && result.verdict("affinity") == .unknown)
        #expect(result.verdict("lost-task") == .proved && result.verdict("select-cpu-only") == .proved)
    }

    @Test func whatMayBeNull() {
        func dispatch(tested: Bool) -> AnalysisResult {
            analyse(
                enqueue: insertInto(0),
                dispatch: {
                    $0.argument(1, into: 6)
                    if tested { $0.jump(0x15, 6, 0, over: 1) }
                    $0.emit(0x79, dst: 7, src: 6, offset: 16)
                    $0.set(1, 0)
                    $0.call("scx_bpf_dsq_move_to_local")
                    $0.leave()
                })
        }
        #expect(dispatch(tested: false).verdict("maybe-null") == .refuted)
        #expect(dispatch(tested: true).verdict("maybe-null") == .proved)
    }

    @Test func aTaskThatIsKeptWhereNobodyLooks() {
        let queue = MapDefinition(
            name: "waiting", role: .declared, section: ".maps", type: MapType.queue, valueSize: 8, maxEntries: 64)
        let code = Assembler.make {
            $0.argument(0, into: 6)
            $0.emit(0x7B, dst: 10, src: 6, offset: -8)
            $0.map(1, 0)
            $0.move(2, 10)
            $0.add(2, -8)
            $0.set(3, 0)
            $0.helper(87)
            $0.jump(0x15, 0, 0, over: 6)
            $0.insert(task: 6, queue: 0)
            $0.leave()
        }
        let result = Liveness.analyse(
            Assembler.object([("enqueue", code)] + Assembler.serving(0), maps: [queue]))
        #expect(result.findings("lost-task").first?.message.contains("waiting") == true)
        #expect(result.verdict("insert-after-handoff") == .proved)
    }
}
