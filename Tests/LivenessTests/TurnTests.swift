import BPFObject
import Model
import Testing

@testable import Liveness

/// A counter or a deadline that gives the second of two queues its turn, and what sets it back.
@Suite(.timeLimit(.minutes(5)))
struct TurnTests {
    /// What enqueue does to the place before it inserts into the first queue.
    enum Arrival { case nothing, constant(Int32), sometimes(Int32), time, counted }

    /// The place's address into a register.
    private static func place(_ code: inout Assembler, _ dst: UInt8) {
        code.refer(code.instructions.count, .mapValue(map: 0, offset: 0))
        code.setWide(dst, 0)
    }

    private static func reset(_ code: inout Assembler, to value: Int32) {
        code.set(2, value)
        place(&code, 1)
        code.emit(0x7B, dst: 1, src: 2)
    }

    private static func enqueue(_ first: Arrival, second: Arrival = .nothing) -> Assembler {
        func arrive(_ code: inout Assembler, _ arrival: Arrival) {
            switch arrival {
            case .nothing: break
            case .constant(let value): reset(&code, to: value)
            case .sometimes(let value):
                code.emit(0x79, dst: 8, src: 6, offset: 16)
                code.jump(0x25, 8, 1, over: 4)
                reset(&code, to: value)
            case .time:
                code.helper(5)
                place(&code, 1)
                code.emit(0x7B, dst: 1, src: 0)
            case .counted:
                place(&code, 1)
                code.emit(0x79, dst: 2, src: 1)
                code.add(2, 1)
                code.emit(0x7B, dst: 1, src: 2)
            }
        }
        var other = Assembler()
        arrive(&other, second)
        other.insert(task: 6, queue: 1)
        other.leave()
        return Assembler.make {
            $0.argument(0, into: 6)
            $0.argument(1, into: 7)
            $0.jump(0x15, 7, 0, over: Int16(other.instructions.count))
            arrive(&$0, second)
            $0.insert(task: 6, queue: 1)
            $0.leave()
            arrive(&$0, first)
            $0.insert(task: 6, queue: 0)
            $0.leave()
        }
    }

    private static func move(_ code: inout Assembler, _ queue: Int32) {
        code.set(1, queue)
        code.call("scx_bpf_dsq_move_to_local")
        code.jump(0x15, 0, 0, over: 1)
        code.leave()
    }

    /// In turn queue 1 first; else queue 0, and queue 1 when that is empty. `isTurn` jumps past the 4 slots of that if not.
    private static func dispatch(_ isTurn: (inout Assembler) -> Void) -> Assembler {
        Assembler.make {
            isTurn(&$0)
            move(&$0, 1)
            move(&$0, 0)
            move(&$0, 1)
            $0.leave()
        }
    }

    /// Every `turns`th time.
    private static func counter(_ turns: Int32) -> Assembler {
        dispatch {
            place(&$0, 1)
            $0.emit(0x79, dst: 2, src: 1)
            $0.add(2, 1)
            $0.emit(0x7B, dst: 1, src: 2)
            $0.jump(0xA5, 2, turns, over: 8)
            reset(&$0, to: 0)
        }
    }

    /// When more than `nanoseconds` have passed since the time in the place.
    private static func deadline(_ nanoseconds: Int32) -> Assembler {
        dispatch {
            $0.helper(5)
            place(&$0, 1)
            $0.emit(0x79, dst: 2, src: 1)
            $0.emit(0x1F, dst: 0, src: 2)
            $0.jump(0xB5, 0, nanoseconds, over: 4)
        }
    }

    private func analyse(_ operations: [(String, Assembler)]) -> AnalysisResult {
        var globals = MapDefinition(name: ".bss", role: .zeroed, section: ".bss", type: MapType.array, valueSize: 8)
        globals.variables = [MapDefinition.Variable(name: "turns", type: BTF.TypeID(0), offset: 0, size: 8)]
        let create = Assembler.make {
            for queue: Int32 in 0...1 {
                $0.set(1, queue)
                $0.set(2, -1)
                $0.call("scx_bpf_create_dsq")
                $0.jump(0x16, 0, 0, over: 1)
                $0.leave()
            }
            $0.leave(0)
        }
        return Liveness.analyse(Assembler.object(operations + [("init", create)], maps: [globals]))
    }

    private func analyse(_ arrival: Arrival, _ dispatch: Assembler, second: Arrival = .nothing) -> AnalysisResult {
        analyse([("enqueue", Self.enqueue(arrival, second: second)), ("dispatch", dispatch)])
    }

    @Test func aCounterBoundsTheWait() {
        let result = analyse(.nothing, Self.counter(8))
        #expect(result.findings.filter { $0.severity == .error }.isEmpty)
        #expect(result.verdict("strict-priority") == .proved)
    }

    @Test func aCounterThatEveryArrivalSetsBackDoesNot() {
        let result = analyse(.constant(0), Self.counter(8))
        #expect(result.findings("ageing-broken").count == 1)
        #expect(result.findings("ageing-broken").first?.message.contains("'turns'") == true)
        #expect(result.verdict("strict-priority") == .unknown)
    }

    /// What is set back only now and then, or to where the turn is near, or is not set back but counted.
    @Test func aCounterThatComesToItsEndBoundsTheWait() {
        #expect(analyse(.constant(7), Self.counter(8)).findings("ageing-broken").isEmpty)
        #expect(analyse(.constant(0), Self.counter(1)).findings("ageing-broken").isEmpty)
        #expect(analyse(.sometimes(0), Self.counter(8)).findings("ageing-broken").isEmpty)
        #expect(analyse(.counted, Self.counter(8)).findings("ageing-broken").isEmpty)
        #expect(analyse(.nothing, Self.counter(8), second: .constant(0)).findings("ageing-broken").isEmpty)
    }

    @Test func aDeadlineThatEveryArrivalPutsOffDoesNot() {
        #expect(analyse(.nothing, Self.deadline(50_000_000)).findings("ageing-broken").isEmpty)
        #expect(analyse(.time, Self.deadline(50_000_000)).findings("ageing-broken").count == 1)
        // What is put off with the other queue's arrivals is put off by those who wait.
        #expect(analyse(.nothing, Self.deadline(50_000_000), second: .time).findings("ageing-broken").isEmpty)
    }

    /// A map that an address leads to, but nobody knows which.
    @Test func aPlaceInAnUnknownMapIsNone() {
        let enqueue = Assembler.make {
            $0.argument(0, into: 6)
            $0.set(1, 0)
            $0.set(2, 0)
            $0.helper(1)
            $0.jump(0x55, 0, 0, over: 1)
            $0.leave()
            $0.set(1, 0)
            $0.emit(0x7B, dst: 0, src: 1)
            $0.insert(task: 6, queue: 0)
            $0.leave()
        }
        #expect(analyse([("enqueue", enqueue), ("dispatch", Self.counter(8))]).verdict("lost-task") == .refuted)
    }

    /// Somebody else may move it on.
    @Test func anotherWriterIsTrusted() {
        let tick = Assembler.make {
            Self.reset(&$0, to: 100)
            $0.leave(0)
        }
        let result = analyse([
            ("enqueue", Self.enqueue(.constant(0))), ("dispatch", Self.counter(8)), ("tick", tick),
        ])
        #expect(result.findings("ageing-broken").isEmpty)
    }
}
