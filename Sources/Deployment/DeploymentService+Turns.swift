import Model

/// Whose turn it is: one deployment, rollback or observation at a time.
extension DeploymentService {
    enum Holder {
        /// The daemon of its own accord: it looks after an ejection, or puts back what ran before.
        case daemon
        /// Who asked for a deployment or a rollback.
        case client
    }

    /// More than these do not wait for their turn.
    private static let mostWaiting = 64

    /// Takes the turn for somebody who asked. Nobody is kept off by what the daemon does of its own accord: they wait for it, and it
    /// makes way for them where it can.
    /// - Parameter behindOthers: wait also for somebody else's deployment. A rollback does; a deployment is refused, for what it was
    ///   asked for may not be what is wanted by then.
    /// - Throws: `.busy`.
    func beginWork(behindOthers: Bool) async throws(Failure) {
        guard let holder else {
            holder = .client
            return
        }
        guard behindOthers || (holder == .daemon && waiting.isEmpty), waiting.count < Self.mostWaiting else {
            throw Failure(
                .busy, "another deployment or rollback is in progress", hint: "wait for it: schedctl events --follow")
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// Takes the turn for the daemon itself, unless somebody has it.
    func beginOwnWork() -> Bool {
        guard holder == nil else { return false }
        holder = .daemon
        return true
    }

    /// Passes the turn on to who has waited longest: it is never free in between.
    func endWork() {
        guard !waiting.isEmpty else {
            holder = nil
            return
        }
        holder = .client
        waiting.removeFirst().resume()
    }

    /// Ends what the daemon does of its own accord where somebody waits to decide what runs.
    /// - Throws: `.cancelled`.
    func makeWay() throws(Failure) {
        guard waiting.isEmpty else {
            throw Failure(.cancelled, "somebody asked for something else before it was the machine's scheduler")
        }
    }
}
