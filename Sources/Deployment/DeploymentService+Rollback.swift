import Kernel
import Linux
import Logging
package import Model
import Service

extension DeploymentService {
    /// Gives the machine back to the kernel's default scheduler. Waits for a deployment in progress and rolls that back, and what is
    /// being put back after an ejection then stays away.
    package func rollback(by actor: Model.Actor) async throws(Failure) -> DeploymentRecord {
        try await beginWork(behindOthers: true)
        defer { endWork() }
        await noticeEnd(schedExt.read())
        guard let running = record, current != nil else {
            let state = schedExt.read()
            if intent != nil {
                try await setIntent(nil)
                throw Failure(
                    .nothingDeployed, "no deployment of SchedCP is active",
                    hint: "the one that was about to be put back will not be")
            }
            throw Failure(
                .nothingDeployed, "no deployment of SchedCP is active",
                hint: state.isOccupied
                    ? "'\(state.ops.escapedForDisplay())' runs, and somebody else loaded it"
                    : "the kernel's default scheduler runs")
        }
        do throws(Failure) { try await setIntent(nil) } catch { logger.error("\(error)") }
        let who = actor.user.escapedForDisplay(limit: 64)
        var ended = running
        for action in DeploymentAction.rollback {
            // A rollback is what puts things right: a disk that refuses the ledger does not stop it.
            do throws(Failure) {
                try await journal.mark(running.id, LedgerEntry(action: action, mark: .begun, at: Clock.realtime()))
            } catch { logger.error("\(action.rawValue) goes on without the ledger: \(error)") }
            try around.stops.reach("before \(action.rawValue)")
            await roll(action, &ended, by: who)
            try around.stops.reach("after \(action.rawValue)")
        }
        await note(.rolledBack, "\(ended.spec.scheduler) was rolled back by \(who)", ended)
        return ended
    }

    private func roll(_ action: DeploymentAction, _ ended: inout DeploymentRecord, by who: String) async {
        switch action {
        case .detach:
            let detached = current.take()?.detach()
            ended.exit = detached?.exitInfo()
            record = nil
            board.publish { $0.active = nil }
        case .forget:
            DescriptorStore.forget(ended.id)
            Systemd.barrier()
        case .finish: await end(&ended, .rolledBack, "rolled back by \(who)", exit: ended.exit)
        default: break
        }
    }
}
