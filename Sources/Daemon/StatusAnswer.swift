import Audit
import Deployment
import Kernel
import Linux
import Model
import Synchronization
import Wire

/// The answer to `status`. The kernel is read for each; the message is built and encoded anew only when what was read,
/// the records or the second have changed, because agents ask often and most answers are alike.
final class StatusAnswer: Sendable {
    private struct Last {
        let kernel: KernelState
        let generation: UInt64
        let uptime: UInt64
        let bytes: [UInt8]
    }

    private let schedExt: SchedExt
    private let board: StatusBoard
    private let audit: AuditLog
    private let startedAt = Clock.monotonic()
    let release = KernelConfig.release
    /// Asked once: a kernel does not gain sched_ext while it runs.
    let missing: [String]
    private let last = Mutex<Last?>(nil)

    init(schedExt: SchedExt, board: StatusBoard, audit: AuditLog) {
        self.schedExt = schedExt
        self.audit = audit
        self.board = board
        missing = schedExt.isSupported ? [] : HostProbe.missingForDeployment()
    }

    /// The encoded `Status` message as of now.
    func encoded() throws(Failure) -> [UInt8] {
        let kernel = schedExt.read()
        // Taken before the records are read: a change in between only makes the next answer build anew.
        let generation = board.generation
        let uptime = UInt64((Clock.monotonic() - startedAt) / 1_000_000_000)
        if let known = last.withLock({ $0 }), known.generation == generation, known.uptime == uptime,
            known.kernel == kernel
        {
            return known.bytes
        }
        let bytes = try Frame.bytes(of: message(kernel, uptime))
        last.withLock { $0 = Last(kernel: kernel, generation: generation, uptime: uptime, bytes: bytes) }
        return bytes
    }

    private func message(_ kernel: KernelState, _ uptime: UInt64) -> WireStatus {
        let records = board.current
        var reply = WireStatus()
        let owner = kernel.owner(ourSequence: records.active?.enableSequence)
        reply.kernel = WireKernelState(kernel, owner: owner, release: release, missing: missing)
        // A record whose scheduler the kernel no longer runs is about to end; it is not shown as running.
        if let active = records.active, owner == .ours { reply.deployment = WireDeployment(active, withDump: false) }
        if let ended = records.lastEnded { reply.lastEnded = WireDeployment(ended, withDump: false) }
        reply.serverVersion = DaemonConfiguration.version
        reply.uptimeSeconds = uptime
        reply.auditFailing = audit.isFailing
        if let intent = records.intent {
            reply.restore.deployment = UInt64(clamping: intent.deployment)
            reply.restore.notBefore = intent.notBefore
            reply.restore.attempt = UInt32(clamping: intent.attempt)
        }
        return reply
    }
}
