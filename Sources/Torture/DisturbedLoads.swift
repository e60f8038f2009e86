import Glibc
import Linux

/// Tasks bound to one CPU each, tasks that are not, and the kernel's own threads of every CPU.
struct Pinned: Load {
    static let name = "pinned"
    static func tasks(cpus: Int) -> Int { 3 * cpus }
    static let fewestTasks = 1
    let tasks: Int
    var milliseconds: Int { 800 }
    var expectations: Expectations {
        var expected = Expectations()
        expected.progress = [1, 2, 3]
        return expected
    }
    func start(_ stage: Stage) {
        for index in 0..<tasks {
            let cpu = UInt64(1) << UInt64(stage.machine.cpus[index % stage.cpuCount])
            if index % 3 == 2 {
                stage.worker(2, .init(cpus: cpu)) { Work.sleeper($0, sleep: 3000, work: 200) }
            } else {
                stage.worker(1, .init(cpus: cpu)) { Work.hog($0) }
            }
        }
        for _ in 0..<stage.cpuCount { stage.worker(4) { Work.hog($0) } }
        stage.worker(3) { Work.kernelWork($0) }
    }
}

/// Everything that can be changed of a running task is changed: the CPUs that it may use, nice, policy.
struct Changes: Load {
    static let name = "changes"
    static func tasks(cpus: Int) -> Int { 4 * cpus }
    static let fewestTasks = 1
    let tasks: Int
    var milliseconds: Int { 700 }
    var interval: Int { 3000 }
    func start(_ stage: Stage) {
        for index in 0..<tasks {
            stage.worker(1 + index % 2) { slot in
                if index % 2 == 0 { Work.hog(slot) } else { Work.sleeper(slot, sleep: 2000, work: 300) }
            }
        }
    }
    func disturb(_ stage: Stage) {
        guard !stage.workers.isEmpty else { return }
        let process = stage.workers[stage.random(below: stage.workers.count)]
        switch stage.round % 4 {
        case 0:
            Worker.set(cpus: UInt64(1) << UInt64(stage.machine.cpus[stage.random(below: stage.cpuCount)]), of: process)
        case 1: Worker.set(nice: CInt(stage.random(below: 11)) - 5, of: process)
        case 2: Worker.set(cpus: stage.machine.allCPUs, of: process)
        default:
            let policies: [Worker.Policy] =
                stage.machine.onlyExtPolicy ? [.ext, .normal, .ext] : [.batch, .normal, .ext, .idle, .normal]
            Worker.set(policies[stage.random(below: policies.count)], of: process)
        }
    }
    /// Back to where every scheduler serves them alike.
    func stop(_ stage: Stage) {
        for process in stage.workers {
            Worker.set(cpus: stage.machine.allCPUs, of: process)
            Worker.set(stage.machine.onlyExtPolicy ? .ext : .normal, of: process)
        }
    }
}

/// Tasks go to and fro between ordinary and real-time scheduling.
struct PolicySwitches: Load {
    static let name = "policy-switches"
    static func tasks(cpus: Int) -> Int { 2 * cpus }
    let tasks: Int
    var interval: Int { 4000 }
    func start(_ stage: Stage) {
        for index in 0..<tasks {
            stage.worker(1) { slot in
                if index % 2 == 0 { Work.hog(slot) } else { Work.sleeper(slot, sleep: 1500, work: 200) }
            }
        }
    }
    func disturb(_ stage: Stage) {
        guard !stage.workers.isEmpty else { return }
        let process = stage.workers[stage.random(below: stage.workers.count)]
        Worker.set(.fifo, priority: 2, of: process)
        Worker.pause(microseconds: 500)
        Worker.set(stage.machine.onlyExtPolicy ? .ext : .normal, of: process)
    }
}

/// Tasks are stopped, continued and traced.
struct Stopped: Load {
    static let name = "stopped-traced"
    static func tasks(cpus: Int) -> Int { 3 * cpus }
    static let fewestTasks = 1
    let tasks: Int
    var interval: Int { 4000 }
    func start(_ stage: Stage) {
        for index in 0..<tasks {
            stage.worker(1) { slot in
                if index % 2 == 0 { Work.hog(slot) } else { Work.sleeper(slot, sleep: 1000, work: 200) }
            }
        }
    }
    func disturb(_ stage: Stage) {
        guard !stage.workers.isEmpty else { return }
        let process = stage.workers[stage.random(below: stage.workers.count)]
        if stage.round % 2 == 0 {
            kill(process, SIGSTOP)
            Worker.pause(microseconds: 3000)
            kill(process, SIGCONT)
        } else if Worker.trace(process) {
            // A tracer that waits must not wait for ever: the task may be one that the scheduler has lost.
            if Worker.interruptTraced(process), Worker.waitForStop(process, milliseconds: 300) {
                Worker.release(process)
            }
        }
    }
}

