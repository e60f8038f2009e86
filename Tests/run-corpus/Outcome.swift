import FoundationEssentials
import Model
import Verifier

/// What became of one scheduler of the corpus.
struct Outcome: Sendable {
    var entry: Case
    /// What the verifier said; nil where it threw, and `trouble` says why.
    var report: VerificationReport?
    var trouble = ""

    /// The stage that refused it.
    var refusedBy: VerificationStage? { report?.stages.first { $0.verdict == .failed }?.stage }

    /// The checks whose findings refused it, without repetition.
    var checks: [String] {
        let errors = report?.findings.filter { $0.severity == .error }.map(\.check) ?? []
        return errors.enumerated().filter { !errors.prefix($0.offset).contains($0.element) }.map(\.element)
    }

    /// Nothing was said: a stage that had to be done could not be.
    var isUndecided: Bool { refusedBy == nil && report?.verdict != .passed }

    /// Whether a refusal of the planted flaw names the right check.
    var namesCheck: Bool {
        switch entry.expectation {
        case .flawed(let mark): checks.contains { mark.checks.contains($0) }
        case .refused(let wanted): wanted.isEmpty || checks.contains { wanted.contains($0) }
        case .accepted, .anything: true
        }
    }

    /// Whether the static stage shows the planted line: as the finding's place, or on the path to it.
    var showsLine: Bool {
        guard case .flawed(let mark) = entry.expectation, let report else { return false }
        let isRight = { (place: SourceLocation?) in
            guard let place, place.file.hasSuffix(entry.candidate.name) else { return false }
            return mark.lines.contains(place.line)
        }
        return report.findings.contains { finding in
            finding.stage == .static && finding.severity == .error && mark.checks.contains(finding.check)
                && (isRight(finding.location) || finding.path.contains { isRight($0.location) })
        }
    }

    /// As expected, with the stages that were run. A flaw for a later stage is no miss where only the first ones ran.
    func isAsExpected(staticOnly: Bool) -> Bool {
        if isUndecided { return false }
        switch entry.expectation {
        case .anything: return true
        case .accepted: return refusedBy == nil
        case .refused: return refusedBy == nil ? staticOnly : namesCheck
        case .flawed(let mark): return refusedBy != nil || (staticOnly && mark.stage > .static)
        }
    }

    /// For people, as it happens.
    var line: String {
        let verdict: String
        if let stage = refusedBy {
            verdict =
                "refused by \(stage.rawValue): \(checks.joined(separator: ", "))" + (showsLine ? ", right line" : "")
        } else if isUndecided {
            let stage = report?.stages.first { $0.verdict == .unable }
            let log = stage?.log.split(separator: "\n").suffix(3).joined(separator: "; ") ?? ""
            verdict = "undecided by \(stage?.stage.rawValue ?? "verifier"): \(trouble.isEmpty ? log : trouble)"
        } else {
            verdict = "passed"
        }
        var wanted = ""
        if case .flawed(let mark) = entry.expectation, refusedBy != mark.stage || !namesCheck {
            wanted = "; planted: \(mark.checks.joined(separator: " or ")) for \(mark.stage.rawValue)"
        }
        return "\(entry.origin.rawValue)/\(entry.name): \(verdict)\(wanted)"
    }

    func json() throws -> String {
        struct Stage: Encodable {
            var stage: String
            var verdict: String
            var milliseconds: Int64
            /// The end of what a stage left that did not pass.
            var log: String
        }
        struct Row: Encodable {
            var origin: String
            var name: String
            var planted: [String]
            var plantedStage: String
            var plantedLine: Int
            var refusedBy: String
            var checks: [String]
            var rightLine: Bool
            var findings: [Finding]
            var unknown: [CheckOutcome]
            var stages: [Stage]
            var trouble: String
        }
        var mark: Mark?
        if case .flawed(let planted) = entry.expectation { mark = planted }
        let stages = (report?.stages ?? []).map {
            Stage(
                stage: $0.stage.rawValue, verdict: $0.verdict.rawValue, milliseconds: $0.nanoseconds / 1_000_000,
                log: $0.verdict == .passed ? "" : String($0.log.suffix(6000)))
        }
        let row = Row(
            origin: entry.origin.rawValue, name: entry.name, planted: mark?.checks ?? [],
            plantedStage: mark?.stage.rawValue ?? "", plantedLine: mark.map { $0.line + 1 } ?? 0,
            refusedBy: refusedBy?.rawValue ?? "", checks: checks, rightLine: showsLine,
            findings: report?.findings ?? [],
            unknown: report?.stages.flatMap(\.checks).filter { $0.verdict == .unknown } ?? [], stages: stages,
            trouble: trouble)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(row), as: UTF8.self)
    }
}
