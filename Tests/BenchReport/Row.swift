import Torture

/// What pairs of measurements say about one scheduler, load and metric.
package struct Row: Hashable, Sendable {
    package enum Verdict: String, Sendable {
        case better, worse, unclear
    }

    package var scheduler: String
    package var load: String
    package var metric: Metric
    package var pairs: Int
    /// Geometric means of both.
    package var standard: Double
    package var candidate: Double
    /// Scheduler / default, with a 95 % interval.
    package var ratio: Double
    package var low: Double?
    package var high: Double?

    package var verdict: Verdict {
        guard let low, let high else { return .unclear }
        if low > 1 { return metric.higherIsBetter ? .better : .worse }
        if high < 1 { return metric.higherIsBetter ? .worse : .better }
        return .unclear
    }

    /// Rows in the order in which loads and metrics first appear. A pair that lacks one side, or has a value of 0, is left
    /// out.
    package static func rows(_ scheduler: String, _ samples: [GuestLine.Sample]) -> [Row] {
        var order: [[String]] = []
        var values: [[String]: [Int: (standard: Double?, candidate: Double?)]] = [:]
        for sample in samples {
            let key = [sample.load, sample.metric]
            if values[key] == nil { order.append(key) }
            if sample.isCandidate {
                values[key, default: [:]][sample.pair, default: (nil, nil)].candidate = sample.value
            } else {
                values[key, default: [:]][sample.pair, default: (nil, nil)].standard = sample.value
            }
        }
        return order.compactMap { key in
            let pairs = (values[key] ?? [:]).sorted { $0.key < $1.key }.compactMap {
                _, pair -> (candidate: Double, other: Double)? in
                guard let candidate = pair.candidate, let standard = pair.standard, candidate > 0, standard > 0 else {
                    return nil
                }
                return (candidate, standard)
            }
            return row(scheduler, key[0], Metric.named(key[1]), pairs)
        }
    }

    package static func row(
        _ scheduler: String, _ load: String, _ metric: Metric, _ pairs: [(candidate: Double, other: Double)]
    ) -> Row? {
        guard let ratio = PairedRatio.estimate(pairs) else { return nil }
        return Row(
            scheduler: scheduler, load: load, metric: metric, pairs: pairs.count,
            standard: mean(pairs.map(\.other)), candidate: mean(pairs.map(\.candidate)), ratio: ratio.value,
            low: ratio.low, high: ratio.high)
    }

    /// The geometric mean, by way of ratios to 1.
    private static func mean(_ values: [Double]) -> Double {
        PairedRatio.estimate(values.map { (candidate: $0, other: 1) })?.value ?? 0
    }

    /// With so many digits after the point; "inf" for what no table has room for.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        guard abs(value) < 1e12 else { return value > 0 ? "inf" : "-inf" }
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let number = Int((abs(value) * scale).rounded())
        let whole = String(number / Int(scale))
        let part = String(number % Int(scale))
        let zeros = String(repeating: "0", count: max(0, digits - part.count))
        return (value < 0 && number > 0 ? "-" : "") + whole + (digits > 0 ? "." + zeros + part : "")
    }
}

extension [GuestLine.Sample] {
    /// Both sides' geometric means over whole pairs, as one pair of this number: pairs of one boot have more in common
    /// than those of several, so that an interval over boots is made of one figure for each.
    package func asOnePair(_ number: Int) -> [GuestLine.Sample] {
        Row.rows("", self).flatMap { row in
            [(true, row.candidate), (false, row.standard)].map { isCandidate, value in
                GuestLine.Sample(
                    load: row.load, pair: number, isCandidate: isCandidate, metric: row.metric.name, value: value)
            }
        }
    }
}
