import Linux

/// Loads of which it counts how much the CPUs are left alone.
enum Quiet {
    /// Little to do: CPUs that nobody needs should sleep, and long.
    static func light(_ stage: Stage) -> [Figure]? {
        let tasks = 12
        let work = Int(150 * stage.speed)
        for index in 0..<tasks {
            stage.worker("light") { slot in
                while true {
                    let pause = 10_000 + 1700 * index
                    let due = Work.now + UInt64(pause) * 1000
                    Worker.pause(microseconds: pause)
                    let now = Work.now
                    if now > due { slot.note(now - due) }
                    Work.grind(work)
                    slot.step()
                }
            }
        }
        var before = (idle: [Int: Double](), entries: [Int: Double]())
        // Who sends CPUs to sleep one by one takes its time.
        let span = stage.watch(milliseconds: 2000, settling: 2500) {
            before = (SystemText.idle(), SystemText.idleEntries())
        }
        let after = (idle: SystemText.idle(), entries: SystemText.idleEntries())
        let cpus = after.idle.map { cpu, idle in
            (
                idle: min(span.seconds * 1e9, idle - (before.idle[cpu] ?? 0)),
                entries: (after.entries[cpu] ?? 0) - (before.entries[cpu] ?? 0)
            )
        }
        // The busiest sleeps shortly under any scheduler.
        let emptiest = cpus.sorted { $0.entries < $1.entries }.prefix(max(1, cpus.count / 2))
        let (idle, entries) = emptiest.reduce((0, 0)) { ($0.0 + $1.idle, $0.1 + $1.entries) }
        let waits = stage.samples(0..<tasks)
        return [
            // Nanoseconds that a CPU of the emptiest half sleeps at a stretch.
            Figure("sleep", idle / (entries + Double(emptiest.count))),
            Figure("idle_emptiest", idle / Double(emptiest.count) / (span.seconds * 1e9)),
            Figure("throughput", span.pieces(0..<tasks) / span.seconds),
            Figure("wakeup_p99", Statistics.percentile(waits, 0.99)),
        ]
    }

    /// Two busy tasks for each CPU: nothing has to interrupt them often.
    static func ticks(_ stage: Stage) -> [Figure]? {
        let tasks = 2 * stage.cpus.count
        let piece = Int(200 * stage.speed)
        for _ in 0..<tasks { stage.worker("busy") { Work.hog($0, piece: piece) } }
        var before: [Int: Double] = [:]
        let span = stage.watch(milliseconds: 1600) { before = SystemText.interrupts() }
        let after = SystemText.interrupts()
        // All CPUs but the first, which keeps the time for everybody.
        let others = stage.cpus.dropFirst()
        guard !others.isEmpty else { return nil }
        let count = others.reduce(0.0) { $0 + (after[$1] ?? 0) - (before[$1] ?? 0) }
        return [
            Figure("interrupts", max(0.5, count) / Double(others.count) / span.seconds),
            Figure("throughput", span.pieces(0..<tasks) / span.seconds),
            Figure("fairness", max(0.001, Statistics.worstOff(span.cpu, entitled: span.cpu.map { _ in 1 }))),
        ]
    }
}
