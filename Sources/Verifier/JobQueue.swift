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

    private struct Job {
        let ticket: UInt64
        let user: UInt32
        let waiting: @Sendable (Int) -> Void
        let turn: CheckedContinuation<Bool, Never>
        /// What `waiting` last heard.
        var ahead = -1
    }

    private let limits: Limits
    private var nextTicket: UInt64 = 0
    /// Users with waiting jobs, the one whose turn is next first.
    private var users: [UInt32] = []
    private var waitingJobs: [UInt32: [Job]] = [:]
    private var running: [UInt32: Int] = [:]

    package init(limits: Limits = Limits()) { self.limits = limits }

    /// Jobs that wait and that run.
    package var counts: (waiting: Int, running: Int) {
        (waitingJobs.values.reduce(0) { $0 + $1.count }, running.values.reduce(0, +))
    }

    /// Waits for this user's turn, runs the job and gives the turn on. `waiting` hears how many are ahead, at first and
    /// whenever that changes; not where the turn comes at once. Throws `.tooMany` at once where a bound is reached,
    /// `.cancelled` when the task is cancelled while it waits.
    package func run<R: Sendable>(
        user: UInt32, waiting: @escaping @Sendable (_ ahead: Int) -> Void = { _ in },
        _ job: @Sendable () async throws(Failure) -> R
    ) async throws(Failure) -> R {
        try admit(user)
        if counts.running >= limits.running || counts.waiting > 0 {
            try await waitForTurn(user, waiting)
        } else {
            running[user, default: 0] += 1
        }
        defer { finish(user) }
        return try await job()
    }

    private func admit(_ user: UInt32) throws(Failure) {
        let own = (waitingJobs[user]?.count ?? 0) + (running[user] ?? 0)
        guard own < limits.perUser else {
            throw Failure(
                .tooMany, "you have \(own) verifications waiting or running, which is the limit",
                hint: "wait until one of them is done")
        }
        guard counts.waiting + counts.running < limits.total else {
            throw Failure(
                .tooMany, "\(limits.total) verifications wait or run, which is the limit", hint: "try again later")
        }
    }

    private func waitForTurn(_ user: UInt32, _ waiting: @escaping @Sendable (Int) -> Void) async throws(Failure) {
        nextTicket += 1
        let ticket = nextTicket
        let hasTurn = await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                // Cancelled before it was in the queue: the handler found nothing to take out.
                guard !Task.isCancelled else { return turn.resume(returning: false) }
                enqueue(Job(ticket: ticket, user: user, waiting: waiting, turn: turn))
            }
        } onCancel: {
            Task { await self.withdraw(ticket, of: user) }
        }
        guard hasTurn else { throw Failure(.cancelled, "the verification was cancelled while it waited") }
    }

    private func enqueue(_ job: Job) {
        if waitingJobs[job.user] == nil { users.append(job.user) }
        waitingJobs[job.user, default: []].append(job)
        tellPlaces()
    }

    private func withdraw(_ ticket: UInt64, of user: UInt32) {
        guard let place = waitingJobs[user]?.firstIndex(where: { $0.ticket == ticket }) else { return }
        let job = waitingJobs[user]?.remove(at: place)
        forgetIfIdle(user)
        job?.turn.resume(returning: false)
        tellPlaces()
    }

    private func finish(_ user: UInt32) {
        running[user, default: 1] -= 1
        if running[user] == 0 { running[user] = nil }
        while counts.running < limits.running, let next = users.first {
            users.removeFirst()
            users.append(next)
            guard let job = waitingJobs[next]?.removeFirst() else { return forgetIfIdle(next) }
            forgetIfIdle(next)
            running[next, default: 0] += 1
            job.turn.resume(returning: true)
        }
        tellPlaces()
    }

    private func forgetIfIdle(_ user: UInt32) {
        guard waitingJobs[user]?.isEmpty != false else { return }
        waitingJobs[user] = nil
        users.removeAll { $0 == user }
    }

    /// Tells each waiting job how many come before it, where that has changed.
    private func tellPlaces() {
        var ahead = counts.running
        var round = 0
        while true {
            var isAnyLeft = false
            for user in users {
                guard let jobs = waitingJobs[user], round < jobs.count else { continue }
                isAnyLeft = true
                if jobs[round].ahead != ahead {
                    waitingJobs[user]?[round].ahead = ahead
                    jobs[round].waiting(ahead)
                }
                ahead += 1
            }
            guard isAnyLeft else { return }
            round += 1
        }
    }
}
