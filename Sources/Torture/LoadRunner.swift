import Glibc
import Kernel
import Linux
import Model

/// Runs one load at a time and watches it: the judge's eyes. Its process is a real-time task, above everything that a load
/// starts, and it makes no system call that could wait for a task of the candidate.
final class LoadRunner {
    private let probe: RunqueueProbe
    private let board: Board
    private let schedExt = SchedExt()
    private let log: KernelLog
    var machine: Machine

    /// Between two looks.
    private static let period = 10_000
    /// Waits from here on make a load last longer: it is to be seen how they end.
    private static let suspicious: UInt64 = 250_000_000
    /// The end of every load is without disturbances, which could end a wait that would not end otherwise. Nanoseconds.
    private static let calm: Int64 = 300_000_000
    /// A look that comes so much later than meant was the host's doing.
    private static let lateness: Int64 = 100_000_000

    init(probe: consuming RunqueueProbe, machine: Machine, log: KernelLog) throws(SystemError) {
        self.probe = probe
        self.machine = machine
        self.log = log
        board = try Board()
    }

    /// Makes the probe and the workers those of a scheduler that takes every task, or only tasks of SCHED_EXT.
    func follow(onlyExtPolicy: Bool) {
        machine.onlyExtPolicy = onlyExtPolicy
        probe.countOnlyExtPolicy(onlyExtPolicy)
    }

    /// What one run is watched for.
    struct Watch {
        var judge: Judge
        /// Why the candidate ended; nil when the load runs under the default scheduler.
        var exitInfo: (() -> ExitInfo?)?
        var milliseconds: Int?
    }

    /// - Returns: what was seen. Where tasks are stuck or the load hangs, its processes are still there: the caller takes
    ///   the scheduler away and then calls ``abandon()``.
    func run(_ load: any Load, _ watch: Watch) -> Observation {
        var run = Run(load: load, watch: watch, start: Linux.Clock.monotonic())
        board.clear()
        probe.clear()
        let rejected = schedExt.read().rejected
        let conductor = try? Worker.fork { self.conduct(load) }
        guard let conductor else {
            // A scheduler that refuses new tasks, or has just ended over one.
            run.seen.failedForks = 1
            _ = hasLeft(&run)
            finish(&run)
            return run.seen
        }
        leftover = conductor
        while look(&run, conductor) { pause(&run) }
        finish(&run)
        run.seen.rejected = schedExt.read().rejected &- min(rejected, schedExt.read().rejected)
        return run.seen
    }

    /// The conductor of a load that did not end.
    private var leftover: Int32?

    /// Ends what is left of the last load, now that the default scheduler runs its tasks.
    func abandon() {
        guard let conductor = leftover else { return }
        board.isStopped = true
        board.hasGivenUp = true
        for _ in 0..<200 {
            if Worker.collect(conductor) != nil { break }
            Worker.pause(microseconds: 10_000)
        }
        kill(conductor, SIGKILL)
        for _ in 0..<100 where Worker.collect(conductor) == nil { Worker.pause(microseconds: 10_000) }
        leftover = nil
    }

    private func conduct(_ load: any Load) -> CInt {
        Worker.endWithParent()
        Worker.set(.fifo, priority: 30, reset: true)
        Worker.silence()
        return Stage(machine: machine, board: board).conduct(load)
    }

    /// What is remembered of a run from look to look.
    private struct Run {
        let load: any Load
        let watch: Watch
        let start: Int64
        var seen: Observation
        var examined: Int64 = 0
        /// When the workers were all there, and their CPUs' idle times then.
        var running: Int64?
        var idle: [UInt64] = []
        var stopped: Int64?
        var ended: Int64?
        var worst: [Int32: WaitingTask] = [:]

        init(load: any Load, watch: Watch, start: Int64) {
            self.load = load
            self.watch = watch
            self.start = start
            seen = Observation(load: type(of: load).name, tasks: load.tasks)
        }

        var bound: Int64 { watch.judge.bound(tasks: load.tasks, hostStall: seen.hostStall) }
        var milliseconds: Int { watch.milliseconds ?? load.milliseconds }
    }

    private func pause(_ run: inout Run) {
        let before = Linux.Clock.monotonic()
        Worker.pause(microseconds: Self.period)
        let late = Linux.Clock.monotonic() - before - Int64(Self.period) * 1000
        if late > Self.lateness { run.seen.hostStall += late }
    }

    /// One look; false when everything has been seen.
    private func look(_ run: inout Run, _ conductor: Int32) -> Bool {
        let now = Linux.Clock.monotonic()
        if run.running == nil, board.phase >= .running {
            run.running = now
            run.idle = probe.idleTimes(now: now)
        }
        if run.ended == nil, Worker.collect(conductor) != nil {
            run.ended = now
            leftover = nil
            if run.stopped == nil { stop(&run, now) }
        }
        guard now - run.examined > 40_000_000 || run.ended != nil else { return true }
        run.examined = now
        if hasLeft(&run) {
            // The default scheduler runs the workers now: they end by themselves.
            if run.stopped == nil { stop(&run, now) }
            return run.ended == nil && now - (run.stopped ?? now) < Judge.patience
        }
        let waiting = probe.waiting()
        guard let stopped = run.stopped else {
            whileItLasts(&run, now, waiting)
            return true
        }
        return afterItsEnd(&run, now, stopped, waiting)
    }

