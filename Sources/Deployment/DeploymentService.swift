package import Kernel
import Linux
package import Logging
package import Model

/// Owns the machine's scheduler. One deployment at a time; whatever step fails, the steps before it are undone.
package actor DeploymentService {
    private let executor = QueueExecutor(label: "schedcp.deployment")
    /// Loading may keep the verifier busy for seconds: not on the threads that serve clients.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package nonisolated let schedExt: SchedExt
    package nonisolated let events: EventLog
    package nonisolated let board: StatusBoard
    let journal: any DeploymentJournal
    let artifacts: any ArtifactKeeper
    let ejector: any ForeignEjector
    let logger: Logger

    /// The scheduler that we hold, and its record.
    var current: AttachedScheduler?
    var record: DeploymentRecord?
    var isBusy = false
    /// The foreign scheduler last seen, to tell its coming and going.
    var foreignSequence: UInt64?

    package init(
        schedExt: SchedExt, journal: any DeploymentJournal, artifacts: any ArtifactKeeper, ejector: any ForeignEjector,
        events: EventLog, board: StatusBoard, logger: Logger
    ) {
        self.schedExt = schedExt
        self.journal = journal
        self.artifacts = artifacts
        self.ejector = ejector
        self.events = events
        self.board = board
        self.logger = logger
    }

    // MARK: Deploy

    /// Makes a scheduler the machine's. The record that it returns is on disk, and the kernel's state was read back.
    package func deploy(
        _ request: DeploymentRequest, progress: @Sendable (String) -> Void
    ) async throws(Failure) -> DeploymentRecord {
        try beginWork()
        defer { isBusy = false }
        let before = try checkKernel(takeover: request.takeover)
        progress("recording")
        let spec = DeploymentSpec(
            scheduler: request.scheduler, artifact: try artifacts.put(request.object), parameters: request.settings,
            hints: request.hints, actor: request.actor)
        var new = try await journal.begin(spec, at: Clock.realtime())
        do throws(Failure) {
            progress("verifying")
            let loaded = try request.load(abi: try KernelABI.read(), topology: CPUTopology.read())
            if before.owner(ourSequence: record?.enableSequence) == .foreign {
                progress("taking over from '\(before.ops.escapedForDisplay(limit: 128))'")
                try await ejector.eject(ops: before.ops)
            }
            progress("attaching")
            try await exchange(for: loaded, record: &new)
        } catch {
            await fail(&new, error)
            throw error
        }
        note(.deployed, "\(new.spec.scheduler) is the machine's scheduler", new)
        return new
    }

    private func beginWork() throws(Failure) {
        guard !isBusy else {
            throw Failure(
                .busy, "another deployment or rollback is in progress", hint: "wait for it: schedctl events --follow")
        }
        isBusy = true
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

    /// Old scheduler out, new one in, its descriptors with systemd, its record on disk; or everything as before.
    private func exchange(
        for loaded: consuming LoadedScheduler, record new: inout DeploymentRecord
    ) async throws(Failure) {
        let oldRecord = record
        let old = current.take()?.detach()
        let attached: AttachedScheduler
        do { attached = try attach(loaded, &new) } catch {
            await restore(old, oldRecord, because: error)
            throw error
        }
        do throws(Failure) {
            _ = try DescriptorStore.keep(new.id, attached)
            try new.move(to: .active, reason: "", at: Clock.realtime())
            try await journal.update(new)
        } catch {
            // By command, not by closing: systemd may hold a copy of the link for a moment longer.
            _ = attached.detach()
            DescriptorStore.forget(new.id)
            await restore(old, oldRecord, because: error)
            throw error
        }
        current = consume attached
        record = new
        board.publish { [new] in $0.active = new }
        if var oldRecord {
            await end(&oldRecord, .superseded, "deployment \(new.id) took its place", exit: old?.exitInfo())
        }
    }

    private func attach(
        _ loaded: consuming LoadedScheduler, _ new: inout DeploymentRecord
    ) throws(Failure) -> AttachedScheduler {
        let attached = try loaded.attach()
        try confirm(attached.name, in: &new)
        return attached
    }

    /// The kernel is asked what it runs; the attach's own word is not enough.
    private func confirm(_ name: String, in new: inout DeploymentRecord) throws(Failure) {
        let state = schedExt.read()
        guard state.state == "enabled", state.ops.hasPrefix(name) else {
            throw Failure(
                .attachFailed,
                "the kernel says '\(state.state)' with '\(state.ops.escapedForDisplay())' after the attach of '\(name)'",
                hint: "see the kernel's log: journalctl -k")
        }
        new.ops = state.ops
        new.enableSequence = state.enableSequence
    }

    /// Puts back what had to make way for a deployment that failed.
    private func restore(_ old: consuming DetachedScheduler?, _ oldRecord: DeploymentRecord?, because failure: Failure)
        async
    {
        guard let old, let oldRecord else { return }
        do throws(Failure) {
            await hold(try old.attachAgain(), oldRecord, .restored, "was put back: \(failure.message)")
        } catch {
            record = nil
            board.publish { $0.active = nil }
            var ended = oldRecord
            let reason = "it made way for a deployment that failed, and could not be put back: \(error.message)"
            await end(&ended, .superseded, reason, exit: nil)
        }
    }

    /// Takes a scheduler that was attached again as the current one, with its new place in the kernel's sequence.
    func hold(
        _ attached: consuming AttachedScheduler, _ old: DeploymentRecord, _ kind: SchedulerEvent.Kind, _ what: String
    ) async {
        var held = old
        held.enableSequence = schedExt.read().enableSequence
        do throws(Failure) { _ = try DescriptorStore.keep(held.id, attached) } catch {
            logger.error("\(held.spec.scheduler) will not outlive this process: \(error)")
        }
        current = consume attached
        record = held
        board.publish { [held] in $0.active = held }
        do throws(Failure) { try await journal.update(held) } catch {
            logger.error("deployment \(held.id) runs again, and that could not be recorded: \(error)")
        }
        note(kind, "\(held.spec.scheduler) \(what)", held)
    }

    private func fail(_ new: inout DeploymentRecord, _ failure: Failure) async {
        do throws(Failure) {
            // It may have become active before the disk refused the record.
            new = DeploymentRecord(id: new.id, spec: new.spec, requestedAt: new.requestedAt)
            try new.move(to: .failed, reason: failure.message, at: Clock.realtime())
            try await journal.update(new)
        } catch { logger.error("deployment \(new.id) failed, and that could not be recorded: \(error)") }
        let failed = new
        board.publish { $0.lastEnded = failed }
        note(.failed, "\(new.spec.scheduler) was not deployed: \(failure.message)", new)
    }

    // MARK: Roll back

    /// Gives the machine back to the kernel's default scheduler.
    package func rollback(by actor: Actor) async throws(Failure) -> DeploymentRecord {
        try beginWork()
        defer { isBusy = false }
        guard var ended = record, let scheduler = current.take() else {
            let state = schedExt.read()
            throw Failure(
                .nothingDeployed, "no deployment of SchedCP is active",
                hint: state.isOccupied
                    ? "'\(state.ops.escapedForDisplay())' runs, and somebody else loaded it"
                    : "the kernel's default scheduler runs")
        }
        let detached = scheduler.detach()
        DescriptorStore.forget(ended.id)
        Systemd.barrier()
        record = nil
        board.publish { $0.active = nil }
        let who = actor.user.escapedForDisplay(limit: 64)
        await end(&ended, .rolledBack, "rolled back by \(who)", exit: detached.exitInfo())
        note(.rolledBack, "\(ended.spec.scheduler) was rolled back by \(who)", ended)
        return ended
    }

    /// Records an end. The kernel has moved on already, so a disk that refuses is logged, not thrown: the next start
    /// reconciles the record with the kernel.
    func end(_ ended: inout DeploymentRecord, _ state: DeploymentState, _ reason: String, exit: ExitInfo?) async {
        DescriptorStore.forget(ended.id)
        do throws(Failure) {
            ended.exit = exit
            try ended.move(to: state, reason: reason, at: Clock.realtime())
            let last = ended
            board.publish { $0.lastEnded = last }
            try await journal.update(ended)
        } catch { logger.error("the end of deployment \(ended.id) could not be recorded: \(error)") }
    }

    func note(_ kind: SchedulerEvent.Kind, _ message: String, _ record: DeploymentRecord?) {
        events.append(kind, message, record: record, at: Clock.realtime())
        logger.log(
            level: kind == .ejected || kind == .failed ? .warning : .notice, "\(message)",
            metadata: ["event": "\(kind.rawValue)", "deployment": "\(record?.id ?? 0)"])
    }

    package func deployment(_ id: Int64) async throws(Failure) -> DeploymentRecord {
        guard let record = try await journal.record(id) else {
            throw Failure(.notFound, "there is no deployment \(id)", hint: "see `schedctl history`")
        }
        return record
    }

    package func history(limit: Int) async throws(Failure) -> [DeploymentRecord] {
        try await journal.recent(limit: limit)
    }
}
