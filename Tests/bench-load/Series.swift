import Linux
import Model

/// All loads of a plan, each one under the default scheduler and under the candidate in turn.
struct Series {
    let plan: Plan

    func run() throws {
        SystemText.write("1", to: "/proc/sys/kernel/sched_schedstats")
        let stage = try Stage()
        let candidate = try Candidate(path: plan.objects[0].path, settings: plan.settings)
        defer { try? candidate.detach() }
        Report.note("-", "\(stage.cpus.count) CPUs, \(Int(stage.speed)) rounds a microsecond")
        for name in plan.loads {
            guard let load = Catalogue.all.first(where: { $0.name == name }) else {
                Report.failed(name, "there is no such load")
                continue
            }
            if let obstacle = load.obstacle(stage) {
                Report.failed(name, obstacle)
                continue
            }
            do {
                try measure(load, stage, candidate)
            } catch { Report.failed(name, "\(error)") }
        }
    }

    /// Pair 0 only warms up: what runs for the first time has to be read, and under an emulator to be translated.
    private func measure(_ load: Load, _ stage: Stage, _ candidate: Candidate) throws {
        for pair in 0...plan.runs {
            stage.percent = pair == 0 ? max(1, plan.percent * 3 / 10) : plan.percent
            let first = Work.now
            report(load, pair, .standard, perform(load, stage))
            let begin = Work.now
            try candidate.attach(hints: plan.hints[load.name] ?? [])
            let attaching = Work.now - begin
            let figures = perform(load, stage)
            guard candidate.isAttached else {
                throw Failure(.ejected, "the scheduler ended while it was measured: \(candidate.reason)")
            }
            try candidate.detach()
            report(load, pair, .scheduler, figures)
            let whole = Work.now - first
            Report.note(
                load.name, "pair \(pair): \(whole / 1_000_000) ms, of which attaching \(attaching / 1_000_000) ms")
        }
    }

    private func perform(_ load: Load, _ stage: Stage) -> [Figure]? {
        defer {
            stage.end()
            // Whatever the last load left to the kernel's threads.
            Worker.pause(microseconds: 50_000)
        }
        return load.run(stage)
    }

    private func report(_ load: Load, _ pair: Int, _ side: Side, _ figures: [Figure]?) {
        guard pair > 0 else { return }
        guard let figures else {
            return Report.failed(load.name, "no result under the \(side.rawValue) in pair \(pair)")
        }
        for figure in figures { Report.sample(load.name, pair: pair, side: side, figure) }
    }
}
