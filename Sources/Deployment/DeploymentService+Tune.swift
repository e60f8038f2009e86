import Kernel
import Linux
import Logging
package import Model

/// What runs is changed: every value is checked before the first is written, the change is written down before it is made, and
/// what is told of it is read back from the kernel.
extension DeploymentService {
    /// What can be changed of what runs, and what is in force.
    package func tuning() async throws(Failure) -> TuningView {
        let (record, live) = try running()
        return try await view(record, live)
    }

    /// - Throws: `.invalidArgument` where a value is not one that may be; nothing is changed then.
    package func tune(_ request: TuneRequest, by actor: Model.Actor) async throws(Failure) -> TuningView {
        try request.check()
        try await beginWork(behindOthers: false)
        defer { endWork() }
        await noticeEnd(schedExt.read())
        let (record, live) = try running()
        guard request.deployment == 0 || request.deployment == record.id else {
            throw Failure(
                .notFound, "deployment \(request.deployment) does not run: \(record.id) does",
                hint: "see `schedctl status`")
        }
        await settleChanges()
        let (wanted, undoes) = try await self.wanted(request, record, live)
        let before = try live.current(like: wanted)
        guard before.withoutPaths != wanted.withoutPaths || undoes != 0 else { return try await view(record, live) }
        let change = TuningChange(
            deployment: record.id, uid: actor.uid, user: actor.user.escapedForDisplay(limit: 64), at: Clock.realtime(),
            undoes: undoes, before: before, after: wanted)
        try await make(try await journal.beginTuning(change), record, live)
        return try await view(record, live)
    }

    private func running() throws(Failure) -> (DeploymentRecord, any LiveAccess) {
        guard let record, current != nil else {
            let state = schedExt.read()
            throw Failure(
                .nothingDeployed, "no deployment of SchedCP is active",
                hint: state.isOccupied
                    ? "'\(state.ops.escapedForDisplay())' runs, and somebody else loaded it"
                    : "the kernel's default scheduler runs")
        }
        guard let live = current?.parts.live else {
            throw Failure(
                .invalidArgument, "the object of deployment \(record.id) is not stored any more: it cannot be changed",
                hint: "deploy it again")
        }
        return (record, live)
    }

    /// Writes a change into the kernel, and its end into the ledger.
    private func make(_ change: TuningChange, _ record: DeploymentRecord, _ live: any LiveAccess) async throws(Failure)
    {
        var ended = change
        do throws(Failure) {
            try around.stops.reach("before tune")
            try live.apply(change.after)
            try around.stops.reach("after tune")
            let tuned = try await journal.tuned(record.id).overlaid(with: change.after)
            ended.state = .applied
            try await journal.endTuning(ended, tuned: tuned.differing(from: deployed(record, live)))
        } catch {
            ended.state = .failed
            do throws(Failure) {
                try live.apply(change.before)
                try await journal.endTuning(ended, tuned: nil)
            } catch { logger.error("change \(change.id) was not made undone whole; it is tried again: \(error)") }
            throw error
        }
        let what = change.lines.prefix(8).joined(separator: ", ").escapedForDisplay(limit: 512)
        board.publish { _ in }
        await note(.tuned, "\(change.user) changed \(record.spec.scheduler): \(what)", record)
    }

    /// Changes that an earlier process, or a full disk, left in the middle: those that the kernel has are finished, the others undone.
    func settleChanges() async {
        guard let record, let live = current?.parts.live else { return }
        do throws(Failure) {
            let open = try await journal.tunings(of: record.id).filter { $0.state == .begun }
            for var change in open {
                var tuned: TuningValues?
                if try live.holds(change.after) {
                    change.state = .applied
                    tuned = try await journal.tuned(record.id).overlaid(with: change.after)
                        .differing(from: deployed(record, live))
                } else {
                    try live.apply(change.before)
                    change.state = .failed
                }
                try await journal.endTuning(change, tuned: tuned)
                let what = change.state == .applied ? "was made" : "was made undone"
                await note(
                    .tuned, "change \(change.id) of \(record.spec.scheduler), which was cut off, \(what)", record)
            }
        } catch { logger.error("a change that was cut off could not be settled, and will be tried again: \(error)") }
    }

    // MARK: Another load

    /// A scheduler that was put back as a new deployment keeps what was changed of the one before.
    func takeOver(_ request: DeploymentRequest, _ record: DeploymentRecord) async {
        guard !request.tuned.isEmpty else { return }
        guard !request.lost.isSet, let live = current?.parts.live else { return await lose(record) }
        let before = deployed(record, live).places(of: request.tuned)
        do throws(Failure) {
            var change = try await journal.beginTuning(
                TuningChange(
                    deployment: record.id, uid: 0, user: "schedcpd", at: Clock.realtime(), before: before,
                    after: request.tuned))
            change.state = .applied
            try await journal.endTuning(change, tuned: request.tuned)
        } catch { logger.error("that \(record.spec.scheduler) is changed could not be written down: \(error)") }
    }

    /// It runs as it was deployed, without what was changed of it.
    func lose(_ record: DeploymentRecord) async {
        do throws(Failure) { try await journal.loseTunings(of: record.id) } catch { logger.error("\(error)") }
        await note(
            .tuned, "what was changed of \(record.spec.scheduler) is gone: it had to be loaded anew", record)
    }
}
