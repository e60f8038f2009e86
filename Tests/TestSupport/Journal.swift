package import Model

extension DeploymentJournal {
    /// A record that nothing made way for.
    package func begin(_ spec: DeploymentSpec, at now: Int64) async throws(Failure) -> DeploymentRecord {
        try await begin(spec, previous: 0, at: now)
    }
}
