import Glibc
import Linux
import Model

/// What the operations of schedulers cost, by the kernel's own statistics of BPF programs: one after the other, again and
/// again, under the same load.
struct HotPath {
    let plan: Plan
    /// What the table tells apart; every operation counts in `switch`.
    private static let operations = ["select_cpu", "enqueue", "dispatch", "running", "stopping"]

    func run() throws {
        guard SystemText.write("1", to: "/proc/sys/kernel/bpf_stats_enabled") else {
            throw SystemError("switch on the statistics of BPF programs")
        }
        let stage = try Stage()
        stage.percent = plan.percent
        let candidates = try plan.objects.map { object in
            // PATH,NAME=VALUE,… sets parameters of this one.
            let parts = object.path.split(separator: ",").map(String.init)
            let settings = parts.dropFirst().compactMap { Plan.halves($0, at: "=") }
            return (object.label, try Candidate(path: parts.first ?? "", settings: settings))
        }
        for pair in 0...plan.runs {
            // Each pair begins with another one, so that nobody's place in the order is anybody's advantage.
            for place in candidates.indices {
                let (label, candidate) = candidates[(place + pair) % candidates.count]
                do {
                    try candidate.attach(hints: [])
                    let cost = measure(stage)
                    guard candidate.isAttached else { throw Failure(.ejected, candidate.reason) }
                    try candidate.detach()
                    guard pair > 0 else { continue }
                    for figure in cost { Report.sample(label, pair: pair, side: .scheduler, figure) }
                } catch {
                    try candidate.detach()
                    Report.failed(label, "\(error)")
                }
            }
        }
    }

    /// Nanoseconds for each call of an operation, and of all of them for each switch of tasks.
    private func measure(_ stage: Stage) -> [Figure] {
        work(stage)
        var before: [String: Cost] = [:]
        var switches = 0.0
        _ = stage.watch(milliseconds: 1000) {
            before = Self.costs()
            switches = Self.switches()
        }
        let after = Self.costs()
        switches = Self.switches() - switches
        stage.end()
        var figures: [Figure] = []
        var all = 0.0
        for (name, cost) in after {
            let count = cost.count - (before[name]?.count ?? 0)
            let time = cost.nanoseconds - (before[name]?.nanoseconds ?? 0)
            all += time
            guard count > 0, let operation = Self.operations.first(where: { name.hasSuffix("_" + $0) }) else {
                continue
            }
            figures.append(Figure(operation, time / count))
            figures.append(Figure(operation + "_calls", count / max(1, switches)))
        }
        let single = Dictionary(figures.map { ($0.metric, $0.value) }, uniquingKeysWith: { $1 })
        if let enqueue = single["enqueue"], let dispatch = single["dispatch"] {
            figures.append(Figure("enqueue+dispatch", enqueue + dispatch))
        }
        return figures + [Figure("switch", all / max(1, switches))]
    }

    /// Tasks that wake, that pass messages, and that never sleep.
    private func work(_ stage: Stage) {
        let piece = Int(200 * stage.speed)
        for _ in 0..<2 * stage.cpus.count { stage.worker("hog") { Work.hog($0, piece: piece) } }
        for index in 0..<6 * stage.cpus.count {
            stage.worker("sleeper") { slot in
                while true {
                    Worker.pause(microseconds: 900 + 170 * (index % 7))
                    Work.grind(piece / 10)
                    slot.step()
                }
            }
        }
    }

    private struct Cost {
        var nanoseconds = 0.0
        var count = 0.0
    }

    /// Of all programs of sched_ext by name, as bpftool prints them.
    private static func costs() -> [String: Cost] {
        var result: [String: Cost] = [:]
        for line in (Programs.output(of: ["/usr/sbin/bpftool", "prog", "show"]) ?? "").split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count > 4, words[1] == "struct_ops", let name = value("name", words),
                let time = value("run_time_ns", words).flatMap(Double.init),
                let count = value("run_cnt", words).flatMap(Double.init)
            else { continue }
            result[name] = Cost(nanoseconds: time, count: count)
        }
        return result
    }

    private static func value(_ name: String, _ words: [String]) -> String? {
        guard let place = words.firstIndex(of: name), place + 1 < words.count else { return nil }
        return words[place + 1]
    }

    /// Of all CPUs since boot.
    private static func switches() -> Double {
        let lines = ((try? TextFile.read("/proc/stat")) ?? "").split(separator: "\n")
        return lines.first { $0.hasPrefix("ctxt ") }.flatMap { Double($0.dropFirst(5)) } ?? 0
    }
}
