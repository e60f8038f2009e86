import Linux
import Model

/// Drives a plan: writes each action to the ledger, then does it; when one fails, undoes those before it in reverse.
enum Executor {
    /// - Parameters:
    ///   - perform: does one action. What it has changed when it throws, `undo` must be able to undo.
    ///   - undo: undoes an action that was begun; never called for one at or after the commit.
    /// - Throws: what the failing action threw, after the undoing. What fails after the commit is only reported to `late`: the
    ///   deployment has happened, and the next start finishes what is left.
    static func run(
        _ plan: [DeploymentAction], of id: Int64, ledger: any DeploymentLedger, stops: any Stops,
        isolation: isolated (any _Concurrency.Actor)? = #isolation,
        perform: (DeploymentAction) async throws(Failure) -> Void, undo: (DeploymentAction) async -> Void,
        late: (DeploymentAction, Failure) -> Void
    ) async throws(Failure) {
        var begun: [DeploymentAction] = []
        var isCommitted = false
        for action in plan {
            do throws(Failure) {
                do throws(Failure) {
                    try await ledger.mark(id, LedgerEntry(action: action, mark: .begun, at: Clock.realtime()))
                } catch {
                    // What has happened is finished also where the ledger cannot be written.
                    guard isCommitted else { throw error }
                    late(action, error)
                }
                begun.append(action)
                try stops.reach("before \(action.rawValue)")
                try await perform(action)
                if action == .commit { isCommitted = true }
                try stops.reach("after \(action.rawValue)")
            } catch {
                if isCommitted {
                    late(action, error)
                    continue
                }
                for done in begun.reversed() {
                    await undo(done)
                    // The ledger is for the next start; where the disk refuses, the kernel's state is what counts.
                    try? await ledger.mark(id, LedgerEntry(action: done, mark: .undone, at: Clock.realtime()))
                }
                throw error
            }
        }
    }
}
