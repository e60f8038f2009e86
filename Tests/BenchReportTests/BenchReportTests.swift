import Foundation
import Model
import SwiftProtobuf
import Testing
import Wire

@testable import BenchReport

@Suite struct GuestLineTests {
    @Test func aSampleIsRead() {
        let line = GuestLine("sample wakeup 3 scheduler wakeup_p99 12500.5")
        let sample = GuestLine.Sample(load: "wakeup", pair: 3, isCandidate: true, metric: "wakeup_p99", value: 12500.5)
        #expect(line == .sample(sample))
        #expect(GuestLine("done") == .done)
        #expect(
            GuestLine("failed batch no result under the default")
                == .failed(load: "batch", text: "no result under the default"))
    }

    @Test(arguments: [
        "", "sample", "sample a x default m 1", "sample a 1 other m 1", "sample a 1 default m nan",
        "sample a 1 default m inf",
        "sample a 1 default m -1", "sample a 1 default m 1 2", "done now", "failed", "hello",
    ])
    func anythingElseIsNothing(_ text: String) { #expect(GuestLine(text) == nil) }
}

@Suite struct RowTests {
    private func samples(_ metric: String, _ pairs: [(Double?, Double?)]) -> [GuestLine.Sample] {
        pairs.enumerated().flatMap { index, pair in
            [(pair.0, false), (pair.1, true)].compactMap { value, isCandidate in
                value.map {
                    GuestLine.Sample(load: "load", pair: index, isCandidate: isCandidate, metric: metric, value: $0)
                }
            }
        }
    }

    @Test func theSameRatioInEveryPairHasNoWidth() throws {
        // The machine became slower meanwhile; the ratio did not change.
        let row = try #require(Row.rows("s", samples("throughput", [(100, 120), (50, 60), (25, 30)])).first)
        #expect(abs(row.ratio - 1.2) < 1e-9)
        #expect(row.pairs == 3 && row.verdict == .better)
        #expect(abs(row.standard - 50) < 1e-9)
    }

    @Test func lessIsBetterWhereItIsSo() throws {
        let faster = try #require(Row.rows("s", samples("makespan", [(100, 80), (100, 81), (100, 79)])).first)
        #expect(faster.verdict == .better)
        let slower = try #require(Row.rows("s", samples("throughput", [(100, 80), (100, 81), (100, 79)])).first)
        #expect(slower.verdict == .worse)
    }

    @Test func anIntervalThatHoldsOneIsUnclear() throws {
        let row = try #require(Row.rows("s", samples("throughput", [(100, 120), (100, 90), (100, 105)])).first)
        #expect(row.verdict == .unclear)
        let single = try #require(Row.rows("s", samples("throughput", [(100, 200)])).first)
        #expect(single.verdict == .unclear && single.low == nil)
    }

    @Test func whatLacksASideOrIsZeroIsLeftOut() throws {
        let row = try #require(
            Row.rows("s", samples("throughput", [(100, 110), (100, nil), (0, 5), (100, 110)])).first)
        #expect(row.pairs == 2)
        #expect(Row.rows("s", samples("throughput", [(100, nil)])).isEmpty)
    }

    @Test(arguments: [
        (1.0, 3, "1.000"), (0.0499, 2, "0.05"), (12.345, 1, "12.3"), (-0.5, 1, "-0.5"), (7.0, 0, "7"),
        (1e300, 3, "inf"), (.infinity, 1, "inf"),
    ])
    func digits(_ value: Double, _ count: Int, _ text: String) { #expect(Row.fixed(value, count) == text) }
}

@Suite struct TableTests {
    private let rows = Row.rows(
        "ljf",
        [
            ("batch", "makespan", 100.0, 70.0), ("batch", "makespan", 100, 71),
            ("wakeup", "wakeup_p99", 5_000_000, 9_000_000),
            ("wakeup", "wakeup_p99", 5_000_000, 9_100_000),
        ].enumerated().flatMap { index, one in
            [
                GuestLine.Sample(load: one.0, pair: index, isCandidate: false, metric: one.1, value: one.2),
                GuestLine.Sample(load: one.0, pair: index, isCandidate: true, metric: one.1, value: one.3),
            ]
        })

    @Test func theTableSaysWhereItWinsAndWhereItLoses() {
        let table = Table(rows, purpose: LoadCase.purposes)
        #expect(table.text.contains("<- its purpose"))
        #expect(table.text.contains("5.00 ms"))
        #expect(table.summary.contains("ljf: better at its purpose"))
        #expect(table.summary.contains("worse: wakeup wakeup_p99 1.8"))
        #expect(table.markdown.split(separator: "\n").count == 4)
    }

