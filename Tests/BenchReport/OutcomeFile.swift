/// A row in the form that `schedctl repo record` takes: the message Outcome of schedcp.proto as JSON.
package struct OutcomeFile: Encodable, Hashable, Sendable {
    package struct Workload: Encodable, Hashable, Sendable {
        package var workloadClass: String
        package var goal: String
    }

    package struct Machine: Encodable, Hashable, Sendable {
        package var architecture: String
        package var cpus: Int
        /// The lab always is.
        package var virtual = true
    }

    package var id, entry, kernel, metric, better, baseline, trial: String
    package var ratio, low, high: Double
    package var runs: Int
    package var workload: Workload
    package var machine: Machine

    /// nil for a row without an interval, or with one that is too wide for an outcome.
    /// - Parameter trial: names the run of the bench.
    package init?(_ row: Row, version: String, trial: String, cpus: Int, kernel: String, architecture: String) {
        guard let low = row.low, let high = row.high, low >= 1e-6, high <= 1e6, row.pairs > 1 else { return nil }
        id = "\(trial)-\(row.scheduler)-\(row.load)-\(row.metric.name)"
        guard id.utf8.count <= 64 else { return nil }
        entry = "\(row.scheduler)@\(version)"
        metric = row.metric.name
        better = row.metric.higherIsBetter ? "higher" : "lower"
        baseline = "default"
        (ratio, runs) = (row.ratio, row.pairs)
        (self.low, self.high) = (low, high)
        (self.kernel, self.trial) = (kernel, trial)
        let known = LoadCase.all.first { $0.name == row.load }
        workload = Workload(workloadClass: known?.workloadClass ?? row.load, goal: "the bench's load \(row.load)")
        machine = Machine(architecture: architecture, cpus: cpus)
    }
}
