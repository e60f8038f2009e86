import GuestProtocol
import Kernel
import Linux
import Model

extension Trial {
    /// Nanoseconds that may be spent on seeing a failure again and making it smaller.
    private var reproductionTime: Int64 { options.effort == .full ? 60_000_000_000 : 20_000_000_000 }

    /// Sees a failure again, alone and with fewer tasks, and says it with the smallest setting that still fails. What
    /// noise could have caused counts only when it is seen twice, and not of the default scheduler.
    func explain(_ kind: any Load.Type, _ seen: Observation, _ complaints: [Judge.Complaint]) {
        // What is no fault of this policy is said once and not looked into.
        if complaints.allSatisfy(\.isOnlyRemark) {
            return tell(complaints, as: nil, "No reason to refuse this candidate: its description or the rules say so.")
        }
        let deadline = Linux.Clock.monotonic() + reproductionTime
        let checks = Set(complaints.map(\.violation.check))
        if checks == ["work-conservation"] { return explainIdleness(kind, seen, complaints) }
        let again = repeated(kind, tasks: seen.tasks, checks)
        var smallest = again == nil ? nil : seen.tasks
        var runs = 2
        let kept = complaints.filter {
            $0.violation.severity == .error && ($0.isCertain || again?.contains($0.violation.check) == true)
        }
        let isCertain = kept.contains(where: \.isCertain)
        if !kept.isEmpty, !isCertain, isOfTheMachine(kind, seen.tasks, checks) {
            return tell(complaints, as: .note, "The default scheduler does the same on this machine.")
        }
        guard !kept.isEmpty else {
            let said = again == nil ? "It was seen once and not again." : ""
            return tell(
                complaints, as: complaints.contains { $0.violation.severity == .error } ? .note : .warning, said)
        }
        while let known = smallest, Linux.Clock.monotonic() < deadline {
            let fewer = max(kind.fewestTasks, known / 2)
            guard fewer < known else { break }
            runs += 1
            guard repeated(kind, tasks: fewer, checks) != nil else { break }
            smallest = fewer
        }
        tell(kept, as: nil, setting(kind, smallest, runs: runs))
    }

    /// Measures in turn with the default scheduler whether the candidate is the one that leaves CPUs idle.
    private func explainIdleness(_ kind: any Load.Type, _ seen: Observation, _ complaints: [Judge.Complaint]) {
        let load = kind.init(tasks: seen.tasks)
        var own: [Double] = []
        var others: [Double] = []
        var isNoisy = machine.cpus.count > 2 || seen.hostStall > 0
        for round in 0..<5 {
            detach()
            let other = watch(load, milliseconds: load.milliseconds, byCandidate: false)
            if isBroken(other) { runner.abandon() }
            others.append(other.idleShareOfWaits)
            if other.hostStall > 0 { isNoisy = true }
            guard let again = observe(load, milliseconds: load.milliseconds, isFresh: round == 0) else { return }
            let certain = self.complaints(of: again, load).filter(\.isCertainError)
            if isBroken(again) { recover(again, keepsDump: true) }
            if !certain.isEmpty { return tell(certain, as: nil, "") }
            own.append(again.idleShareOfWaits)
            if again.hostStall > 0 { isNoisy = true }
        }
        func list(_ shares: [Double]) -> String {
            shares.map { "\(Int(($0 * 100).rounded())) %" }.joined(separator: ", ")
        }
        let text =
            "Waits beside idle CPUs as a share of the time, in turns: candidate \(list(own)); default scheduler "
            + "\(list(others)); '\(kind.name)' with \(seen.tasks) task(s) on \(machine.cpus.count) CPU(s)."
        let bound = judge.idleShareBound(seen.tasks, load.expectations)
        let severity = judge.leavesIdle(candidate: own, other: others, bound: bound, isNoisy: isNoisy)
        tell(complaints, as: severity ?? .note, text)
    }

    private func setting(_ kind: any Load.Type, _ tasks: Int?, runs: Int) -> String {
        let cpus = machine.cpus.count
        guard let tasks else {
            return "Run again alone, '\(kind.name)' did not fail: it takes what came before it, or chance."
        }
        return "The smallest setting that failed in \(runs) runs: '\(kind.name)' alone with \(tasks) "
            + "task\(tasks == 1 ? "" : "s") on \(cpus) CPU\(cpus == 1 ? "" : "s"), the candidate just attached."
    }

    private func tell(_ complaints: [Judge.Complaint], as severity: Violation.Severity?, _ more: String) {
        for complaint in complaints {
            var violation = complaint.violation
            if let severity { violation.severity = severity }
            violation.detail = [more, violation.detail].filter { !$0.isEmpty }.joined(separator: "\n")
            complain(violation)
        }
    }

    /// Runs the load alone with the candidate just attached; the checks among these that fail again, nil where none does.
    private func repeated(_ kind: any Load.Type, tasks: Int, _ checks: Set<String>) -> Set<String>? {
        let load = kind.init(tasks: tasks)
        // Shares of CPU time need longer than waits.
        let longer = checks.contains("fairness") ? 2500 : nil
        guard let seen = observe(load, milliseconds: longer, isFresh: true) else { return nil }
        let complaints = complaints(of: seen, load)
        if isBroken(seen) { recover(seen, keepsDump: false) }
        let failed = Set(complaints.filter { $0.violation.severity == .error }.map(\.violation.check)).intersection(
            checks)
        return failed.isEmpty ? nil : failed
    }

    /// Does the default scheduler fail the same check?
    private func isOfTheMachine(_ kind: any Load.Type, _ tasks: Int, _ checks: Set<String>) -> Bool {
        detach()
        runner.follow(onlyExtPolicy: false)
        let load = kind.init(tasks: tasks)
        let seen = watch(load, milliseconds: nil, byCandidate: false)
        runner.abandon()
        return complaints(of: seen, load).contains { checks.contains($0.violation.check) }
    }
}
