/// Something that was tried and failed, kept so that it is not tried again.
package struct Antipattern: Hashable, Sendable {
    /// SHA-256 of what was tried: see `Fingerprint` in Repository.
    package var fingerprint: String
    /// Where it failed: a stage of verification, `canary`, `measured`.
    package var stage: String
    /// The class of workload that it failed for; empty where it fails for every one.
    package var workloadClass: String
    /// The name that it had, or that of the entry it was derived from.
    package var base: String
    /// What was tried, in words: the change against the base.
    package var attempt: String
    /// Why it failed.
    package var reason: String
    package var kernel: String
    package var triedBy: String
    /// Nanoseconds since the epoch.
    package var at: Int64

    package init(
        fingerprint: String, stage: String, workloadClass: String = "", base: String, attempt: String, reason: String,
        kernel: String, triedBy: String, at: Int64
    ) {
        self.fingerprint = fingerprint
        self.stage = stage
        self.workloadClass = workloadClass
        self.base = base
        self.attempt = attempt
        self.reason = reason
        self.kernel = kernel
        self.triedBy = triedBy
        self.at = at
    }

    package func check() throws(Failure) {
        try RepositoryLimits.digest(fingerprint, "the fingerprint")
        try RepositoryLimits.word(stage, "the stage")
        if !workloadClass.isEmpty { try RepositoryLimits.word(workloadClass, "the class") }
        try RepositoryLimits.line(base, "the base")
        try RepositoryLimits.text(attempt, "the attempt")
        try RepositoryLimits.text(reason, "the reason")
        try RepositoryLimits.line(kernel, "the kernel", mayBeEmpty: true)
        try RepositoryLimits.line(triedBy, "who tried")
        guard at > 0 else { throw Failure(.invalidArgument, "the time of the attempt is missing") }
    }
}

/// An antipattern as the repository holds it.
package struct AntipatternRecord: Hashable, Sendable {
    package let antipattern: Antipattern
    /// How often it was tried.
    package let times: Int

    package init(antipattern: Antipattern, times: Int) {
        self.antipattern = antipattern
        self.times = times
    }
}

/// Which entries are wanted.
package struct EntryFilter: Hashable, Sendable {
    /// Empty means any.
    package var kinds: Set<EntryKind>
    package var statuses: Set<EntryStatus>
    /// All of these.
    package var features: Set<String>
    /// None of these.
    package var lacksFeatures: Set<String>
    /// The release that an entry has to load on.
    package var kernel: String?
    /// Only the last version of each name.
    package var newestOnly: Bool

    package static let any = EntryFilter(newestOnly: false)

    package init(
        kinds: Set<EntryKind> = [], statuses: Set<EntryStatus> = [], features: Set<String> = [],
        lacksFeatures: Set<String> = [], kernel: String? = nil, newestOnly: Bool = true
    ) {
        self.kinds = kinds
        self.statuses = statuses
        self.features = features
        self.lacksFeatures = lacksFeatures
        self.kernel = kernel
        self.newestOnly = newestOnly
    }

    package func check() throws(Failure) {
        try RepositoryLimits.count(features.count + lacksFeatures.count, "features")
        for feature in features.union(lacksFeatures) { try RepositoryLimits.word(feature, "the feature") }
        if let kernel, KernelRelease(kernel) == nil {
            throw Failure(.invalidArgument, "the kernel \(kernel.quotedForDisplay()) is not a release", hint: "as 6.12")
        }
    }
}
