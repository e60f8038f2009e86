package import Model
import Synchronization

/// What the records say now, for readers that must not wait for a deployment in progress.
package struct DeploymentStatus: Hashable, Sendable {
    package var active: DeploymentRecord?
    package var lastEnded: DeploymentRecord?
    /// What will be put back after an ejection.
    package var intent: RestoreIntent?

    package init(
        active: DeploymentRecord? = nil, lastEnded: DeploymentRecord? = nil, intent: RestoreIntent? = nil
    ) {
        self.active = active
        self.lastEnded = lastEnded
        self.intent = intent
    }
}

/// The last status that the service published.
package final class StatusBoard: Sendable {
    private let status = Mutex(DeploymentStatus())
    private let changes = Atomic<UInt64>(0)

    package init() {}

    package var current: DeploymentStatus { status.withLock { $0 } }

    /// How often it has changed: whoever has read at this number has read the latest.
    package var generation: UInt64 { changes.load(ordering: .acquiring) }

    func publish(_ change: (inout DeploymentStatus) -> Void) {
        status.withLock { change(&$0) }
        changes.add(1, ordering: .releasing)
    }
}
