package import Model

/// Jobs of several users that share the machine: so many at a time, turn by turn between users, in order within one user.
package actor JobQueue {
    package struct Limits: Hashable, Sendable {
        package var running = 1
        /// Waiting and running together.
        package var perUser = 8
        package var total = 64

        package init() {}
    }

    private let limits: Limits

    package init(limits: Limits = Limits()) { self.limits = limits }

    /// Waits for this user's turn, runs the job and gives the turn on. `waiting` hears how many are ahead, at first and
    /// whenever that changes. Throws `.tooMany` at once where a bound is reached, `.cancelled` when the task is cancelled
    /// while it waits.
    package func run<R: Sendable>(
        user: UInt32, waiting: @escaping @Sendable (_ ahead: Int) -> Void = { _ in },
        _ job: @Sendable () async throws(Failure) -> R
    ) async throws(Failure) -> R {
        throw Failure(.internal, "not built yet")
    }
}
