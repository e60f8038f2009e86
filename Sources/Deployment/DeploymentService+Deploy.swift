import Kernel
import Linux
import Logging
package import Model

extension DeploymentService {
    /// Makes a scheduler the machine's. The record that it returns is on disk, and the kernel's state was read back.
    package func deploy(
        _ request: DeploymentRequest, progress: @escaping @Sendable (String) -> Void
    ) async throws(Failure) -> DeploymentRecord {
        try await beginWork(behindOthers: false)
        defer { endWork() }
        await noticeEnd(schedExt.read())
        let deployed = try await deployNow(request, progress: progress)
        // Who deploys by hand wants this, not what ran before.
        do throws(Failure) { try await setIntent(nil) } catch { logger.error("\(error)") }
        return deployed
    }

    func deployNow(
        _ request: DeploymentRequest, progress: @escaping @Sendable (String) -> Void
    ) async throws(Failure) -> DeploymentRecord {
        let before = try checkKernel(takeover: request.takeover)
        progress("recording")
        let artifact = try around.artifacts.put(request.object)
        try await checkQuarantine(artifact)
        let spec = DeploymentSpec(
            scheduler: request.scheduler, artifact: artifact, parameters: request.settings, hints: request.hints,
            hintMaps: request.hintMaps, actor: request.actor, authority: request.authority, live: request.live)
        let new = try await journal.begin(spec, previous: record?.id ?? 0, at: Clock.realtime())
        let work = Work(request, before: before, record: new, progress: progress)
        self.work = work
        defer { self.work = nil }
        let plan = DeploymentAction.deployment(
            replacing: current != nil, foreign: before.owner(ourSequence: record?.enableSequence) == .foreign)
        do throws(Failure) {
            try await Executor.run(
                plan, of: new.id, ledger: journal, stops: around.stops,
                perform: { action throws(Failure) in try await perform(action) },
                undo: { action in await undo(action) },
                late: { action, failure in logger.error("\(action.rawValue) of deployment \(new.id): \(failure)") })
        } catch {
            await fail(&work.record, error)
            throw error
        }
        await note(.deployed, "\(work.record.spec.scheduler) is the machine's scheduler", work.record)
        await takeOver(request, work.record)
        if let oldRecord = work.oldRecord {
            await note(
                oldRecord.state.event, "\(oldRecord.spec.scheduler) made way for deployment \(new.id)", oldRecord)
        }
        return work.record
    }

    /// What is missing, and whose scheduler runs, before anything is changed.
    private func checkKernel(takeover: Bool) throws(Failure) -> KernelState {
        let missing = HostProbe.missingForDeployment()
        guard missing.isEmpty else {
            throw Failure(
                .kernelUnsupported, "this kernel cannot run a sched_ext scheduler",
                hint: "schedctl doctor says what to do",
                detail: missing.joined(separator: "\n"))
        }
        let state = schedExt.read()
        if state.owner(ourSequence: record?.enableSequence) == .foreign && !takeover {
            throw Failure(
                .foreignScheduler,
                "the scheduler '\(state.ops.escapedForDisplay(limit: 128))' runs, and somebody else loaded it",
                hint: "stop the program that loaded it, or replace it with --takeover")
        }
        return state
    }

    func checkQuarantine(_ artifact: String) async throws(Failure) {
        guard let entry = try await journal.quarantined().first(where: { $0.artifact == artifact }) else { return }
        throw Failure(
            .denied,
            "quarantined: the kernel threw this artifact out in deployment \(entry.deployment): \(entry.reason)",
            hint: "an operator may release it: schedctl quarantine release \(artifact.prefix(16))")
    }

    private func perform(_ action: DeploymentAction) async throws(Failure) {
        guard let work else { throw Failure(.internal, "there is no work for \(action.rawValue)") }
        switch action {
        case .load:
            work.progress("verifying")
            work.loaded = try work.request.load(abi: try KernelABI.read(), topology: CPUTopology.read())
        case .ejectForeign:
            work.progress("taking over from '\(work.before.ops.escapedForDisplay(limit: 128))'")
            try await around.ejector.eject(ops: work.before.ops)
        case .detachPrevious:
            work.oldRecord = record
            work.old = current.take()?.detach()
        case .attach:
            if case .restored = work.request.authority { try makeWay() }
            work.progress("attaching")
            guard let loaded = work.loaded.take() else { throw Failure(.internal, "nothing was loaded") }
            let attached = try loaded.attach(hintMaps: work.request.hintMaps)
            let (name, exit) = (attached.name, attached.exitInfo())
            work.attached = consume attached
            try confirm(name, exit, in: &work.record)
        case .keep: try keep(work)
        case .activate:
            var active = work.record
            try active.move(to: .active, reason: "", at: Clock.realtime())
            try await journal.update(active)
            work.record = active
            current = work.attached.take()
            record = active
            board.publish { [active] in $0.active = active }
        case .retirePrevious:
            guard var old = work.oldRecord else { return }
            let exit = work.old?.exitInfo()
            let why = "deployment \(work.record.id) took its place"
            if let exit, exit.kind.isError {
                // The kernel was faster, by a moment.
                old.blame = Blame.judge(exit)
                await end(&old, .ejected, "\(exit.summary); \(why)", exit: exit)
                if old.blame == .scheduler { try await quarantine(old, exit.summary) }
            } else {
                await end(&old, .superseded, why, exit: exit)
            }
            work.oldRecord = old
        case .detach, .forget, .finish: throw Failure(.internal, "\(action.rawValue) is not part of a deployment")
        }
    }

    private func undo(_ action: DeploymentAction) async {
        guard let work else { return }
        switch action {
        case .load: work.loaded = nil
        // By command, not by closing: systemd may hold a copy of the link for a moment longer.
        case .attach: _ = work.attached.take()?.detach()
        case .keep: DescriptorStore.forget(work.record.id)
        case .detachPrevious: await restorePrevious(work)
        case .ejectForeign, .activate, .retirePrevious, .detach, .forget, .finish: break
        }
    }

    private func keep(_ work: Work) throws(Failure) {
        guard let attached = work.attached.take() else { throw Failure(.internal, "nothing was attached") }
        do throws(Failure) {
            _ = try DescriptorStore.keep(work.record.id, attached)
            work.attached = consume attached
        } catch {
            work.attached = consume attached
            throw error
        }
    }

    /// Puts back what had to make way for a deployment that failed.
    private func restorePrevious(_ work: Work) async {
        guard let oldRecord = work.oldRecord, let old = work.old.take() else { return }
        await putBack(old, oldRecord, "because deployment \(work.record.id) failed")
    }

    private func fail(_ new: inout DeploymentRecord, _ failure: Failure) async {
        // It may have become active before the disk refused the record.
        new = DeploymentRecord(id: new.id, spec: new.spec, previous: new.previous, requestedAt: new.requestedAt)
        do throws(Failure) { try new.move(to: .failed, reason: failure.message, at: Clock.realtime()) } catch {
            return logger.error("\(error)")
        }
        let failed = new
        board.publish { $0.lastEnded = failed }
        await write(new)
        await note(.failed, "\(new.spec.scheduler) was not deployed: \(failure.message)", new)
    }
}
