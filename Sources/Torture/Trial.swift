import Glibc
package import GuestProtocol
package import Kernel
import Linux
package import Model

/// The dynamic stage: attaches the candidate, runs load after load, measures, and says what came of it.
package final class Trial {
    let options: TortureOptions
    let emit: (TrialRecord) -> Void
    private let load: () throws(Failure) -> LoadedScheduler
    let runner: LoadRunner
    let log: KernelLog
    private(set) var judge: Judge
    /// The candidate while it is attached, and what is left of it afterwards.
    private var attached: AttachedScheduler?
    private var isSaidToKeepState = false
    private var detached: DetachedScheduler?
    private var parts: AttachedScheduler.Parts?
    var errors = 0

    /// - Parameter load: loads the candidate anew, with its parameters and hints.
    package init(
        options: TortureOptions, probe: consuming RunqueueProbe, emit: @escaping (TrialRecord) -> Void,
        load: @escaping () throws(Failure) -> LoadedScheduler
    ) throws(Failure) {
        self.options = options
        self.emit = emit
        self.load = load
        log = KernelLog()
        let machine = Machine.prepare()
        judge = Judge(cpus: machine.cpus.count, isFairByWeight: options.isFairByWeight)
        do { runner = try LoadRunner(probe: probe, machine: machine, log: log) } catch {
            throw error.asFailure(.internal)
        }
    }

    var machine: Machine { runner.machine }

    /// What is wrong with what was seen, by this candidate's measure.
    func complaints(of seen: Observation, _ load: any Load) -> [Judge.Complaint] {
        judge.judge(seen, load.expectations, tolerating: options.tolerated)
    }

    /// Runs the whole stage.
    package func run() -> TrialRecord.Verdict {
        // From here on this process needs nothing of the candidate.
        guard Worker.set(.fifo, priority: 40, reset: true) else {
            complain(Violation(check: "guest", message: "the guest's judge cannot become a real-time task"))
            return .unable
        }
        // It keeps to one CPU: whatever wakes on a CPU also makes its scheduler look for work there.
        Worker.set(cpus: 1 << UInt64(machine.cpus.first ?? 0))
        do throws(Failure) {
            try attachFresh()
        } catch {
            complain(Violation(check: "attach", message: error.message, detail: error.detail))
            switch error.code {
            case .attachFailed, .verifierRefused, .malformedObject, .invalidArgument: return .failed
            default: return .unable
            }
        }
        let loads = LoadCatalogue.loads(for: options, machine: machine)
        let isOver = !loads.filter { !LoadCatalogue.last.contains($0.name) }.allSatisfy(torment)
        if !isOver { attachRepeatedly() }
        if errors == 0 { _ = loads.filter { LoadCatalogue.last.contains($0.name) }.allSatisfy(torment) }
        end()
        return errors == 0 ? .passed : .failed
    }

    func complain(_ violation: Violation) {
        if violation.severity == .error { errors += 1 }
        emit(.violation(violation))
    }

    /// Says that a step begins and how it ended.
    func step(_ name: String, subject: String = "", _ body: () throws(Failure) -> Void) throws(Failure) {
        let start = Linux.Clock.monotonic()
        emit(.began(step: name, subject: subject))
        func end(_ message: String?) {
            emit(
                .ended(
                    StepEnd(
                        step: name, subject: subject, isSuccess: message == nil, message: message ?? "",
                        nanoseconds: UInt64(clamping: Linux.Clock.monotonic() - start))))
        }
        do throws(Failure) { try body() } catch {
            end(error.message)
            throw error
        }
        end(nil)
    }

    // MARK: The candidate comes and goes.

    /// Loads it again, so that nothing of an earlier run is left in it, and attaches it.
    func attachFresh() throws(Failure) {
        detach()
        var loaded: LoadedScheduler?
        try step("load") { () throws(Failure) in loaded = try load() }
        guard let loaded = loaded.take() else { return }
        judge = Judge(
            cpus: machine.cpus.count, isFairByWeight: options.isFairByWeight,
            watchdogMilliseconds: loaded.watchdogMilliseconds())
        var fresh: LoadedScheduler? = consume loaded
        try step("attach") { () throws(Failure) in
            guard let loaded = fresh.take() else { return }
            let now = try loaded.attach()
            parts = now.parts
            attached = consume now
        }
        runner.follow(onlyExtPolicy: !SchedExt().read().switchAll)
    }

    /// Puts the default scheduler back.
    func detach() {
        guard let attached = attached.take() else { return }
        detached = attached.detach()
        runner.abandon()
    }

    /// The same programs and maps again. A candidate whose maps keep what its last time left there may come back only when
    /// it is loaded anew; that is said once.
    func attachAgain() throws(Failure) {
        guard let detached = detached.take() else { return try attachFresh() }
        let reason: String
        do throws(Failure) {
            let now = try detached.attachAgain()
            parts = now.parts
            attached = consume now
            Worker.pause(microseconds: 5000)
            if isEnabled { return }
            reason = exitInfo()?.summary ?? "it ended at once"
        } catch { reason = error.message }
        if !isSaidToKeepState {
            isSaidToKeepState = true
            let message = "it has to be loaded anew to be attached again: \(reason)"
            complain(Violation(check: "reattach", severity: .warning, message: message))
        }
        try attachFresh()
    }

    private var isEnabled: Bool { SchedExt().read().state == "enabled" }

    var isAttached: Bool { attached != nil }
    func exitInfo() -> ExitInfo? { parts?.exit?.read() }

    private func end() {
        guard isAttached else { return }
        try? step("detach") { () throws(Failure) in detach() }
        if let info = exitInfo(), info.kind.isError, errors == 0 {
            complain(Violation(check: "ejected", message: "the scheduler ended with an error: \(info.summary)"))
        }
    }

    /// Detaches and attaches it in turn, measuring meanwhile: whoever cannot come back cannot be rolled back to.
    private func attachRepeatedly() {
        do throws(Failure) {
            if options.measuresPerformance {
                try step("performance") { () throws(Failure) in try compare() }
            }
            let times = options.effort == .full ? 20 : (options.measuresPerformance ? 0 : 3)
            guard times > 0 else { return }
            try step("reattach", subject: "\(times) times") { () throws(Failure) in
                for _ in 0..<times {
                    detach()
                    try attachAgain()
                    Worker.pause(microseconds: 5000)
                    guard SchedExt().read().state == "enabled" else {
                        throw Failure(.ejected, exitInfo()?.summary ?? "it ended at once")
                    }
                }
            }
        } catch {
            // What a load found out already says more.
            guard errors == 0 else { return }
            complain(
                Violation(
                    check: "reattach", message: "it could not be attached again: \(error.message)",
                    detail: error.detail))
        }
    }
}
