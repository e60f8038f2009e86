import Linux
package import Model
import Synchronization

/// How many connections there are, in all and of each user, and the memory that their large frames take.
package final class Admission: Sendable {
    private struct State {
        var total = 0
        var frameBytes = 0
        var accounts: [UInt32: UserAccount] = [:]
    }

    private let state = Mutex(State())
    private let limits: ServerLimits
    /// Accounts without a connection are kept until their rate has recovered, at most so many.
    static let maxIdleAccounts = 4096

    package init(limits: ServerLimits) { self.limits = limits }

    /// - Parameters:
    ///   - places: how many connections this user may have.
    ///   - mayChange: the last places are kept for those who can put things right.
    /// - Returns: the account that all of the user's connections share.
    package func enter(_ actor: Actor, places: Int, mayChange: Bool) throws(Failure) -> UserAccount {
        let room = limits.connections - (mayChange ? 0 : limits.reservedConnections)
        let result = state.withLock { state -> Result<UserAccount, Failure> in
            func refused(_ why: String) -> Result<UserAccount, Failure> {
                .failure(Failure(.tooMany, why, hint: "close some, then try again"))
            }
            if state.total >= room { return refused("the daemon has \(state.total) connections already") }
            let account = state.accounts[actor.uid] ?? UserAccount()
            guard account.enter(.connection, limit: places) else {
                return refused("uid \(actor.uid) has \(places) connections already")
            }
            state.accounts[actor.uid] = account
            state.total += 1
            return .success(account)
        }
        return try result.get()
    }

    package func leave(_ actor: Actor, rate: RequestRate?) {
        state.withLock { state in
            state.total -= 1
            guard let account = state.accounts[actor.uid] else { return }
            account.leave(.connection)
            // A user who comes back at once does not come back with a full rate.
            let isFull = state.accounts.count > Self.maxIdleAccounts && account.taken(.connection) == 0
            if isFull || account.isIdle(rate, now: Clock.monotonic()) { state.accounts[actor.uid] = nil }
        }
    }

    package var total: Int { state.withLock { $0.total } }

    /// Memory for a frame that is larger than an ordinary one.
    func reserve(_ bytes: Int, for account: UserAccount) throws(Failure) {
        let isIn = state.withLock { state in
            guard state.frameBytes + bytes <= limits.frameMemory else { return false }
            guard account.reserve(bytes, limit: limits.frameMemoryPerUser) else { return false }
            state.frameBytes += bytes
            return true
        }
        guard isIn else {
            throw Failure(
                .tooMany, "other large requests are being read, and there is no memory for one of \(bytes) bytes",
                hint: "send large objects one after the other")
        }
    }

    func free(_ bytes: Int, of account: UserAccount) {
        account.free(bytes)
        state.withLock { $0.frameBytes -= bytes }
    }
}
