import Linux

/// Jobs that end.
enum Batches {
    /// CPU time of a short and of the long job, microseconds, and the number of short ones.
    static let (short, long, jobs) = (30_000, 900_000, 39)

    /// Short jobs and a long one in the middle of them, all ready at once.
    static func batch(_ stage: Stage) -> [Figure]? {
        let scale = Double(stage.percent) / 100 * stage.speed
        for index in 0...jobs {
            let isLong = index == jobs / 2
            let pieces = Double(isLong ? long : short) / 1000
            let piece = Int(1000 * scale)
            stage.worker(isLong ? "job-long" : "job-short") { slot in
                for _ in 0..<Int(pieces) { Work.grind(piece) }
            }
        }
        guard let ends = stage.waitForAll(limit: 60) else { return nil }
        let last = ends.max() ?? 0
        return [
            Figure("makespan", Double(last)),
            Figure("turnaround", ends.reduce(0.0) { $0 + Double($1) } / Double(ends.count)),
        ]
    }
}
