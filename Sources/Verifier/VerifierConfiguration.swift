import Linux

/// What is the same for every run of a verifier.
package struct VerifierConfiguration: Hashable, Sendable {
    /// Where evidence is kept; nil keeps none. Made when it is not there.
    package var evidenceFolder: String?
    /// Kernels, `vmlinux.h` and answers of the emulator's probe are kept below it.
    package var cacheFolder: String
    package var limits = VerificationLimits()

    package init(evidenceFolder: String? = nil, cacheFolder: String = Self.standardCache) {
        self.evidenceFolder = evidenceFolder
        self.cacheFolder = cacheFolder
    }

    /// The cache of this user: `SCHEDCP_CACHE`, else `schedcp` in `XDG_CACHE_HOME`, else in `~/.cache`.
    package static var standardCache: String {
        if let own = HostFile.environment("SCHEDCP_CACHE"), !own.isEmpty { return own }
        if let base = HostFile.environment("XDG_CACHE_HOME"), !base.isEmpty { return base + "/schedcp" }
        return (HostFile.environment("HOME") ?? "/root") + "/.cache/schedcp"
    }

    /// Evidence in this user's cache: what schedctl uses.
    package static var ofUser: VerifierConfiguration {
        VerifierConfiguration(evidenceFolder: standardCache + "/evidence")
    }
}

/// Bounds of one verification.
package struct VerificationLimits: Hashable, Sendable {
    package var maxSourceBytes = 1 << 20
    package var maxObjectBytes = 8 << 20
    package var maxParameters = 256
    package var maxHints = 4096
    /// Wall clock.
    package var compileSeconds = 20
    package var compileMemoryBytes = 1 << 30
    /// Of the compiler's messages.
    package var maxCompileOutputBytes = 1 << 20
    /// Wall clock of the kernel and dynamic stages together; nil leaves it to the effort.
    package var trialSeconds: Int?
    /// Of a stage's log in reports and evidence; what is longer loses its middle.
    package var maxLogBytes = 4 << 20
    /// Of findings in one stage.
    package var maxFindings = 500
    /// Of all evidence; the oldest is removed.
    package var maxEvidenceBytes = 256 << 20

    package init() {}
}
