import Model
import Verifier

/// What was measured, as a table: the median, and the least and the most.
struct Table {
    let stages: [VerificationStage]
    private var rows: [[String]] = []
    private(set) var hasFailures = false

    init(stages: [VerificationStage]) { self.stages = stages }

    private var titles: [String] {
        ["scheduler", "lines", "", "whole"] + stages.map(\.rawValue) + ["boot", "verdict"]
    }

    mutating func add(_ name: String, lines: Int, _ state: Bench.State, _ samples: [Bench.Sample]) {
        var cells = [name, String(lines), state.rawValue, Self.spread(samples.map(\.nanoseconds))]
        for stage in stages {
            let times = samples.compactMap { sample -> Int64? in
                // An answer from evidence tells the times of the run that it remembers.
                guard !sample.report.isFromEvidence, let report = sample.report.stage(stage),
                    report.verdict != .skipped
                else { return nil }
                return report.nanoseconds
            }
            cells.append(Self.spread(times))
        }
        let boots = samples.filter { !$0.report.isFromEvidence }.flatMap(\.report.stages).flatMap(\.measurements).filter
        {
            $0.name.hasPrefix("boot") && $0.unit == "ns"
        }
        cells.append(Self.spread(boots.map { Int64($0.value) }))
        let bad = samples.first { $0.report.verdict != .passed }?.report
        cells.append(
            bad.map { "\($0.verdict): \($0.findings.first { $0.severity == .error }?.check ?? "")" } ?? "passed")
        if bad != nil { hasFailures = true }
        rows.append(cells)
    }

    var text: String {
        let all = [titles] + rows
        let widths = titles.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    var markdown: String {
        let line = { (cells: [String]) in "| " + cells.joined(separator: " | ") + " |" }
        let rule = titles.indices.map { (1...2).contains($0) || $0 == 0 ? "---" : "---:" }
        return ([line(titles), line(rule)] + rows.map(line)).joined(separator: "\n")
    }

    private static func spread(_ times: [Int64]) -> String {
        let sorted = times.sorted()
        guard let first = sorted.first, let last = sorted.last else { return "" }
        let middle = shown(sorted[sorted.count / 2])
        return sorted.count == 1 ? middle : "\(middle) (\(shown(first))–\(shown(last)))"
    }

    /// With three digits at most, and its unit.
    static func shown(_ nanoseconds: Int64) -> String {
        let (value, unit) =
            nanoseconds >= 1_000_000_000
            ? (Double(nanoseconds) / 1e9, "s")
            : nanoseconds >= 1_000_000 ? (Double(nanoseconds) / 1e6, "ms") : (Double(nanoseconds) / 1e3, "µs")
        let digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
        let scale = digits == 0 ? 1 : digits == 1 ? 10 : 100
        let scaled = Int((value * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        let padding = String(repeating: "0", count: max(0, digits - fraction.count))
        return "\(scaled / scale)" + (digits == 0 ? "" : "." + padding + fraction) + " \(unit)"
    }
}
