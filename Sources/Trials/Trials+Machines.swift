import GuestProtocol
import Linux
import MicroVM
import Model
import Synchronization

/// What came of one machine, or of the last try at it.
struct MachineRun: Sendable {
    var boot: Duration?
    var load: CommandRun?
    var dynamic: CommandRun?
    /// Why the machine, or talking with it, ended too early.
    var error: MachineError?
    var console = ""
    /// How often, before this run, the machine had stopped answering.
    var silences = 0
}

/// One command of the guest, as far as it got.
struct CommandRun: Sendable {
    var transcript = TrialTranscript()
    /// nil: the machine ended first, or nothing more came.
    var end: GuestCommandEnd?
    var nanoseconds: Int64 = 0
    /// The kernel's complaints on the console while it ran.
    var console: [String] = []
}

/// Which commands a machine is booted for.
struct MachineJob: Sendable {
    let shape: TrialShape
    let candidate: TrialCandidate
    let effort: Effort
    let withLoad: Bool
    let withDynamic: Bool
    /// Until the machine is ended whatever it does.
    let lifetime: Duration
    /// Told once the kernel stage is over and the dynamic one has not begun.
    let loaded: @Sendable (MachineRun) -> Bool
    let progress: @Sendable (String) -> Void
}

extension TrialMachine {
    static let objectPath = "/candidate.bpf.o"
    static let hintsPath = "/candidate.hints"

    /// Boots and does the job, again where ``Tries`` says so.
    func run(_ job: MachineJob) async -> MachineRun {
        var tries = Tries()
        while true {
            var run = await runOnce(job)
            run.silences = tries.silences
            guard let reason = tries.reasonForAnother(after: run) else { return run }
            job.progress(reason)
        }
    }

    private func runOnce(_ job: MachineJob) async -> MachineRun {
        let shared = Kept(MachineRun())
        job.progress("booting a machine with \(job.shape.title)")
        let begin = ContinuousClock.now
        do {
            try await withVirtualMachine(
                spec(job.shape, lifetime: job.lifetime), cache: CacheFolder(options.cache)
            ) { machine in
                shared.change { $0.boot = ContinuousClock.now - begin }
                defer { shared.change { $0.console = machine.console.text } }
                try await perform(job, in: machine, shared)
            }
        } catch let error as MachineError {
            shared.change { $0.error = error }
        } catch {
            shared.change { $0.error = MachineError(.system, "the trial was given up: \(error)") }
        }
        shared.change { run in
            if run.console.isEmpty { run.console = run.error?.console.joined(separator: "\n") ?? "" }
        }
        return shared.value
    }

    private func perform(_ job: MachineJob, in machine: QEMUMachine, _ shared: Kept<MachineRun>) async throws {
        try await machine.put(job.candidate.object, to: Self.objectPath, mode: 0o600)
        var words = [Self.objectPath]
        for setting in job.candidate.parameters { words += ["--param", "\(setting.name)=\(setting.value)"] }
        let hints = TrialHints.lines(job.candidate)
        if !hints.isEmpty {
            try await machine.put(Array(hints.utf8), to: Self.hintsPath, mode: 0o600)
            words += ["--hints", Self.hintsPath]
        }
        if job.withLoad {
            _ = try await command(["load"] + words, options.limits.load, job, machine) { run in
                shared.change { $0.load = run }
            }
            guard job.loaded(shared.value) else { return }
        }
        if job.withDynamic {
            let more = Self.options(job)
            _ = try await command(
                ["dynamic"] + words + more, options.limits.dynamic(job.effort), job, machine
            ) { run in shared.change { $0.dynamic = run } }
        }
    }

    /// The guest's options of the dynamic stage.
    static func options(_ job: MachineJob) -> [String] {
        let promises = job.candidate.promises
        var words = promises.sorted { $0.key < $1.key }.flatMap { ["--promise", "\($0.key)=\($0.value)"] }
        words += ["--effort", job.effort.rawValue, "--shape", job.shape.name]
        let tolerated = job.candidate.tolerated.sorted()
        if !tolerated.isEmpty { words += ["--tolerate", tolerated.joined(separator: ",")] }
        if !job.withLoad {
            let loads = job.shape.loads(fairByWeight: promises["fair_by_weight"] == "true")
            words += ["--performance", "no", "--loads", loads.joined(separator: ",")]
        }
        return words
    }

    /// Runs one command; `keep` gets what there is of it, also when the machine ends meanwhile.
    private func command(
        _ arguments: [String], _ limit: Duration, _ job: MachineJob, _ machine: QEMUMachine,
        keep: (CommandRun) -> Void
    ) async throws -> CommandRun {
        let transcript = Kept(TrialTranscript())
        let before = Set(KernelLog.complaints(in: machine.console.text.split(separator: "\n")))
        let begin = ContinuousClock.now
        func sofar(_ end: GuestCommandEnd?) -> CommandRun {
            let complaints = KernelLog.complaints(in: machine.console.text.split(separator: "\n"))
            return CommandRun(
                transcript: transcript.value, end: end, nanoseconds: (ContinuousClock.now - begin).inNanoseconds,
                console: complaints.filter { !before.contains($0) })
        }
        let progress = job.progress
        do {
            let end = try await Self.run(arguments, in: machine, limit: limit) { record in
                if case .began(let step, let subject) = record { progress(subject.isEmpty ? step : subject) }
                transcript.change { $0.add(record) }
            }
            let run = sofar(end)
            keep(run)
            return run
        } catch {
            if (error as? MachineError)?.code == .stopped {
                // The console's last words come with the machine's end.
                _ = try? await machine.waitUntilStopped(timeout: .seconds(3))
            }
            keep(sofar(nil))
            throw error
        }
    }
}

/// A value that several tasks change.
final class Kept<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }

    func change(_ body: (inout Value) -> Void) { state.withLock { body(&$0) } }
}

extension Duration {
    var inNanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
