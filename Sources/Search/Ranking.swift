import Foundation
import Model

/// How an entry's words and sentences become one number. The figures were chosen with the tuned half of
/// Tests/search/queries.tsv; scripts/test search tells how they do on the other half.
struct Ranking: Hashable, Sendable {
    var texts = TextWeights.standard
    /// The part of what all entries have in common that is taken away from every sentence.
    var common: Float = 0.8
    /// How much the best match by words adds to a cosine.
    var words: Float = 0.1
    /// The part of the mean of the three nearest sentences; the rest is the nearest.
    var breadth: Float = 0.7
    /// How much is taken away for each unit by which what an entry is not for is nearer than what it is for.
    var unwanted: Float = 0.25
    /// For a piece of code where one is asked for, and against it where not.
    var kind: Float = 0.1

    static let standard = Ranking()

    /// From sentences alone: about a cosine.
    func similarity(_ nearness: Nearness) -> Float {
        let best = nearness.wanted.sorted(by: >).prefix(3)
        guard let nearest = best.first else { return 0 }
        let mean = best.reduce(0, +) / Float(best.count)
        let excess = max(0, (nearness.unwanted.max() ?? -1) - nearest)
        return nearest * (1 - breadth) + mean * breadth - unwanted * excess
    }

    /// From words alone: 1 for the best match of this question, less for others.
    func match(_ match: TextMatch, best: Double) -> Float {
        best > 0 ? Float(max(0, match.score) / best) : 0
    }

    func score(_ means: SearchQuery.Means, similarity: Float, match: Float) -> Float {
        switch means {
        case .words: match
        case .sentences: similarity
        case .hybrid: similarity + words * match
        }
    }

    /// Who looks for a scheduler rarely means a part of one, and the other way round.
    func preference(for entry: EntryKind, asksForCode: Bool) -> Float {
        (entry == .primitive) == asksForCode ? kind : -kind
    }

    /// What was measured and verified speaks for or against an entry, within ±0.15: among answers that fit about equally well
    /// it decides, and an answer to another question it does not bring up.
    static func history(_ status: EntryStatus, _ outcomes: [Outcome]) -> Float {
        let base: Float =
            switch status {
            case .proven: 0.03
            case .verified: 0.015
            case .candidate: 0
            case .deprecated: -0.1
            }
        let gains = outcomes.filter(\.origin.isEvidence).map { sureGain($0.effect) }
        guard !gains.isEmpty else { return base }
        // Few measurements say less.
        let trust = Double(gains.count) / Double(gains.count + 3)
        let mean = gains.reduce(0, +) / Double(gains.count)
        return base + Float(0.05 * trust * max(-1, min(1, mean)))
    }

    /// log2 of the gain at that end of the interval which is nearer to no effect; 0 where the interval holds it.
    static func sureGain(_ effect: Effect) -> Double {
        let ends = [effect.low, effect.high].map { effect.better == .higher ? $0 : 1 / $0 }
        guard let least = ends.min(), let most = ends.max(), least > 0, most.isFinite else { return 0 }
        if least > 1 { return log2(least) }
        return most < 1 ? log2(most) : 0
    }
}
