package import Model
import Synchronization

/// Removes a scheduler that somebody else loaded. It needs root, which this process does not have.
package protocol ForeignEjector: Sendable {
    /// Ends the scheduler if it still has this name, and returns when the kernel has its default back.
    func eject(ops: String) async throws(Failure)
}

/// What a deployment tells the audit. Only what it has accepted counts as told.
package protocol DeploymentWitness: Sendable {
    func witness(_ kind: SchedulerEvent.Kind, _ message: String, _ record: DeploymentRecord?) throws(Failure)
}

/// Where tests stop a deployment: reached before and after each action. The daemon that is shipped has `NoStops`.
package protocol Stops: Sendable {
    func reach(_ place: String) throws(Failure)
}

package struct NoStops: Stops {
    package init() {}
    package func reach(_ place: String) throws(Failure) {}
}

/// Something that has happened, or not.
package final class Mark: Sendable {
    private let mark = Atomic<Bool>(false)

    package init() {}

    package var isSet: Bool { mark.load(ordering: .acquiring) }

    package func set() { mark.store(true, ordering: .releasing) }
}

/// CPU time in nanoseconds, added up.
package final class Meter: Sendable {
    private let total = Atomic<Int64>(0)

    package init() {}

    package var nanoseconds: Int64 { total.load(ordering: .relaxed) }

    func add(_ nanoseconds: Int64) { total.add(max(0, nanoseconds), ordering: .relaxed) }
}
