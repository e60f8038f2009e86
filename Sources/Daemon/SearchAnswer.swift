import Model
import Search
import Wire

extension WireSearchReply {
    init(_ result: SearchResult) {
        self.init()
        wordsOnly = result.wordsOnly ?? ""
        var budget = AnswerBudget()
        hits = budget.prefix(result.hits.lazy.map(WireSearchHit.init))
    }

    init(_ found: [ProfileHit]) {
        self.init()
        var budget = AnswerBudget()
        hits = budget.prefix(found.lazy.map(WireSearchHit.init))
    }
}

extension WireSearchHit {
    init(_ hit: SearchHit) {
        self.init(hit.record, score: hit.score, measured: hit.measured)
        why = hit.why
        terms = hit.terms
        nearest = hit.sentence?.text ?? ""
        similarity = hit.similarity ?? 0
    }

    private static let mostMeasured = 5

    init(_ hit: ProfileHit) {
        self.init(hit.record, score: hit.score, measured: hit.near.prefix(Self.mostMeasured).map(\.outcome))
        guard let nearest = hit.near.first else { return }
        similarity = nearest.profileSimilarity * nearest.machineSimilarity
        let times = hit.near.count == 1 ? "measured once" : "measured \(hit.near.count) times"
        why =
            "\(times) under workloads like this one; the most like it: workload \(Self.hundredths(nearest.profileSimilarity)), "
            + "machine \(Self.hundredths(nearest.machineSimilarity)), \(nearest.outcome.effect.metric) "
            + "\(Self.hundredths(nearest.outcome.effect.gain)) times as good"
    }

    /// As 0.93, without a locale.
    private static func hundredths(_ value: Double) -> String {
        let rounded = Int((min(max(value, 0), 1e6) * 100).rounded())
        let rest = rounded % 100
        return "\(rounded / 100)." + (rest < 10 ? "0" : "") + "\(rest)"
    }
}
