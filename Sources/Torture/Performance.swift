import Glibc
import GuestProtocol
import Kernel
import Linux
import Model

/// Ratios of pairs that were measured one after the other, so that what drifts slowly falls out.
package enum PairedRatio {
    /// Student's t for 95 %, by degrees of freedom from 1 on; the last one holds for more.
    private static let quantiles = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228]

    /// The geometric mean of candidate / other and its 95 % interval (t on the logarithms); nil where a pair is not of
    /// positive numbers or there is none. One pair has no interval.
    package static func estimate(
        _ pairs: [(candidate: Double, other: Double)]
    ) -> (value: Double, low: Double?, high: Double?)? {
        guard !pairs.isEmpty, pairs.allSatisfy({ $0.candidate > 0 && $0.other > 0 }) else { return nil }
        let logs = pairs.map { log($0.candidate / $0.other) }
        let count = Double(logs.count)
        let mean = logs.reduce(0, +) / count
        guard logs.count > 1 else { return (exp(mean), nil, nil) }
        let variance = logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
        let reach = quantiles[min(logs.count - 2, quantiles.count - 1)] * (variance / count).squareRoot()
        return (exp(mean), exp(mean - reach), exp(mean + reach))
    }
}

/// Something that is measured under the candidate and under the default scheduler in turn.
struct Comparison: Sendable {
    let name: String
    let kind: any Load.Type
    let milliseconds: Int
    /// nil where the run gave no figure.
    let figure: @Sendable (Observation) -> Double?

    static let pipes = Comparison(name: "performance.pipes.throughput", kind: PipePairs.self, milliseconds: 150) {
        $0.loaded > 0 ? Double($0.work[1] ?? 0) / Double($0.loaded) : nil
    }
    /// The mean wait of tasks that sleep and wake beside busy ones.
    static let wakeups = Comparison(name: "performance.wakeup.wait", kind: Sleepers.self, milliseconds: 150) { seen in
        seen.figures.first { $0.group == 1 }.flatMap { $0.waits > 0 ? Double($0.total) / Double($0.waits) : nil }
    }
    static let batch = Comparison(name: "performance.batch.makespan", kind: Batch.self, milliseconds: 50) {
        $0.makespan > 0 ? Double($0.makespan) : nil
    }
}

extension Trial {
    /// Measures the candidate beside the default scheduler, in turns: ratios are candidate / default. Each turn loads it
    /// anew, so that none begins with what another left in its maps.
    /// - Throws: what kept it from being attached again.
    func compare() throws(Failure) {
        let isFull = options.effort == .full
        let comparisons: [Comparison] = isFull ? [.pipes, .wakeups, .batch] : [.pipes, .wakeups]
        var pairs: [String: [(candidate: Double, other: Double)]] = [:]
        for _ in 0..<(isFull ? 6 : 3) {
            detach()
            let others = comparisons.map { measure($0, byCandidate: false) }
            try attachFresh()
            for (index, comparison) in comparisons.enumerated() {
                guard let other = others[index], let own = measure(comparison, byCandidate: true) else { continue }
                pairs[comparison.name, default: []].append((own, other))
            }
            guard errors == 0, SchedExt().read().state == "enabled" else {
                throw Failure(.ejected, exitInfo()?.summary ?? "it ended while it was measured")
            }
        }
        for comparison in comparisons {
            guard let ratio = PairedRatio.estimate(pairs[comparison.name] ?? []) else { continue }
            emit(
                .measurement(
                    TrialMeasurement(
                        comparison.name, subject: "candidate / default", value: ratio.value, unit: "ratio",
                        low: ratio.low, high: ratio.high)))
        }
    }

    private func measure(_ comparison: Comparison, byCandidate: Bool) -> Double? {
        let load = comparison.kind.init(tasks: comparison.kind.tasks(cpus: machine.cpus.count))
        let seen = watch(
            load, milliseconds: comparison.milliseconds * (options.effort == .full ? 2 : 1), byCandidate: byCandidate)
        if byCandidate {
            let complaints = self.complaints(of: seen, load).filter(\.isCertainError)
            if isBroken(seen) { recover(seen, keepsDump: true) }
            for complaint in complaints { complain(complaint.violation) }
            if !complaints.isEmpty { return nil }
        } else if isBroken(seen) {
            runner.abandon()
        }
        return comparison.figure(seen)
    }
}
