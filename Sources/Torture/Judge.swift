package import GuestProtocol
import Kernel
import Model

/// Turns what was seen into complaints. Pure, so that every bound has a test.
package struct Judge: Sendable {
    /// Nanoseconds of guest time that no runnable task waits under any sound scheduler, however slow the guest.
    package static let patience: Int64 = 5_000_000_000
    /// The same when a load is over and nothing else wants the CPUs.
    package static let patienceAlone: Int64 = 4_000_000_000
    /// A turn that a task may be given among many, for loads of very many tasks.
    static let turn: Int64 = 20_000_000
    /// The longest that a CPU may be idle beside one waiting task, nanoseconds.
    static let idleBound: UInt64 = 1_000_000_000
    /// Who promises fairness by weight gets this factor for the ticks, the host's noise and the CPUs' balance.
    static let fairnessFactor = 1.6
    /// In a load that does nothing, the CPUs are idle for at least this share.
    static let restingShare = 0.5

    package let cpus: Int
    package let isFairByWeight: Bool
    /// Of the candidate's watchdog.
    package let watchdog: Int64

    package init(cpus: Int, isFairByWeight: Bool = false, watchdogMilliseconds: Int = 30_000) {
        self.cpus = max(1, cpus)
        self.isFairByWeight = isFairByWeight
        watchdog = Int64(watchdogMilliseconds) * 1_000_000
    }

    /// A violation, and whether it stands by itself: what noise could have caused has to be seen twice.
    package struct Complaint: Hashable, Sendable {
        package var violation: Violation
        package var isCertain: Bool

        var isCertainError: Bool { isCertain && violation.severity == .error }
        /// Said, and not looked into.
        var isOnlyRemark: Bool { isCertain && violation.severity != .error }
    }

    /// How long a task may wait while a load of so many tasks lasts, nanoseconds.
    package func bound(tasks: Int, hostStall: Int64) -> Int64 {
        max(Self.patience, 4 * Int64(tasks) * Self.turn / Int64(cpus)) + 2 * hostStall
    }

    /// - Parameter tolerated: checks that are no reason to refuse this candidate.
    package func judge(
        _ seen: Observation, _ expected: Expectations, tolerating tolerated: Set<String>
    ) -> [Complaint] {
        judge(seen, expected).map { complaint in
            var complaint = complaint
            if tolerated.contains(complaint.violation.check), complaint.violation.severity == .error {
                complaint.violation.severity = .warning
                complaint.isCertain = true
            }
            return complaint
        }
    }

    package func judge(_ seen: Observation, _ expected: Expectations) -> [Complaint] {
        if let departure = seen.departure, !(expected.mayRestart && departure.isHotplugRestart) {
            return [ejection(seen, departure, expected)] + kernelLog(seen)
        }
        // One cause, one complaint: a lost task also waits long, gets nowhere and leaves CPUs idle.
        let broken = stuck(seen) + hung(seen) + rejected(seen) + kernelLog(seen)
        if !broken.isEmpty { return broken }
        let starved = starvation(seen)
        if !starved.isEmpty { return starved }
        return progress(seen, expected) + conservation(seen, expected) + shares(seen, expected)
            + inversion(seen, expected) + forks(seen) + rest(seen, expected) + watchdogNear(seen)
    }

    private func complaint(
        _ check: String, _ seen: Observation, certain: Bool, severity: Violation.Severity = .error,
        _ message: String, detail: String = ""
    ) -> Complaint {
        Complaint(
            violation: Violation(
                check: check, severity: severity, message: message, load: seen.load, detail: detail),
            isCertain: certain)
    }

    private func ejection(
        _ seen: Observation, _ departure: Observation.Departure, _ expected: Expectations
    ) -> Complaint {
        let what =
            departure.isError
            ? "the kernel ejected the scheduler under '\(seen.load)'"
            : "the scheduler ended by itself under '\(seen.load)'"
        let check = expected.mayRestart ? "hotplug" : "ejected"
        return complaint(check, seen, certain: true, "\(what): \(departure.summary)", detail: departure.line)
    }

    private func stuck(_ seen: Observation) -> [Complaint] {
        guard let worst = seen.stuck.first else { return [] }
        let never = seen.stuck.filter { $0.runs == 0 }.count
        let count = seen.stuck.count
        return [
            complaint(
                "never-ran", seen, certain: true,
                "\(count == 1 ? "a runnable task was" : "\(count) runnable tasks were") never run again: "
                    + "\(describe(worst)) waited \(seconds(worst.waited)) although nothing else wanted the CPUs",
                detail: seen.stuck.prefix(20).map(describe).joined(separator: "\n")
                    + (never > 0 ? "\n\(never) of them had never run at all" : ""))
        ]
    }

    private func hung(_ seen: Observation) -> [Complaint] {
        if seen.hung {
            return [
                complaint(
                    "hung", seen, certain: true,
                    "the load '\(seen.load)' did not end within \(seconds(UInt64(clamping: seen.elapsed)))")
            ]
        }
        guard seen.unfinished else { return [] }
        return [
            complaint(
                "hung", seen, certain: false,
                "the \(seen.tasks) tasks of '\(seen.load)' were not done after \(seconds(UInt64(clamping: seen.loaded)))"
            )
        ]
    }

    private func rejected(_ seen: Observation) -> [Complaint] {
        guard seen.rejected > 0 else { return [] }
        return [
            complaint(
                "rejected", seen, certain: true,
                "the scheduler refused \(seen.rejected) task(s) that asked for it (nr_rejected)")
        ]
    }

    private func kernelLog(_ seen: Observation) -> [Complaint] {
        let lines = seen.kernelLog.filter { KernelLog.weight(of: $0) == .fault }
        guard let first = lines.first else { return [] }
        return [
            complaint(
                "kernel-log", seen, certain: true, "the kernel complained under '\(seen.load)': \(first)",
                detail: lines.prefix(40).joined(separator: "\n"))
        ]
    }

    private func starvation(_ seen: Observation) -> [Complaint] {
        guard let worst = seen.starved.first else { return [] }
        return [
            complaint(
                "starvation", seen, certain: true,
                "\(describe(worst)) was runnable for \(seconds(worst.waited)) and did not run while others did",
                detail: seen.starved.prefix(20).map(describe).joined(separator: "\n"))
        ]
    }

    private func progress(_ seen: Observation, _ expected: Expectations) -> [Complaint] {
        let still = expected.progress.filter { seen.progress[$0] == 0 }.sorted()
        guard !still.isEmpty, seen.starved.isEmpty, seen.loaded > Self.patience else { return [] }
        return [
            complaint(
                "starvation", seen, certain: false,
                "a task of '\(seen.load)' got nothing done in \(seconds(UInt64(clamping: seen.loaded)))")
        ]
    }

    private func conservation(_ seen: Observation, _ expected: Expectations) -> [Complaint] {
        // Where the host paused the guest for a good part of the load, idle time is the host's.
        guard expected.keepsBusy, seen.loaded > 0, seen.hostStall * 5 < seen.loaded else { return [] }
        let whole = seen.whole
        let share = seen.idleShareOfWaits
        let stall = UInt64(clamping: 2 * seen.hostStall)
        guard share > idleShareBound(seen.tasks, expected) || whole.idleLongest > Self.idleBound + stall else {
            return []
        }
        return [
            complaint(
                "work-conservation", seen, certain: false,
                "CPUs were idle while tasks that may run on them waited: \(seconds(whole.idleTotal)) in a load of "
                    + "\(seconds(UInt64(clamping: seen.loaded))), at most \(seconds(whole.idleLongest)) at a time")
        ]
    }

    /// A CPU that comes out of idle late lets every waiting task wait beside it.
    func idleShareBound(_ tasks: Int, _ expected: Expectations) -> Double {
        expected.idleShareBound ?? max(0.4, 0.1 * Double(tasks))
    }

    /// Does the candidate leave CPUs idle beside waiting tasks where the default scheduler, measured in turn with it,
    /// does not? A busy host makes a guest's CPUs come out of idle late under any scheduler, now and then.
    /// - Parameter isNoisy: the guest has more CPUs than a host surely runs at once, or was seen to be paused: only what
    ///   no noise explains is an error there.
    /// - Returns: nil where it does not.
    package func leavesIdle(
        candidate: [Double], other: [Double], bound: Double, isNoisy: Bool
    ) -> Violation.Severity? {
        // Every turn of the candidate is worse than every one of the default's, and it is clearly so in the middle.
        guard candidate.count >= 3, let least = candidate.min(), let most = other.max(), least > most else {
            return nil
        }
        let middle = candidate.sorted()[candidate.count / 2]
        guard middle > 2 * other.sorted()[other.count / 2] + 0.05, middle > bound else { return nil }
        if !isNoisy { return .error }
        return least > 10 * most && least > 4 * bound ? .error : .warning
    }

    private func shares(_ seen: Observation, _ expected: Expectations) -> [Complaint] {
        guard isFairByWeight, !expected.shares.isEmpty, seen.hostStall * 5 < seen.loaded else { return [] }
        let times = expected.shares.keys.sorted().compactMap { group -> (group: Int, mean: Double)? in
            guard let all = seen.cpuTimes[group], !all.isEmpty else { return nil }
            return (group, Double(all.reduce(0, +)) / Double(all.count))
        }
        guard times.count == expected.shares.count else { return [] }
        // CPU time for each unit of weight; equal in a fair world.
        let rates = times.map { $0.mean / (expected.shares[$0.group] ?? 1) }
        guard let least = rates.min(), let most = rates.max(), least > 0 ? most / least > Self.fairnessFactor : true
        else { return [] }
        let text = times.map {
            "group \($0.group) (weight \(Int(expected.shares[$0.group] ?? 1))): "
                + "\(seconds(UInt64($0.mean))) a task"
        }
        return [
            complaint(
                "fairness", seen, certain: false,
                "it promises CPU time by nice weight, and one weight got \(ratio(most, least)) times as much for its "
                    + "weight as another", detail: text.joined(separator: "\n"))
        ]
    }

    /// Three times as much for the lighter is no noise of ticks.
    private func inversion(_ seen: Observation, _ expected: Expectations) -> [Complaint] {
        let times = expected.order.compactMap { seen.cpuTimes[$0] }.filter { !$0.isEmpty }.map {
            Double($0.reduce(0, +)) / Double($0.count)
        }
        guard times.count == expected.order.count, let heavy = times.first, let light = times.last,
            light > 3 * heavy, seen.hostStall * 5 < seen.loaded
        else { return [] }
        return [
            complaint(
                "fairness", seen, certain: false,
                "busy tasks of low weight got \(ratio(light, heavy)) times the CPU time of busy tasks of high weight")
        ]
    }

    private func forks(_ seen: Observation) -> [Complaint] {
        guard seen.failedForks > 0 else { return [] }
        return [
            complaint(
                "rejected", seen, certain: false, "\(seen.failedForks) new task(s) were refused: fork failed")
        ]
    }

    private func rest(_ seen: Observation, _ expected: Expectations) -> [Complaint] {
        guard expected.isIdle, seen.idleShare < Self.restingShare, seen.loaded > 0 else { return [] }
        return [
            complaint(
                "idle", seen, certain: false,
                "the CPUs were idle for \(Int(seen.idleShare * 100)) % of a time in which nothing had to run")
        ]
    }

    private func watchdogNear(_ seen: Observation) -> [Complaint] {
        let longest = seen.whole.longest
        guard seen.starved.isEmpty, longest > UInt64(clamping: watchdog / 2 + 2 * seen.hostStall) else { return [] }
        return [
            complaint(
                "stall", seen, certain: false, severity: .warning,
                "a task waited \(seconds(longest)), more than half of the scheduler's own watchdog "
                    + "(\(seconds(UInt64(clamping: watchdog))))")
        ]
    }

    private func ratio(_ a: Double, _ b: Double) -> String {
        b > 0 ? Decimal1.text(a / b) : "infinitely many"
    }

    private func describe(_ task: WaitingTask) -> String {
        let name = task.name.isEmpty ? "a task" : task.name
        let bound = task.cpus.nonzeroBitCount < cpus ? ", bound to CPU \(list(task.cpus))" : ""
        return "\(name.escapedForDisplay(limit: 20)) (process \(task.process), nice \(task.nice)\(bound))"
    }

    private func list(_ mask: UInt64) -> String {
        (0..<64).filter { mask >> UInt64($0) & 1 == 1 }.map(String.init).joined(separator: ",")
    }

    private func seconds(_ nanoseconds: UInt64) -> String {
        nanoseconds < 1_000_000_000
            ? "\(nanoseconds / 1_000_000) ms" : Decimal1.text(Double(nanoseconds) / 1e9) + " s"
    }
}

/// Numbers with one decimal, without Foundation.
enum Decimal1 {
    static func text(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "very many" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }
}