    @Test func everySchedulerHasAPurposeAmongTheLoads() {
        for (name, purpose) in LoadCase.purposes {
            #expect(LoadCase.loads(for: name, named: []).contains { $0.name == purpose.load }, "\(name)")
            #expect(Metric.all.contains { $0.name == purpose.metric }, "\(name)")
        }
        #expect(LoadCase.loads(for: "compact", named: [], onlyOwn: true).map(\.name) == ["light"])
        #expect(LoadCase.loads(for: "compact", named: []).count == 7)
        #expect(LoadCase.loads(for: "fifo", named: ["light"]).map(\.name) == ["light"])
    }
}

@Suite struct BootTests {
    private func boot(_ pairs: [(candidate: Double, standard: Double)]) -> [GuestLine.Sample] {
        pairs.enumerated().flatMap { pair, values in
            [(true, values.candidate), (false, values.standard)].map {
                GuestLine.Sample(load: "batch", pair: pair, isCandidate: $0, metric: "makespan", value: $1)
            }
        }
    }

    /// Pairs that agree within each boot and not between them: the interval has to show that.
    @Test func anIntervalOverBootsHasOneFigureForEach() throws {
        let boots = [boot([(80, 100), (80, 100), (80, 100)]), boot([(105, 100), (105, 100), (105, 100)])]
        let together = boots.enumerated().flatMap { $1.asOnePair($0) }
        let row = try #require(Row.rows("x", together).first)
        #expect(row.pairs == 2 && abs(row.ratio - (0.8 * 1.05).squareRoot()) < 1e-9)
        #expect(row.verdict == .unclear)
    }

    @Test func itsFigureIsTheGeometricMeanOfWholePairs() throws {
        let one = boot([(1, 4), (4, 4), (0, 4)]).asOnePair(7)
        #expect(one.count == 2 && one.allSatisfy { $0.pair == 7 })
        let row = try #require(Row.rows("x", one).first)
        #expect(abs(row.ratio - 0.5) < 1e-9 && row.pairs == 1 && row.low == nil)
        #expect(boot([(0, 4)]).asOnePair(1).isEmpty)
    }
}

@Suite struct OutcomeFileTests {
    private func row(_ pairs: [(candidate: Double, other: Double)]) throws -> Row {
        try #require(Row.row("cgroupfair", "interactive", Metric.named("response_p99"), pairs))
    }

    private func outcome(_ row: Row) -> OutcomeFile? {
        OutcomeFile(
            row, version: "1.0.0", trial: "bench-1795660000", cpus: 2, kernel: "7.3.4", architecture: "x86_64")
    }

    @Test func itSaysWhatWasMeasured() throws {
        let file = try #require(outcome(try row([(80, 100), (82, 100), (81, 100)])))
        #expect(file.entry == "cgroupfair@1.0.0" && file.better == "lower" && file.runs == 3)
        #expect(file.low <= file.ratio && file.ratio <= file.high)
        #expect(file.workload.workloadClass == "interactive")
        #expect(file.id == "bench-1795660000-cgroupfair-interactive-response_p99")
    }

    @Test func theRepositoryTakesIt() throws {
        let file = try #require(outcome(try row([(80, 100), (82, 100), (81, 100)])))
        let wire = try WireOutcome(jsonUTF8Bytes: try JSONEncoder().encode(file))
        let defaults = OutcomeDefaults(
            entry: try EntryKey(wire.entry), artifact: String(repeating: "0", count: 64),
            machine: MachineShape(architecture: "aarch64", cpus: 64), kernel: "6.12", measuredBy: "test", now: 1)
        let taken = try wire.asReported(defaults)
        #expect(taken.kernel == "7.3.4" && taken.machine.cpus == 2 && taken.machine.isVirtual)
        #expect(taken.effect.ratio == file.ratio && taken.effect.low == file.low && taken.effect.high == file.high)
        #expect(taken.effect.better == .lower && taken.effect.runs == 3 && taken.trial == "bench-1795660000")
        #expect(taken.workload.workloadClass == "interactive")
    }

    @Test func withoutAnIntervalThereIsNone() throws {
        #expect(outcome(try row([(80, 100)])) == nil)
        // Two pairs that say the opposite of one another: no interval that an outcome may have.
        #expect(outcome(try row([(1, 1000), (1000, 1)])) == nil)
    }
}
