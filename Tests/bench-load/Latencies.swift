import Glibc
import Linux

/// Loads of which it counts how soon somebody gets a CPU.
enum Latencies {
    /// In the manner of schbench: a messenger wakes workers that think a while, beside a busy task on each CPU.
    static func wakeup(_ stage: Stage) -> [Figure]? {
        let (hogs, workers) = (stage.cpus.count, 2 * stage.cpus.count)
        let (piece, request) = (Int(200 * stage.speed), Int(100 * stage.speed))
        for _ in 0..<hogs { stage.worker("hog") { Work.hog($0, piece: piece) } }
        for index in 0..<workers {
            stage.worker("worker\(index)") { slot in
                var seen: UInt32 = 0
                while true {
                    while slot.call == seen { slot.sleep(while: seen) }
                    seen = slot.call
                    let (posted, now) = (slot.stamp, Work.now)
                    if now > posted { slot.note(now - posted) }
                    Work.grind(request)
                    slot.step()
                }
            }
        }
        stage.worker("messenger") { slot in
            var sent = [UInt32](repeating: 0, count: workers)
            while true {
                Worker.pause(microseconds: 2000)
                for index in 0..<workers {
                    let other = stage.slot(hogs + index)
                    // One that is still at its last request is left alone.
                    guard other.pieces == UInt64(sent[index]) else { continue }
                    sent[index] += 1
                    other.stamp = Work.now
                    other.wake(sent[index])
                }
            }
        }
        let span = stage.watch(milliseconds: 1800)
        let waits = stage.samples(hogs..<hogs + workers)
        guard waits.count > 20 else { return nil }
        return [
            Figure("wakeup_p50", Statistics.percentile(waits, 0.5)),
            Figure("wakeup_p99", Statistics.percentile(waits, 0.99)),
            Figure("requests", span.pieces(hogs..<hogs + workers) / span.seconds),
            Figure("throughput", span.pieces(0..<hogs) / span.seconds),
        ]
    }

    /// Tasks that wait for a person, beside three times as many busy ones as CPUs.
    static func interactive(_ stage: Stage) -> [Figure]? {
        let hogs = 3 * stage.cpus.count
        let (piece, work) = (Int(200 * stage.speed), Int(300 * stage.speed))
        for _ in 0..<hogs { stage.worker("hog") { Work.hog($0, piece: piece) } }
        let people = 2 * stage.cpus.count
        for index in 0..<people {
            stage.worker("editor\(index)") { slot in
                var pause = 4000 + 1370 * index
                while true {
                    let due = Work.now + UInt64(pause) * 1000
                    Worker.pause(microseconds: pause)
                    Work.grind(work)
                    slot.note(Work.now - due)
                    slot.step()
                    pause = 4000 + (pause * 7 + 1009) % 4000
                }
            }
        }
        let span = stage.watch(milliseconds: 1800)
        let responses = stage.samples(hogs..<hogs + people)
        guard responses.count > 20 else { return nil }
        return [
            Figure("response_p50", Statistics.percentile(responses, 0.5)),
            Figure("response_p99", Statistics.percentile(responses, 0.99)),
            Figure("throughput", span.pieces(0..<hogs) / span.seconds),
            Figure(
                "fairness", Statistics.worstOff(Array(span.cpu[0..<hogs]), entitled: Array(repeating: 1, count: hogs))),
        ]
    }

    /// Period and work of the periodic tasks, microseconds: together they need one CPU of two.
    static let periods: [(period: Int, work: Int)] = [(10_000, 2700), (15_000, 3900), (20_000, 5000), (40_000, 9200)]

    /// Periodic tasks that have to be done before their next period, beside busy ones.
    static func deadline(_ stage: Stage) -> [Figure]? {
        let copies = max(1, stage.cpus.count / 2)
        let hogs = 3 * stage.cpus.count
        let piece = Int(200 * stage.speed)
        for _ in 0..<hogs { stage.worker("hog") { Work.hog($0, piece: piece) } }
        let all = (0..<copies).flatMap { _ in periods }
        for (index, task) in all.enumerated() {
            let work = Int(Double(task.work) * stage.speed)
            stage.worker("periodic\(index % periods.count)") { slot in
                let period = UInt64(task.period) * 1000
                var due = Work.now + period
                while true {
                    sleep(until: due)
                    Work.grind(work)
                    let done = Work.now
                    slot.note(done - due)
                    slot.step()
                    if done - due > period { slot.missed += 1 }
                    // Whoever is late begins its next job at once, and those that are past are missed too.
                    due += period
                    while Work.now > due + period {
                        slot.missed += 1
                        slot.step()
                        due += period
                    }
                }
            }
        }
        let span = stage.watch(milliseconds: 1600)
        let range = hogs..<hogs + all.count
        let responses = stage.samples(range)
        let jobs = range.reduce(0.0) { $0 + Double(stage.slot($1).pieces) }
        let missed = range.reduce(0.0) { $0 + Double(stage.slot($1).missed) }
        guard jobs > 20 else { return nil }
        return [
            Figure("deadlines_met", max(0.5, jobs - missed) / jobs),
            Figure("response_p99", Statistics.percentile(responses, 0.99)),
            Figure("throughput", span.pieces(0..<hogs) / span.seconds),
        ]
    }

    private static func sleep(until due: UInt64) {
        let now = Work.now
        if now < due { Worker.pause(microseconds: Int((due - now) / 1000)) }
    }
}
