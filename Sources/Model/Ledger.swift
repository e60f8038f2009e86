/// What a deployment or a rollback consists of. A plan is a list of these; each has its undo, and each is written to the
/// ledger before it is begun.
package enum DeploymentAction: String, CaseIterable, Sendable {
    /// Parse the object, set its parameters, pass the kernel's verifier. Nothing in the machine changes.
    case load
    /// Remove a scheduler that somebody else loaded. It cannot be put back.
    case ejectForeign = "eject-foreign"
    /// Take our running scheduler out. Undone by attaching it again.
    case detachPrevious = "detach-previous"
    /// Put the new one in, and read back that the kernel runs it.
    case attach
    /// Give its descriptors to the service manager, so that it outlives the daemon.
    case keep
    /// Write down that it is active. From here on nothing is undone: the deployment has happened.
    case activate
    /// Write down that the previous one has ended.
    case retirePrevious = "retire-previous"

    /// Take our running scheduler out for good. A rollback only goes forward.
    case detach
    case forget
    /// Write down how it ended.
    case finish

    package static let commit = DeploymentAction.activate

    /// The actions that make a scheduler the machine's.
    package static func deployment(replacing ours: Bool, foreign: Bool) -> [DeploymentAction] {
        [.load] + (foreign ? [.ejectForeign] : []) + (ours ? [.detachPrevious] : []) + [.attach, .keep, .activate]
            + (ours ? [.retirePrevious] : [])
    }

    /// The actions that give the machine back to the kernel's default.
    package static let rollback: [DeploymentAction] = [.detach, .forget, .finish]
}

/// One line of the write-ahead ledger: that an action was begun (hence those before it were done), or that it was undone.
package struct LedgerEntry: Hashable, Sendable {
    package enum Mark: String, Sendable { case begun, undone }

    package let action: DeploymentAction
    package let mark: Mark
    /// Nanoseconds since the epoch.
    package let at: Int64

    package init(action: DeploymentAction, mark: Mark, at: Int64) {
        self.action = action
        self.mark = mark
        self.at = at
    }
}

/// An artifact that the kernel threw out, and that nobody deploys until an operator releases it.
package struct Quarantined: Hashable, Sendable {
    /// SHA-256 of the object, lower-case hex.
    package let artifact: String
    package let deployment: Int64
    package let reason: String
    /// Nanoseconds since the epoch.
    package let at: Int64

    package init(artifact: String, deployment: Int64, reason: String, at: Int64) {
        self.artifact = artifact
        self.deployment = deployment
        self.reason = reason
        self.at = at
    }
}

/// A deployment that the daemon will put back by itself, because the one after it was thrown out.
package struct RestoreIntent: Hashable, Sendable {
    /// The deployment whose artifact and arguments are wanted again.
    package let deployment: Int64
    /// Nanoseconds since the epoch.
    package let notBefore: Int64
    /// How many ejections there were in the last hour, this one included.
    package let attempt: Int

    package init(deployment: Int64, notBefore: Int64, attempt: Int) {
        self.deployment = deployment
        self.notBefore = notBefore
        self.attempt = attempt
    }

    /// Ejections in an hour after which nothing is put back any more.
    package static let attemptsPerHour = 6

    /// How long to wait before the n-th attempt: 1 s, doubled each time, 5 minutes at the most. In nanoseconds.
    package static func delay(attempt: Int) -> Int64 {
        min(300, Int64(1) << Int64(min(max(attempt, 1), 20) - 1)) * 1_000_000_000
    }
}

/// Where actions are written before they are begun. What a call has returned is on disk.
package protocol DeploymentLedger: Sendable {
    func mark(_ id: Int64, _ entry: LedgerEntry) async throws(Failure)
}

/// Where deployments, their ledger and what follows from them are kept. What a call has returned is on disk.
package protocol DeploymentJournal: DeploymentLedger, TuningLedger {
    /// Writes a new record and gives it its number. An attestation is spent by it in the same moment; one that was
    /// spent before is refused, and nothing is written.
    func begin(_ spec: DeploymentSpec, previous: Int64, at now: Int64) async throws(Failure) -> DeploymentRecord
    func update(_ record: DeploymentRecord) async throws(Failure)
    func record(_ id: Int64) async throws(Failure) -> DeploymentRecord?
    /// The newest first.
    func recent(limit: Int) async throws(Failure) -> [DeploymentRecord]
    /// Those whose state is not an end, oldest first.
    func open() async throws(Failure) -> [DeploymentRecord]

    /// Oldest first.
    func ledger(of id: Int64) async throws(Failure) -> [LedgerEntry]

    /// Deployments whose present state has not been told to the audit, oldest first.
    func unwitnessed() async throws(Failure) -> [DeploymentRecord]
    func witnessed(_ id: Int64, in state: DeploymentState) async throws(Failure)

    func quarantine(_ entry: Quarantined) async throws(Failure)
    /// - Returns: whether it was there.
    func release(artifact: String) async throws(Failure) -> Bool
    func quarantined() async throws(Failure) -> [Quarantined]

    /// What is to be put back; nil when nothing is.
    func intent() async throws(Failure) -> RestoreIntent?
    func setIntent(_ intent: RestoreIntent?) async throws(Failure)
    /// How many deployments the kernel has ended since then.
    func ejections(since: Int64) async throws(Failure) -> Int
}

/// Where the objects of deployments are kept, by SHA-256.
package protocol ArtifactKeeper: Sendable {
    /// Stores the bytes and gives their digest, lower-case hex.
    func put(_ bytes: [UInt8]) throws(Failure) -> String
    /// The bytes of a digest, checked against it.
    func get(_ digest: String) throws(Failure) -> [UInt8]
}