/// Tasks end while they wait for a CPU.
struct Killed: Load {
    static let name = "exit-while-queued"
    static func tasks(cpus: Int) -> Int { 4 * cpus }
    static let fewestTasks = 2
    let tasks: Int
    var interval: Int { 20_000 }
    func start(_ stage: Stage) { begin(stage) }

    private func begin(_ stage: Stage) {
        let cpu = UInt64(1) << UInt64(stage.machine.cpus.last ?? 0)
        for index in 0..<tasks {
            stage.worker(1 + index % 2, .init(cpus: index % 2 == 0 ? cpu : nil)) { Work.hog($0) }
        }
    }

    func disturb(_ stage: Stage) {
        let count = stage.workers.count
        for process in stage.workers[max(0, count - tasks)...] { kill(process, SIGKILL) }
        if stage.round < 60 { begin(stage) }
    }
}

/// Groups with limits and weights that change, and tasks that move between them.
struct Cgroups: Load {
    static let name = "cgroups"
    static func tasks(cpus: Int) -> Int { 9 * max(1, cpus / 2) }
    static let fewestTasks = 1
    let tasks: Int
    var milliseconds: Int { 700 }
    var interval: Int { 6000 }
    var expectations: Expectations {
        var expected = Expectations()
        // A group at its limit waits beside idle CPUs, as it should.
        expected.keepsBusy = false
        return expected
    }
    static func obstacle(_ machine: Machine) -> String? {
        machine.cgroups == nil ? "no cgroup controller for CPUs" : nil
    }

    private func folder(_ stage: Stage, _ index: Int) -> String { "\(stage.machine.cgroups ?? "")/torture\(index)" }

    func start(_ stage: Stage) {
        for index in 0..<3 { mkdir(folder(stage, index), 0o755) }
        for index in 0..<tasks {
            let isHog = index % 9 < 6
            let process = stage.worker(isHog ? 1 : 2) { slot in
                if isHog { Work.hog(slot) } else { Work.sleeper(slot, sleep: 2000, work: 300) }
            }
            move(process, to: folder(stage, index % 3))
        }
    }

    private func move(_ process: Int32, to folder: String) {
        SystemFile.write("\(process)", to: folder + "/cgroup.procs")
    }

    func disturb(_ stage: Stage) {
        guard !stage.workers.isEmpty else { return }
        let group = folder(stage, stage.random(below: 3))
        switch stage.round % 5 {
        case 0: SystemFile.write("\(1 + stage.random(below: 400))", to: group + "/cpu.weight")
        case 1: SystemFile.write("20000 50000", to: group + "/cpu.max")
        case 2: SystemFile.write("max 100000", to: group + "/cpu.max")
        case 3:
            let extra = folder(stage, 3)
            mkdir(extra, 0o755)
            rmdir(extra)
        default: move(stage.workers[stage.random(below: stage.workers.count)], to: group)
        }
    }

    func stop(_ stage: Stage) {
        for index in 0..<3 { SystemFile.write("max 100000", to: folder(stage, index) + "/cpu.max") }
    }
    func cleanUp(_ stage: Stage) { for index in 0..<4 { rmdir(folder(stage, index)) } }
}

/// A CPU goes and comes back under load. The kernel may end a scheduler for it, and ask for a restart.
struct Hotplug: Load {
    static let name = "hotplug"
    static func tasks(cpus: Int) -> Int { 3 * cpus }
    static let fewestTasks = 1
    let tasks: Int
    var milliseconds: Int { 900 }
    var interval: Int { 100_000 }
    var expectations: Expectations {
        var expected = Expectations()
        expected.mayRestart = true
        expected.endsItself = 20_000
        // A CPU that is not there looks idle.
        expected.keepsBusy = false
        return expected
    }
    static func obstacle(_ machine: Machine) -> String? {
        machine.removable.isEmpty ? "no CPU that can be removed" : nil
    }

    func start(_ stage: Stage) {
        for index in 0..<tasks {
            let cpu = stage.machine.cpus[index % stage.cpuCount]
            stage.worker(1 + index % 3, .init(cpus: index % 3 == 2 ? UInt64(1) << UInt64(cpu) : nil)) { slot in
                if index % 3 == 0 { Work.hog(slot) } else { Work.sleeper(slot, sleep: 1500, work: 300) }
            }
        }
    }
    /// There and back, and away again: what waits then must be served by the others.
    func disturb(_ stage: Stage) {
        guard let cpu = stage.machine.removable.last, !stage.board.isDone else { return }
        let path = "/sys/devices/system/cpu/cpu\(cpu)/online"
        SystemFile.write("0", to: path)
        Worker.pause(microseconds: 60_000)
        SystemFile.write("1", to: path)
        Worker.pause(microseconds: 60_000)
        SystemFile.write("0", to: path)
        stage.board.isDone = true
    }
    func stop(_ stage: Stage) {
        for cpu in stage.machine.removable { SystemFile.write("1", to: "/sys/devices/system/cpu/cpu\(cpu)/online") }
    }
}
