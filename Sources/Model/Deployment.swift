/// What becomes of a deployment. The arrows are in `DeploymentState.successors`; nothing else moves a record.
package enum DeploymentState: String, CaseIterable, Sendable {
    /// Written down, nothing done in the kernel yet.
    case requested
    /// The kernel runs it.
    case active
    /// It never ran: refused by a check, the verifier or the attach.
    case failed
    /// An operator ended it.
    case rolledBack = "rolled-back"
    /// A later deployment took its place.
    case superseded
    /// The kernel threw it out.
    case ejected
    /// Its link was closed outside: the unit was stopped or gave up, and the kernel went back to its default.
    case released

    package var successors: Set<DeploymentState> {
        switch self {
        case .requested: [.active, .failed]
        case .active: [.rolledBack, .superseded, .ejected, .released]
        case .failed, .rolledBack, .superseded, .ejected, .released: []
        }
    }

    package var isEnded: Bool { successors.isEmpty }
}

/// By what a deployment may touch the machine's scheduler.
package enum Authority: Hashable, Sendable {
    /// A checked attestation: its nonce, which can be used once; when it expires (seconds since the epoch); the SHA-256 of
    /// its envelope; and the key that signed it.
    case attested(nonce: String, expiresAt: Int64, digest: String, keyID: String)
    /// Somebody with the right to do without, and why.
    case unverified(reason: String)
    /// The daemon itself, putting back what ran before.
    case restored(of: Int64)
}

/// What was asked: the part of a record that never changes.
package struct DeploymentSpec: Hashable, Sendable {
    /// The repository's name, or "object" for a raw object file.
    package var scheduler: String
    /// SHA-256 of the object, lower-case hex.
    package var artifact: String
    package var parameters: [Setting]
    package var hints: [Hint]
    /// The object's maps that take hints.
    package var hintMaps: [Hint.Kind: String]
    package var actor: Actor
    package var authority: Authority
    /// What of it can be read and changed while it runs.
    package var live: LiveDescription

    package init(
        scheduler: String, artifact: String, parameters: [Setting], hints: [Hint],
        hintMaps: [Hint.Kind: String] = [:], actor: Actor, authority: Authority, live: LiveDescription = .none
    ) {
        self.scheduler = scheduler
        self.artifact = artifact
        self.parameters = parameters
        self.hints = hints
        self.hintMaps = hintMaps
        self.actor = actor
        self.authority = authority
        self.live = live
    }
}

/// What is stored of a deployment: what was asked, and what became of it.
package struct DeploymentRecord: Hashable, Sendable, Identifiable {
    package var id: Int64
    package var spec: DeploymentSpec
    package private(set) var state: DeploymentState
    package var reason: String
    /// The name in /sys/kernel/sched_ext/root/ops while it ran.
    package var ops: String
    /// The kernel's enable_seq while it ran; 0 before.
    package var enableSequence: UInt64
    package var exit: ExitInfo?
    /// Whose fault its end was, where the kernel ended it.
    package var blame: Blame?
    /// The deployment that made way for this one; 0 where the kernel's default ran.
    package var previous: Int64
    /// Nanoseconds since the epoch; 0 where it has not happened.
    package var requestedAt: Int64
    package var attachedAt: Int64
    package var endedAt: Int64

    package init(
        id: Int64, spec: DeploymentSpec, state: DeploymentState = .requested, reason: String = "", ops: String = "",
        enableSequence: UInt64 = 0, exit: ExitInfo? = nil, blame: Blame? = nil, previous: Int64 = 0,
        requestedAt: Int64, attachedAt: Int64 = 0, endedAt: Int64 = 0
    ) {
        self.id = id
        self.spec = spec
        self.state = state
        self.reason = reason
        self.ops = ops
        self.enableSequence = enableSequence
        self.exit = exit
        self.blame = blame
        self.previous = previous
        self.requestedAt = requestedAt
        self.attachedAt = attachedAt
        self.endedAt = endedAt
    }

    /// Moves the record along one of the arrows; any other move is a mistake of ours and is refused.
    package mutating func move(to next: DeploymentState, reason: String, at now: Int64) throws(Failure) {
        guard state.successors.contains(next) else {
            throw Failure(.internal, "deployment \(id) cannot go from \(state.rawValue) to \(next.rawValue)")
        }
        state = next
        self.reason = reason
        if next == .active { attachedAt = now } else { endedAt = now }
    }
}
