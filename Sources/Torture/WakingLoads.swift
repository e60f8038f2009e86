import Linux

/// Many tasks that sleep and wake, beside a busy one on each CPU.
struct Sleepers: Load {
    static let name = "sleepers"
    static func tasks(cpus: Int) -> Int { 8 * cpus }
    static let fewestTasks = 2
    let tasks: Int
    var expectations: Expectations {
        var expected = Expectations()
        expected.progress = [1]
        return expected
    }
    func start(_ stage: Stage) {
        for index in 0..<tasks {
            stage.worker(1) { Work.sleeper($0, sleep: 1000 + 370 * (index % 11), work: 100) }
        }
        for _ in 0..<stage.cpuCount { stage.worker(2) { Work.hog($0) } }
    }
}

/// Pairs that pass a byte to and fro.
struct PipePairs: Load {
    static let name = "pipes"
    static func tasks(cpus: Int) -> Int { 4 * cpus }
    static let fewestTasks = 2
    let tasks: Int
    var expectations: Expectations {
        var expected = Expectations()
        expected.progress = [1]
        return expected
    }
    func start(_ stage: Stage) {
        for _ in 0..<max(1, tasks / 2) {
            guard let there = try? GuestStream.blockingPipe(), let back = try? GuestStream.blockingPipe() else {
                return
            }
            stage.worker(1) { Work.echo($0, from: back.reader.raw, to: there.writer.raw, begins: true) }
            stage.worker(1) { Work.echo($0, from: there.reader.raw, to: back.writer.raw, begins: false) }
        }
    }
}

/// Pairs that wake each other by a futex.
struct FutexPairs: Load {
    static let name = "futex"
    static func tasks(cpus: Int) -> Int { 4 * cpus }
    static let fewestTasks = 2
    let tasks: Int
    var expectations: Expectations {
        var expected = Expectations()
        expected.progress = [1]
        return expected
    }
    func start(_ stage: Stage) {
        for _ in 0..<max(1, tasks / 2) {
            // The first worker's slot is where both meet.
            let shared = stage.board.slot(stage.board.slots)
            stage.worker(1) { Work.tapper($0, shared, side: 0) }
            stage.worker(1) { Work.tapper($0, shared, side: 1) }
        }
    }
}

/// Tasks that make children without end.
struct ForkStorm: Load {
    static let name = "fork-storm"
    static func tasks(cpus: Int) -> Int { 2 * cpus }
    /// What leaks with every task shows when there were enough of them.
    static let children: UInt64 = 450
    let tasks: Int
    var expectations: Expectations {
        var expected = Expectations()
        expected.progress = [1]
        expected.lastsAtMost = 2500
        return expected
    }
    func start(_ stage: Stage) {
        let board = stage.board
        for index in 0..<tasks { stage.worker(1) { Work.forker($0, board, work: index % 2 == 0 ? 0 : 300) } }
    }
    func disturb(_ stage: Stage) { if stage.board.totalProgress >= Self.children { stage.board.isDone = true } }
}

/// A thousand short tasks, all at once.
struct ShortTasks: Load {
    static let name = "short-tasks"
    static func tasks(cpus: Int) -> Int { 1000 }
    static func quickTasks(cpus: Int) -> Int { 100 }
    static let fewestTasks = 10
    let tasks: Int
    var milliseconds: Int { 500 }
    var expectations: Expectations {
        var expected = Expectations()
        expected.endsItself = 30_000
        return expected
    }
    func start(_ stage: Stage) {
        for index in 0..<min(tasks, Board.workers) {
            stage.worker(1) { slot in
                Work.gate()
                Work.spin(microseconds: 200 + 100 * (index % 5))
                slot.step()
            }
        }
    }
    func disturb(_ stage: Stage) {
        stage.openGate()
        if stage.board.haveAllStepped { stage.board.isDone = true }
    }
}

/// Parents that go on working when they have made a child: it should begin on another CPU that has nothing to do.
struct SpareCPUs: Load {
    static let name = "spare-cpus"
    static func tasks(cpus: Int) -> Int { max(1, cpus / 2) }
    let tasks: Int
    var milliseconds: Int { 700 }
    var interval: Int { 300_000 }
    var expectations: Expectations {
        var expected = Expectations()
        expected.idleShareBound = 0.15 * Double(tasks)
        return expected
    }
    static func obstacle(_ machine: Machine) -> String? { machine.cpus.count < 2 ? "one CPU has no other" : nil }
    func start(_ stage: Stage) {
        for _ in 0..<tasks { stage.worker(1) { Work.parent($0, own: 30_000, childs: 15_000) } }
    }
}

/// Children that become another program.
struct ExecStorm: Load {
    static let name = "exec"
    static func tasks(cpus: Int) -> Int { 2 * cpus }
    let tasks: Int
    var milliseconds: Int { 800 }
    func start(_ stage: Stage) {
        for _ in 0..<tasks { stage.worker(1) { Work.executor($0) } }
    }
}
