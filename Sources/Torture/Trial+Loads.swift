import GuestProtocol
import Kernel
import Linux
import Model

extension Trial {
    /// Runs one load and says what came of it; false when the stage should end here.
    func torment(_ kind: any Load.Type) -> Bool {
        let load = kind.init(tasks: kind.tasks(cpus: machine.cpus.count))
        if !isAttached {
            do throws(Failure) { try attachFresh() } catch {
                complain(Violation(check: "attach", message: error.message, load: kind.name, detail: error.detail))
                return false
            }
        }
        let seen = observe(load)
        report(seen)
        var complaints = judge.judge(seen, load.expectations)
        if isBroken(seen) { recover(seen) }
        if !complaints.isEmpty { complaints = confirm(kind, seen, complaints) }
        for complaint in complaints { complain(complaint.violation) }
        return errors == 0
    }

    /// One run under the candidate.
    func observe(_ load: any Load, milliseconds: Int? = nil) -> Observation {
        var seen = Observation(load: type(of: load).name, tasks: load.tasks)
        try? step("load", subject: type(of: load).name) { () throws(Failure) in
            seen = runner.run(
                load, LoadRunner.Watch(judge: judge, exitInfo: { self.exitInfo() }, milliseconds: milliseconds))
        }
        return seen
    }

    func report(_ seen: Observation) {
        let whole = seen.whole
        func figure(_ name: String, _ value: Double, _ unit: String) {
            emit(.measurement(TrialMeasurement(name, subject: seen.load, value: value, unit: unit)))
        }
        figure("latency.wait.p99", Double(whole.quantile(0.99)), "ns")
        figure("latency.wait.max", Double(whole.longest), "ns")
        figure("idle-beside-waiting", Double(whole.idleTotal) / Double(max(1, seen.loaded)), "ratio")
        if seen.hostStall > 0 { figure("host.stall", Double(seen.hostStall), "ns") }
        for line in seen.kernelLog where KernelLog.weight(of: line) != .other { emit(.kernelLog(line)) }
    }

    /// The candidate cannot go on after this.
    private func isBroken(_ seen: Observation) -> Bool {
        seen.departure != nil || !seen.stuck.isEmpty || seen.hung
    }

    private func recover(_ seen: Observation) {
        if let dump = seen.departure?.info?.dump, !dump.isEmpty { emit(.dump(name: "exit of \(seen.load)", text: dump)) }
        if seen.departure == nil { SchedulerDump.take().map { emit(.dump(name: "state under \(seen.load)", text: $0)) } }
        detach()
        runner.abandon()
    }

    private func confirm(_ kind: any Load.Type, _ seen: Observation, _ complaints: [Judge.Complaint]) -> [Judge.Complaint] {
        complaints
    }
}
