import Linux

/// Loads of which it counts who gets how much.
enum Shares {
    /// Busy tasks of two nice levels, more than CPUs: each one's share follows its weight.
    static func byNice(_ stage: Stage) -> [Figure]? {
        let each = stage.cpus.count + 1
        let piece = Int(200 * stage.speed)
        for index in 0..<2 * each {
            stage.worker("share", .init(nice: index < each ? 0 : 5)) { Work.hog($0, piece: piece) }
        }
        let span = stage.watch(milliseconds: 1500)
        // The kernel's weights of nice 0 and nice 5.
        let entitled = (0..<2 * each).map { $0 < each ? 1024.0 : 335 }
        return [
            Figure("fairness", max(0.001, Statistics.worstOff(span.cpu, entitled: entitled))),
            Figure("throughput", span.pieces(0..<2 * each) / span.seconds),
        ]
    }

    /// Three layers as the rules that layered comes with see them: a service of few tasks, many of a batch, and more in the
    /// background. Weights 200, 100 and 20.
    static func layers(_ stage: Stage) -> [Figure]? {
        let piece = Int(200 * stage.speed)
        let layers: [(nice: CInt, tasks: Int, weight: Double)] = [(-5, 2, 200), (0, 20, 100), (10, 10, 20)]
        for layer in layers {
            for _ in 0..<layer.tasks { stage.worker("layer", .init(nice: layer.nice)) { Work.hog($0, piece: piece) } }
        }
        let span = stage.watch(milliseconds: 1600)
        let times = times(span, of: layers.map(\.tasks))
        return [
            Figure("fairness", max(0.001, Statistics.worstOff(times, entitled: layers.map(\.weight)))),
            Figure("service", span.pieces(0..<layers[0].tasks) / span.seconds),
            Figure("throughput", span.pieces(0..<span.pieces.count) / span.seconds),
        ]
    }

    /// Cgroups of weights that have nothing to do with their number of tasks, one of them with two below it.
    static func cgroups(_ stage: Stage) -> [Figure]? {
        let piece = Int(200 * stage.speed)
        let gold = stage.cgroup("gold", weight: 300)
        let silver = stage.cgroup("silver", weight: 200)
        SystemText.write("+cpu", to: silver + "/cgroup.subtree_control")
        let many = stage.cgroup("silver/many", weight: 100)
        let few = stage.cgroup("silver/few", weight: 300)
        let bronze = stage.cgroup("bronze", weight: 100)
        // The shares of the whole: those of silver's children are a quarter and three quarters of its third.
        let leaves: [(path: String, tasks: Int, share: Double)] = [
            (gold, 3, 0.5), (many, 10, 1.0 / 12), (few, 2, 0.25), (bronze, 8, 1.0 / 6),
        ]
        for leaf in leaves {
            for _ in 0..<leaf.tasks { stage.worker("leaf", .init(cgroup: leaf.path)) { Work.hog($0, piece: piece) } }
        }
        let span = stage.watch(milliseconds: 1600)
        let times = times(span, of: leaves.map(\.tasks))
        return [
            Figure("fairness", max(0.001, Statistics.worstOff(times, entitled: leaves.map(\.share)))),
            Figure("throughput", span.pieces(0..<span.pieces.count) / span.seconds),
        ]
    }

    /// CPU time of groups that follow one another, by how many tasks each has.
    private static func times(_ span: Stage.Span, of groups: [Int]) -> [Double] {
        var begin = 0
        return groups.map { tasks in
            defer { begin += tasks }
            return span.cpu(begin..<begin + tasks)
        }
    }
}
