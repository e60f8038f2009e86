import Foundation
import Model
import SwiftProtobuf
import Wire

/// Hits as people and as programs read them.
enum SearchText {
    static func hits(_ hits: [WireSearchHit]) -> String { hits.map(hit).joined(separator: "\n\n") }

    private static func hit(_ hit: WireSearchHit) -> String {
        let key = Terminal.styled(Terminal.oneLine("\(hit.name)@\(hit.version)"), .bold)
        var lines = ["\(key)  \(status(hit.status)) \(Terminal.oneLine(hit.kind))  score \(number(hit.score))"]
        lines.append(Text.wrapped(Terminal.oneLine(hit.summary), indent: 2))
        let why = hit.why.isEmpty ? hit.terms.joined(separator: ", ") : hit.why
        if !why.isEmpty { lines.append(item("why", why)) }
        lines += hit.measured.prefix(shownOutcomes).map { item("measured", outcome($0)) }
        if hit.measured.count > shownOutcomes {
            lines.append(item("", "and \(hit.measured.count - shownOutcomes) more (--json)"))
        }
        if hit.measured.isEmpty { lines.append(item("measured", "nothing yet")) }
        return lines.joined(separator: "\n")
    }

    private static let shownOutcomes = 3

    private static func item(_ name: String, _ text: String) -> String {
        let title = name.padding(toLength: 10, withPad: " ", startingAt: 0)
        return "  " + Terminal.styled(title, .dim) + Text.wrapped(Terminal.oneLine(text), indent: 12).dropFirst(12)
    }

    private static func status(_ status: String) -> String {
        switch status {
        case "proven": Terminal.styled(status, .green)
        case "deprecated": Terminal.styled(status, .red)
        default: Terminal.oneLine(status)
        }
    }

    private static func number(_ value: Double) -> String { String(format: "%.3f", value) }

    /// As `makespan -20 % (-24 to -16), better than default; batch, 12 runs each, lab, kernel 6.12`.
    static func outcome(_ it: WireOutcome) -> String {
        let effect = Effect(
            metric: it.metric, better: it.better == "higher" ? .higher : .lower, ratio: it.ratio, low: it.low,
            high: it.high, runs: Int(it.runs))
        let verdict =
            switch effect.direction {
            case .better: "better than"
            case .worse: "worse than"
            case .unclear: "no clear difference to"
            }
        return
            "\(it.metric) \(change(it.ratio)) % (\(change(it.low)) to \(change(it.high))), \(verdict) \(it.baseline); "
            + "\(it.workload.workloadClass), \(it.runs) runs each, \(it.origin), kernel \(it.kernel)"
    }

    /// A ratio as a change in per cent.
    private static func change(_ ratio: Double) -> String {
        let percent = (ratio - 1) * 100
        let text = String(format: abs(percent) < 9.95 ? "%+.1f" : "%+.0f", percent)
        return text == "-0.0" ? "+0.0" : text
    }

    /// protobuf's mapping leaves out what has its default; here `hits` and each `score` are always there.
    static func json(_ reply: WireSearchReply) -> String {
        let hits = reply.hits.map { hit in
            var rest = hit
            rest.score = 0
            let fields = CommonOptions.json(rest).dropFirst().dropLast()
            let score = hit.score.isFinite ? hit.score : 0
            return "{\"score\":\(score)" + (fields.isEmpty ? "" : ",") + fields + "}"
        }
        var rest = reply
        rest.hits = []
        let fields = CommonOptions.json(rest).dropFirst().dropLast()
        return "{\"hits\":[\(hits.joined(separator: ","))]" + (fields.isEmpty ? "" : ",") + fields + "}"
    }
}
