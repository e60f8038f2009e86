import Model
import Synchronization

/// How much each user, and all of them together, have added to the repository within the last hour. It is forgotten at a restart,
/// which no client can bring about.
final class ChangeBudget: Sendable {
    /// What one change may hold before it counts for more than one.
    static let bytesPerChange = 64 * 1024
    /// Of all users.
    static let mostPerHour = 50_000

    private struct Used {
        /// By the minute in which it was.
        var minutes: [Int64: Int] = [:]
        var total: Int { minutes.values.reduce(0, +) }
    }

    private let used = Mutex<[UInt32: Used]>([:])
    private static let minute: Int64 = 60_000_000_000

    /// How many changes so many bytes are.
    static func count(bytes: Int) -> Int { 1 + bytes / bytesPerChange }

    /// Throws `tooMany` where it would be more than `limit`; else it counts.
    /// - Parameter now: monotonic, in nanoseconds.
    func take(_ count: Int, by uid: UInt32, limit: Int, now: Int64) throws(Failure) {
        let refusal = used.withLock { used -> String? in
            Self.forget(&used, now)
            let mine = used[uid]?.total ?? 0
            guard mine + count <= limit else {
                return mine == 0
                    ? "this is \(count) changes of the repository at once, more than the \(limit) an hour of your role"
                    : "uid \(uid) has made \(mine) changes of the repository within the last hour, of \(limit)"
            }
            guard used.values.reduce(0, { $0 + $1.total }) + count <= Self.mostPerHour else {
                return "\(Self.mostPerHour) changes of the repository were made within the last hour, and no more are"
            }
            used[uid, default: Used()].minutes[now / Self.minute, default: 0] += count
            return nil
        }
        guard let refusal else { return }
        throw Failure(.tooMany, refusal, hint: "see `schedctl whoami`; changes-per-hour is in the access rules")
    }

    /// What was taken and turned out to be no change.
    func giveBack(_ count: Int, to uid: UInt32) {
        used.withLock { used in
            guard let minute = used[uid]?.minutes.keys.max() else { return }
            used[uid]?.minutes[minute, default: 0] -= count
        }
    }

    private static func forget(_ used: inout [UInt32: Used], _ now: Int64) {
        let first = now / minute - 59
        for (uid, var user) in used {
            user.minutes = user.minutes.filter { $0.key >= first }
            used[uid] = user.minutes.isEmpty ? nil : user
        }
    }
}
