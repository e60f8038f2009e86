import BPFObject
import Model
import Testing

@testable import Liveness

@Suite(.timeLimit(.minutes(5)))
struct EngineTests {
    private func enqueue(_ build: (inout Assembler) -> Void) -> AnalysisResult {
        let code = Assembler.make {
            $0.argument(0, into: 6)
            $0.argument(1, into: 7)
            build(&$0)
        }
        return Liveness.analyse(Assembler.object([("enqueue", code)] + Assembler.serving(0)))
    }

    @Test func aTaskThatIsInsertedOnEveryPathIsNotLost() {
        let result = enqueue {
            $0.jump(0x15, 7, 0, over: 7)
            $0.insert(task: 6, queue: 0)
            $0.leave()
            $0.insert(task: 6, queue: Assembler.local)
            $0.leave()
        }
        #expect(result.findings.isEmpty)
        #expect(result.verdict("lost-task") == .proved)
        #expect(result.verdict("double-insert") == .proved)
        #expect(result.verdict("unconsumed-dsq") == .proved)
        #expect(result.verdict("unknown-dsq") == .proved)
    }

    @Test func aTaskThatIsLeftOutIsFoundWithItsPath() throws {
        let result = enqueue {
            $0.jump(0x15, 7, 5, over: 6)
            $0.insert(task: 6, queue: 0)
            $0.leave()
        }
        let finding = try #require(result.findings("lost-task").first)
        #expect(finding.operation == "enqueue")
        #expect(finding.location?.line == 102)
        #expect(finding.path.contains { $0.location.line == 102 })
        #expect(result.verdict("lost-task") == .refuted)
    }

    /// The same condition twice: only two of the four ways exist.
    @Test func branchesThatContradictEachOtherAreNoPath() {
        let result = enqueue {
            $0.jump(0x25, 7, 9, over: 6)
            $0.insert(task: 6, queue: 0)
            $0.jump(0xB5, 7, 9, over: 6)
            $0.insert(task: 6, queue: Assembler.local)
            $0.leave()
        }
        #expect(result.verdict("lost-task") == .proved)
        #expect(result.verdict("double-insert") == .proved)
    }

    @Test func aSecondInsertIsFound() throws {
        let result = enqueue {
            $0.insert(task: 6, queue: 0)
            $0.jump(0x15, 7, 0, over: 6)
            $0.insert(task: 6, queue: 0)
            $0.leave()
        }
        #expect(result.findings("double-insert").count == 1)
    }

    @Test func aSubprogramIsFollowed() {
        let part = Assembler.make {
            $0.move(6, 1)
            $0.insert(task: 6, queue: 0)
            $0.leave(0)
        }
        let code = Assembler.make {
            $0.argument(0, into: 6)
            $0.move(1, 6)
            $0.call(function: 3)
            $0.leave()
        }
        let result = Liveness.analyse(
            Assembler.object([("enqueue", code)] + Assembler.serving(0), subprograms: [part]))
        #expect(result.verdict("lost-task") == .proved)
    }

    /// for (i = 0; i < 1000; i++) if (random) { insert; return; } and nothing behind the loop.
    @Test func aLongLoopIsNeverProved() {
        let result = enqueue {
            $0.set(8, 0)
            $0.helper(7)
            $0.jump(0x55, 0, 0, over: 7)
            $0.insert(task: 6, queue: 0)
            $0.leave()
            $0.add(8, 1)
            $0.jump(0xA5, 8, 1000, over: -11)
            $0.leave()
        }
        #expect(result.verdict("lost-task") != .proved)
    }

    /// A loop without decisions in it, of more rounds than are followed one by one.
    @Test func aLoopThatOnlyCountsEnds() {
        let result = enqueue {
            $0.set(8, 0)
            $0.add(8, 1)
            $0.jump(0xA5, 8, 100_000, over: -2)
            $0.insert(task: 6, queue: 0)
            $0.leave()
        }
        #expect(result.verdict("lost-task") == .proved)
    }

    /// Two rounds, each with a number of its own: that the first was 0 says nothing of the second.
    @Test func valuesOfDifferentRoundsAreDifferent() {
        let result = enqueue {
            $0.set(8, 0)
            $0.helper(7)
            $0.jump(0x15, 8, 1, over: 2)
            $0.jump(0x55, 0, 0, over: 4)
            $0.jump(over: 1)
            $0.jump(0x55, 0, 0, over: 9)
            $0.add(8, 1)
            $0.jump(0xA5, 8, 2, over: -7)
            $0.insert(task: 6, queue: 0)
            $0.leave()
            $0.leave()
        }
        #expect(result.verdict("lost-task") == .refuted)
    }

    @Test func aBudgetThatIsTooSmallProvesNothing() {
        let code = Assembler.make {
            $0.argument(0, into: 6)
            for _ in 0..<12 {
                $0.helper(7)
                $0.jump(0x15, 0, 0, over: 1)
                $0.add(7, 1)
            }
            $0.insert(task: 6, queue: 0)
            $0.leave()
        }
        var options = AnalysisOptions()
        options.budget.steps = 30
        let result = Liveness.analyse(Assembler.object([("enqueue", code)] + Assembler.serving(0)), options: options)
        #expect(result.verdict("lost-task") == .unknown)
        #expect(result.outcomes.first { $0.check == "lost-task" }?.reason.contains("not every path") == true)
    }

    /// Twenty decisions that leave nothing behind are forty paths, not a million.
    @Test func decisionsThatLeaveNothingBehindAreForgotten() {
        let code = Assembler.make {
            $0.argument(0, into: 6)
            for _ in 0..<20 {
                $0.helper(7)
                $0.jump(0x15, 0, 0, over: 1)
                $0.set(0, 1)
            }
            $0.insert(task: 6, queue: 0)
            $0.leave()
        }
        let result = Liveness.analyse(Assembler.object([("enqueue", code)] + Assembler.serving(0)))
        #expect(result.verdict("lost-task") == .proved)
        let paths = result.measurements.first { $0.name == "static.paths" && $0.subject.isEmpty }?.value ?? 0
        #expect(paths < 100)
    }

    @Test func theResultIsTheSameEveryTime() {
        let code = Assembler.make {
            $0.argument(0, into: 6)
            for _ in 0..<8 {
                $0.helper(7)
                $0.jump(0x15, 0, 0, over: 1)
                $0.add(7, 1)
            }
            $0.jump(0x15, 7, 3, over: 6)
            $0.insert(task: 6, queue: 0)
            $0.leave()
        }
        let object = Assembler.object([("enqueue", code)] + Assembler.serving(0))
        let first = Liveness.analyse(object)
        for _ in 0..<3 {
            let again = Liveness.analyse(object)
            #expect(again.findings == first.findings && again.outcomes == first.outcomes)
            #expect(again.measurements == first.measurements)
        }
    }

    @Test func aCheckThatIsOffSaysNothing() {
        let code = Assembler.make { $0.leave() }
        let result = Liveness.analyse(
            Assembler.object([("enqueue", code)]), options: AnalysisOptions(disabled: ["lost-task"]))
        #expect(result.verdict("lost-task") == .off)
        #expect(result.findings("lost-task").isEmpty)
    }
}
