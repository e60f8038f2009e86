/// What is known for and against an entry, as far as its status depends on it.
package struct Evidence: Hashable, Sendable {
    /// Of an attestation.
    package struct Passed: Hashable, Sendable {
        package var digest: String
        package var artifact: String
        package var stages: Set<String>
        /// Seconds since the epoch.
        package var issuedAt: Int64
        package var isLocal: Bool

        package init(digest: String, artifact: String, stages: Set<String>, issuedAt: Int64, isLocal: Bool = true) {
            self.digest = digest
            self.artifact = artifact
            self.stages = stages
            self.issuedAt = issuedAt
            self.isLocal = isLocal
        }
    }

    /// One effect in one of the entry's targets, that SchedCP measured itself.
    package struct Measured: Hashable, Sendable {
        package var trial: String
        package var direction: Effect.Direction

        package init(trial: String, direction: Effect.Direction) {
            self.trial = trial
            self.direction = direction
        }
    }

    package struct Mishap: Hashable, Sendable {
        package var kind: Incident.Kind
        package var subject: String
        /// Nanoseconds since the epoch.
        package var at: Int64

        package init(kind: Incident.Kind, subject: String, at: Int64) {
            self.kind = kind
            self.subject = subject
            self.at = at
        }
    }

    package var artifact: String
    package var passed: [Passed]
    package var measured: [Measured]
    package var mishaps: [Mishap]

    package init(artifact: String, passed: [Passed] = [], measured: [Measured] = [], mishaps: [Mishap] = []) {
        self.artifact = artifact
        self.passed = passed
        self.measured = measured
        self.mishaps = mishaps
    }
}

/// From evidence to status: promotion and demotion. The same evidence, in whatever order it came, gives the same status.
///
/// - verified: a local attestation of this very artifact with every required stage, not revoked, and issued after the last
///   ejection or quarantine: what happened shows that an earlier one did not see it.
/// - proven: verified, and at least `minimumTrials` independent trials whose interval excludes 1 in a target of the entry,
///   and at least `supportPerContradiction` of them for each trial that shows the opposite.
/// - deprecated: thrown out `maximumEjections` times, or as many contradicting trials as it takes to be proven, and not
///   fewer than the supporting ones.
package struct EvidenceRules: Hashable, Sendable {
    package var minimumTrials: Int
    package var supportPerContradiction: Int
    package var maximumEjections: Int
    package var requiredStages: Set<String>

    package static let standard = EvidenceRules()

    package init(
        minimumTrials: Int = 3, supportPerContradiction: Int = 4, maximumEjections: Int = 3,
        requiredStages: Set<String> = ["static", "kernel", "dynamic"]
    ) {
        self.minimumTrials = max(1, minimumTrials)
        self.supportPerContradiction = max(1, supportPerContradiction)
        self.maximumEjections = max(1, maximumEjections)
        self.requiredStages = requiredStages
    }

    package func judge(_ evidence: Evidence) -> (status: EntryStatus, reason: String) {
        let (supporting, contradicting) = Self.trials(evidence.measured)
        let ejections = evidence.mishaps.count { $0.kind == .ejected }
        if ejections >= maximumEjections { return (.deprecated, "the kernel threw it out \(ejections) times") }
        if contradicting >= minimumTrials && contradicting >= supporting {
            return (
                .deprecated, "\(contradicting) trials show the opposite of what it is for, \(supporting) support it"
            )
        }
        guard let attestation = standing(evidence) else {
            return (.candidate, Self.whyNotVerified(evidence))
        }
        guard supporting >= minimumTrials else {
            return (
                .verified,
                "attested (\(attestation.digest.prefix(12))…), \(supporting) of \(minimumTrials) supporting trials"
            )
        }
        guard supporting >= supportPerContradiction * contradicting else {
            return (.verified, "\(contradicting) trials show the opposite, against \(supporting) that support it")
        }
        return (.proven, "attested, and better in \(supporting) independent trials")
    }

    /// The first attestation that counts.
    private func standing(_ evidence: Evidence) -> Evidence.Passed? {
        let revoked = Set(evidence.mishaps.filter { $0.kind == .revoked }.map(\.subject))
        let last = evidence.mishaps.filter { $0.kind != .revoked }.map(\.at).max() ?? .min
        return evidence.passed.filter {
            $0.isLocal && $0.artifact == evidence.artifact && requiredStages.isSubset(of: $0.stages)
                && !revoked.contains($0.digest) && Self.nanoseconds($0.issuedAt) > last
        }.min { ($0.issuedAt, $0.digest) < ($1.issuedAt, $1.digest) }
    }

    private static func nanoseconds(_ seconds: Int64) -> Int64 {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : product
    }

    /// How many trials speak for it and against it. One with effects in both directions speaks against it.
    private static func trials(_ measured: [Evidence.Measured]) -> (supporting: Int, contradicting: Int) {
        let worse = Set(measured.filter { $0.direction == .worse }.map(\.trial))
        let better = Set(measured.filter { $0.direction == .better }.map(\.trial))
        return (better.subtracting(worse).count, worse.count)
    }

    private static func whyNotVerified(_ evidence: Evidence) -> String {
        if evidence.passed.isEmpty { return "no attestation" }
        if let last = evidence.mishaps.max(by: { $0.at < $1.at }) {
            return "\(last.kind.rawValue), and not verified anew since"
        }
        return "no attestation of this artifact, made here, with every required stage"
    }
}
