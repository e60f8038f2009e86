import GuestProtocol
import Kernel
import Linux
import Model

extension Trial {
    /// Runs one load and says what came of it; false when the stage should end here.
    func torment(_ kind: any Load.Type) -> Bool {
        let cpus = machine.cpus.count
        let tasks = options.effort == .full ? kind.tasks(cpus: cpus) : kind.quickTasks(cpus: cpus)
        let load = kind.init(tasks: tasks)
        guard let seen = observe(load, milliseconds: load.milliseconds * (options.isThorough ? 2 : 1)) else {
            return false
        }
        report(seen)
        let complaints = complaints(of: seen, load)
        if isBroken(seen) { recover(seen, keepsDump: !complaints.isEmpty) }
        if !complaints.isEmpty { explain(kind, seen, complaints) }
        return errors == 0
    }

    /// One run under the candidate, which is attached where it is not; nil where that fails.
    func observe(_ load: any Load, milliseconds: Int? = nil, isFresh: Bool = false) -> Observation? {
        let name = type(of: load).name
        if isFresh || !isAttached {
            do throws(Failure) { try attachFresh() } catch {
                complain(Violation(check: "attach", message: error.message, load: name, detail: error.detail))
                return nil
            }
        }
        return watch(load, milliseconds: milliseconds, byCandidate: true)
    }

    /// One run under whatever schedules now.
    func watch(_ load: any Load, milliseconds: Int?, byCandidate: Bool) -> Observation {
        let name = type(of: load).name
        var seen = Observation(load: name, tasks: load.tasks)
        try? step(name, subject: byCandidate ? "" : "default scheduler") { () throws(Failure) in
            seen = runner.run(
                load,
                LoadRunner.Watch(
                    judge: judge, exitInfo: byCandidate ? { self.exitInfo() } : nil, milliseconds: milliseconds))
        }
        return seen
    }

    private func report(_ seen: Observation) {
        let whole = seen.whole
        func figure(_ name: String, _ value: Double, _ unit: String) {
            emit(.measurement(TrialMeasurement(name, subject: seen.load, value: value, unit: unit)))
        }
        figure("latency.wait.p99", Double(whole.quantile(0.99)), "ns")
        figure("latency.wait.max", Double(whole.longest), "ns")
        figure("idle-beside-waiting", seen.idleShareOfWaits, "ratio")
        figure("work", Double(seen.work.values.reduce(0, +)), "steps")
        if seen.hostStall > 0 { figure("host.stall", Double(seen.hostStall), "ns") }
    }

    /// The candidate cannot go on after this.
    func isBroken(_ seen: Observation) -> Bool {
        seen.departure != nil || !seen.stuck.isEmpty || seen.hung
    }

    /// Keeps what the scheduler has to say of itself, and puts the default one back.
    func recover(_ seen: Observation, keepsDump: Bool) {
        if keepsDump {
            if let dump = seen.departure?.info?.dump, !dump.isEmpty {
                emit(.dump(name: "the scheduler's dump as it ended under \(seen.load)", text: dump))
            } else if seen.departure == nil, let dump = SchedulerDump.take() {
                emit(.dump(name: "the scheduler's dump under \(seen.load)", text: dump))
            }
        }
        detach()
        runner.abandon()
    }
}
