import Kernel
import Model

/// What one deployment has in its hands on its way into the kernel. It belongs to the service's actor.
final class Work {
    let request: DeploymentRequest
    /// The kernel as it was found.
    let before: KernelState
    let progress: @Sendable (String) -> Void
    var record: DeploymentRecord
    var loaded: LoadedScheduler?
    var attached: AttachedScheduler?
    /// What had to make way, and its record.
    var old: DetachedScheduler?
    var oldRecord: DeploymentRecord?

    init(
        _ request: DeploymentRequest, before: KernelState, record: DeploymentRecord,
        progress: @escaping @Sendable (String) -> Void
    ) {
        self.request = request
        self.before = before
        self.record = record
        self.progress = progress
    }
}
