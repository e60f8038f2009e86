import Linux

/// More busy tasks than CPUs.
struct CPUHogs: Load {
    static let name = "cpu-hogs"
    static func tasks(cpus: Int) -> Int { 3 * cpus }
    static let fewestTasks = 2
    let tasks: Int
    var expectations: Expectations {
        var expected = Expectations()
        expected.progress = [1]
        return expected
    }
    func start(_ stage: Stage) {
        for _ in 0..<tasks { stage.worker(1) { Work.hog($0) } }
    }
}

/// Busy tasks of five nice levels that any sound scheduler serves beside one another.
struct NiceLevels: Load {
    static let name = "nice-levels"
    static func tasks(cpus: Int) -> Int { 5 * max(2, cpus) }
    static let fewestTasks = 3
    static let levels: [CInt] = [-10, -5, 0, 5, 10]
    let tasks: Int
    var milliseconds: Int { 700 }
    var expectations: Expectations {
        var expected = Expectations()
        if tasks % Self.levels.count == 0 { expected.order = Array(1...Self.levels.count) }
        return expected
    }
    func start(_ stage: Stage) {
        for index in 0..<tasks {
            let level = index % Self.levels.count
            stage.worker(1 + level, .init(nice: Self.levels[level])) { Work.hog($0) }
        }
    }
}

/// A busy task of every nice level. Their weights are from 1 to 6,000, so who waits long is none to judge while it lasts.
struct EveryNiceLevel: Load {
    static let name = "every-nice-level"
    static func tasks(cpus: Int) -> Int { 40 }
    static let fewestTasks = 2
    let tasks: Int
    var milliseconds: Int { 1500 }
    var expectations: Expectations {
        var expected = Expectations()
        expected.patientGroups = Set(1...40)
        return expected
    }
    func start(_ stage: Stage) {
        for index in 0..<tasks {
            let nice = tasks > 1 ? -20 + index * 39 / (tasks - 1) : 0
            stage.worker(1 + index % 40, .init(nice: CInt(nice))) { Work.hog($0) }
        }
    }
}

/// One task of nice 10 among many of nice -10.
struct Crowded: Load {
    static let name = "starvation"
    static func tasks(cpus: Int) -> Int { 4 * cpus + 1 }
    static let fewestTasks = 2
    let tasks: Int
    var milliseconds: Int { 1500 }
    var expectations: Expectations {
        var expected = Expectations()
        expected.progress = [2]
        return expected
    }
    func start(_ stage: Stage) {
        for _ in 1..<tasks { stage.worker(1, .init(nice: -10)) { Work.hog($0) } }
        stage.worker(2, .init(nice: 10)) { Work.hog($0) }
    }
}

/// Busy tasks of two weights, as many of each: who promises fairness shares CPU time by weight.
struct FairShares: Load {
    static let name = "fair-shares"
    static func tasks(cpus: Int) -> Int { 4 * cpus }
    static let fewestTasks = 4
    let tasks: Int
    var milliseconds: Int { 1800 }
    var expectations: Expectations {
        var expected = Expectations()
        // The kernel's weights of nice 0 and nice 5 (sched_prio_to_weight in kernel/sched/core.c).
        expected.shares = [1: 1024, 2: 335]
        return expected
    }
    func start(_ stage: Stage) {
        for index in 0..<tasks {
            stage.worker(1 + index % 2, .init(nice: index % 2 == 0 ? 0 : 5)) { Work.hog($0) }
        }
    }
}

/// Tasks that give up the CPU all the time, beside busy ones.
struct YieldStorm: Load {
    static let name = "yield-storm"
    static func tasks(cpus: Int) -> Int { 3 * cpus }
    static let fewestTasks = 2
    let tasks: Int
    var expectations: Expectations {
        var expected = Expectations()
        expected.progress = [1, 2]
        return expected
    }
    func start(_ stage: Stage) {
        for index in 0..<tasks {
            if index % 3 == 2 { stage.worker(2) { Work.hog($0) } } else { stage.worker(1) { Work.yielder($0) } }
        }
    }
}

/// A real-time task takes most of one CPU; the ordinary tasks bound to that CPU get the rest.
struct RealTimeHog: Load {
    static let name = "rt-hog"
    static func tasks(cpus: Int) -> Int { 2 * cpus + 2 }
    static let fewestTasks = 2
    let tasks: Int
    var milliseconds: Int { 1000 }
    func start(_ stage: Stage) {
        let cpu = UInt64(1) << UInt64(stage.machine.cpus.last ?? 0)
        stage.worker(3, .init(cpus: cpu, policy: .fifo, priority: 10)) { slot in
            // Below the kernel's limit for real-time tasks, 95 % of each second.
            while true {
                Work.spin(microseconds: 60_000)
                Worker.pause(microseconds: 40_000)
                slot.step()
            }
        }
        stage.worker(1, .init(cpus: cpu)) { Work.hog($0) }
        for _ in 2..<max(3, tasks) { stage.worker(2) { Work.hog($0) } }
    }
}

/// Short jobs and a long one on each CPU, all at once: how soon is everything done?
struct Batch: Load {
    static let name = "batch"
    static func tasks(cpus: Int) -> Int { 6 * cpus }
    static let fewestTasks = 2
    let tasks: Int
    var milliseconds: Int { 100 }
    var interval: Int { 2000 }
    var expectations: Expectations {
        var expected = Expectations()
        expected.endsItself = 30_000
        return expected
    }
    func start(_ stage: Stage) {
        let board = stage.board
        for index in 0..<tasks {
            stage.worker(1) { slot in
                while board.phase < .running { Worker.pause(microseconds: 1000) }
                slot.began = UInt64(clamping: Linux.Clock.monotonic())
                Work.burn(microseconds: index % 6 == 5 ? 100_000 : 20_000)
                slot.finished = UInt64(clamping: Linux.Clock.monotonic())
                slot.step()
            }
        }
    }
    func disturb(_ stage: Stage) { if stage.board.haveAllStepped { stage.board.isDone = true } }
}

/// Nothing to do but a timer now and then: the CPUs rest, and whoever wakes is served.
struct Idle: Load {
    static let name = "idle"
    static func tasks(cpus: Int) -> Int { cpus }
    let tasks: Int
    var milliseconds: Int { 500 }
    var expectations: Expectations {
        var expected = Expectations()
        expected.isIdle = true
        expected.progress = [1]
        return expected
    }
    func start(_ stage: Stage) {
        for index in 0..<tasks {
            let cpu = stage.machine.cpus[index % stage.cpuCount]
            stage.worker(1, .init(cpus: UInt64(1) << UInt64(cpu))) { Work.sleeper($0, sleep: 70_000, work: 0) }
        }
    }
}
