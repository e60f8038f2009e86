package import Model
import Synchronization

/// How many connections there are, in all and of each user.
package final class Admission: Sendable {
    private struct Counts {
        var total = 0
        var byUser: [UInt32: Int] = [:]
    }

    private let counts = Mutex(Counts())
    private let limits: ServerLimits

    package init(limits: ServerLimits) { self.limits = limits }

    /// - Parameter mayChange: the last places are kept for those who can put things right.
    package func enter(_ actor: Actor, mayChange: Bool) throws(Failure) {
        let places = limits.connections - (mayChange ? 0 : limits.reservedConnections)
        let refusal = counts.withLock { counts -> String? in
            if counts.total >= places { return "the daemon has \(counts.total) connections already" }
            if counts.byUser[actor.uid, default: 0] >= limits.connectionsPerUser {
                return "uid \(actor.uid) has \(limits.connectionsPerUser) connections already"
            }
            counts.total += 1
            counts.byUser[actor.uid, default: 0] += 1
            return nil
        }
        if let refusal { throw Failure(.tooMany, refusal, hint: "close some, then try again") }
    }

    package func leave(_ actor: Actor) {
        counts.withLock { counts in
            counts.total -= 1
            let left = counts.byUser[actor.uid, default: 1] - 1
            counts.byUser[actor.uid] = left > 0 ? left : nil
        }
    }

    package var total: Int { counts.withLock { $0.total } }
}
