package import Model

/// What can be told to the repository. Each call returns when it is on disk, or throws and has changed nothing.
extension PolicyRepository {
    /// Adds a new entry, or a new version of one. Its status is `candidate`, whatever it was elsewhere.
    ///
    /// Throws `invalidArgument` for a version that is there or goes back, and for whatever `PolicyEntry.check` refuses;
    /// `notFound` for a parent or a primitive that is not there.
    @discardableResult
    package func add(_ entry: PolicyEntry, at now: Int64) async throws(Failure) -> ChangeReceipt {
        try await change(.entry(entry), at: now)
    }

    /// Records a measured outcome. The same again changes nothing, so a caller without an answer may repeat it.
    ///
    /// Throws `notFound` for an unknown entry, `invalidArgument` for another artifact than the entry's and for figures that
    /// cannot be, `tooMany` beyond `RepositoryLimits.outcomesPerEntry`.
    @discardableResult
    package func record(_ outcome: Outcome, at now: Int64) async throws(Failure) -> ChangeReceipt {
        try await change(.outcome(outcome), at: now)
    }

    /// Keeps an attestation whose signature the caller has checked.
    @discardableResult
    package func attest(_ attestation: EntryAttestation, at now: Int64) async throws(Failure) -> ChangeReceipt {
        try await change(.attestation(attestation), at: now)
    }

    /// Keeps what went wrong with an entry by its own fault.
    @discardableResult
    package func report(_ incident: Incident, at now: Int64) async throws(Failure) -> ChangeReceipt {
        try await change(.incident(incident), at: now)
    }

    /// Keeps what was tried and failed; the same again is counted.
    @discardableResult
    package func remember(_ antipattern: Antipattern, at now: Int64) async throws(Failure) -> ChangeReceipt {
        try await change(.antipattern(antipattern), at: now)
    }
}
