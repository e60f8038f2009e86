/// How far an entry is to be trusted. It follows from evidence by `EvidenceRules`; nobody sets it.
package enum EntryStatus: String, CaseIterable, Sendable, Comparable {
    /// Evidence speaks against it.
    case deprecated
    /// Nothing is shown yet.
    case candidate
    /// The verifier passed this very artifact.
    case verified
    /// Verified, and measured to do what it is for.
    case proven

    package static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// That the status of an entry changed.
package struct StatusTransition: Hashable, Sendable {
    package let from: EntryStatus
    package let to: EntryStatus
    package let reason: String
    /// Nanoseconds since the epoch.
    package let at: Int64

    package init(from: EntryStatus, to: EntryStatus, reason: String, at: Int64) {
        self.from = from
        self.to = to
        self.reason = reason
        self.at = at
    }
}

/// An attestation of an entry's artifact whose signature was checked by who gives it here.
package struct EntryAttestation: Hashable, Sendable {
    package var entry: EntryKey
    /// SHA-256 of the envelope.
    package var digest: String
    /// The envelope itself, for exchange.
    package var envelope: [UInt8]
    package var artifact: String
    package var keyID: String
    package var verifier: String
    package var effort: Effort?
    /// The names of the stages that passed.
    package var passedStages: [String]
    package var kernel: String
    /// Seconds since the epoch. When it expires as a token does not matter: that the artifact passed stays true.
    package var issuedAt: Int64
    /// False for one from elsewhere, by a key that is trusted for exchange only.
    package var isLocal: Bool

    package init(
        entry: EntryKey, digest: String, envelope: [UInt8], artifact: String, keyID: String, verifier: String,
        effort: Effort?, passedStages: [String], kernel: String, issuedAt: Int64, isLocal: Bool = true
    ) {
        self.entry = entry
        self.digest = digest
        self.envelope = envelope
        self.artifact = artifact
        self.keyID = keyID
        self.verifier = verifier
        self.effort = effort
        self.passedStages = passedStages
        self.kernel = kernel
        self.issuedAt = issuedAt
        self.isLocal = isLocal
    }

    package func check() throws(Failure) {
        try RepositoryLimits.digest(digest, "the envelope's digest")
        try RepositoryLimits.digest(artifact, "the artifact")
        try RepositoryLimits.count(envelope.count, "bytes of an envelope", limit: RepositoryLimits.envelopeBytes)
        guard !envelope.isEmpty else { throw Failure(.invalidArgument, "the envelope is empty") }
        try RepositoryLimits.line(keyID, "the key")
        try RepositoryLimits.line(verifier, "the verifier")
        try RepositoryLimits.line(kernel, "the kernel")
        try RepositoryLimits.count(passedStages.count, "stages", limit: 64)
        for stage in passedStages { try RepositoryLimits.word(stage, "the stage") }
        guard issuedAt > 0 else { throw Failure(.invalidArgument, "the time of the attestation is missing") }
    }
}

/// What went wrong with an entry while it ran, by its own fault.
package struct Incident: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case ejected, quarantined
        /// The signing key of an attestation, or the attestation, was revoked: what it said no longer counts.
        case revoked
    }

    package var entry: EntryKey
    package var kind: Kind
    /// The deployment's number, or for `revoked` the digest of the attestation's envelope: the same twice is one incident.
    package var subject: String
    package var reason: String
    /// Nanoseconds since the epoch.
    package var at: Int64

    package init(entry: EntryKey, kind: Kind, subject: String, reason: String, at: Int64) {
        self.entry = entry
        self.kind = kind
        self.subject = subject
        self.reason = reason
        self.at = at
    }

    package func check() throws(Failure) {
        try RepositoryLimits.line(subject, "the incident's subject")
        try RepositoryLimits.text(reason, "the reason", mayBeEmpty: true)
        guard at > 0 else { throw Failure(.invalidArgument, "the time of the incident is missing") }
    }
}