    private func whileItLasts(_ run: inout Run, _ now: Int64, _ waiting: [WaitingTask]) {
        let patient = run.load.expectations.patientGroups
        let impatient = waiting.filter { !patient.contains($0.group) }
        let starved = confirmed(impatient.filter { Int64($0.waited) > run.bound })
        if !starved.isEmpty {
            run.seen.starved = starved
            return stop(&run, now)
        }
        let limit = Int64(run.load.expectations.endsItself ?? 0) * 1_000_000
        let lasted = now - (run.running ?? run.start)
        // A start that does not come to its end is a load that does not.
        if run.running == nil {
            if lasted > run.bound + Judge.patience { stop(&run, now) }
            return
        }
        if lasted + Self.calm >= Int64(run.milliseconds) * 1_000_000 { board.isCalm = true }
        guard lasted >= Int64(run.milliseconds) * 1_000_000 else { return }
        let most = Int64(run.load.expectations.lastsAtMost ?? 0) * 1_000_000
        if lasted < most, !board.isDone { return }
        if limit > 0, !board.isDone {
            guard lasted >= limit + 2 * run.seen.hostStall else { return }
            run.seen.unfinished = true
        } else {
            // Those who waited long when the time was over are to be seen to run, and no later ones.
            let over = UInt64(clamping: lasted - Int64(run.milliseconds) * 1_000_000)
            if impatient.contains(where: { $0.waited > Self.suspicious + over }) { return }
        }
        stop(&run, now)
    }

    private func stop(_ run: inout Run, _ now: Int64) {
        run.stopped = now
        let began = run.running ?? now
        run.seen.loaded = now - began
        let idle = probe.idleTimes(now: now)
        let time = Double(max(1, now - began)) * Double(machine.cpus.count)
        let rested = machine.cpus.reduce(0.0) { sum, cpu in
            guard cpu < idle.count, cpu < run.idle.count else { return sum }
            return sum + Double(idle[cpu] - min(idle[cpu], run.idle[cpu]))
        }
        run.seen.idleShare = rested / time
        run.seen.figures = probe.figures()
        note(&run)
        run.seen.failedForks = board.failedForks
        board.isStopped = true
    }

    /// What the workers wrote down.
    private func note(_ run: inout Run) {
        let slots = (0..<min(board.slots, Board.workers)).map { board.slot($0) }.filter { $0.finished > 0 }
        if let first = slots.map(\.began).min(), let last = slots.map(\.finished).max() {
            run.seen.makespan = last - min(first, last)
        }
        for index in 0..<min(board.slots, Board.workers) {
            let slot = board.slot(index)
            let group = slot.group
            run.seen.work[group, default: 0] += slot.progress
            run.seen.progress[group] = min(run.seen.progress[group] ?? .max, slot.progress)
            run.seen.cpuTimes[group, default: []].append(slot.cpuTime)
        }
    }

    /// The workers are to end, and with them everything that waits.
    private func afterItsEnd(_ run: inout Run, _ now: Int64, _ stopped: Int64, _ waiting: [WaitingTask]) -> Bool {
        let late = waiting.filter { $0.waited > 200_000_000 }
        if late.isEmpty && run.ended != nil { return false }
        let since = now - stopped
        // Whoever was starved while the load lasted gets time to show that it runs when the others are gone.
        let patience = Judge.patienceAlone + 2 * run.seen.hostStall
        let lost = since > patience ? confirmed(late.filter { Int64($0.waited) > patience }) : []
        if !lost.isEmpty {
            run.seen.stuck = lost
            return false
        }
        if run.ended == nil, since > run.bound + Judge.patience {
            run.seen.hung = true
            return false
        }
        return true
    }

    /// Asks the kernel a second way: they are runnable, and the number of their turns does not change.
    private func confirmed(_ tasks: [WaitingTask]) -> [WaitingTask] {
        guard !tasks.isEmpty else { return [] }
        let before = tasks.prefix(64).map { ($0, turns(of: $0.process)) }
        Worker.pause(microseconds: 50_000)
        return before.filter { $0.1 != nil && turns(of: $0.0.process) == $0.1 }.map(\.0)
    }

    /// How often a process ran; nil where it is not runnable, or gone.
    private func turns(of process: Int32) -> Substring? {
        guard let status = TextFile.firstLine("/proc/\(process)/stat"), let end = status.lastIndex(of: ")"),
            status[end...].dropFirst(2).first == "R"
        else { return nil }
        return TextFile.firstLine("/proc/\(process)/schedstat")?.split(separator: " ").last
    }

    /// Has the candidate gone? Waits until the kernel has finished with it, so that its reasons can be read.
    private func hasLeft(_ run: inout Run) -> Bool {
        guard let exitInfo = run.watch.exitInfo else { return false }
        if run.seen.departure != nil { return true }
        let state = schedExt.read()
        if state.state == "enabled" { return false }
        for _ in 0..<200 where schedExt.read().state != "disabled" { Worker.pause(microseconds: 10_000) }
        run.seen.kernelLog += log.read()
        let line = run.seen.kernelLog.last { $0.contains("sched_ext") && $0.contains("disabled (") } ?? ""
        run.seen.departure = Observation.Departure(info: exitInfo(), line: line)
        return true
    }

    private func finish(_ run: inout Run) {
        let now = Linux.Clock.monotonic()
        run.seen.elapsed = now - run.start
        run.seen.kernelLog += log.read()
    }
}
