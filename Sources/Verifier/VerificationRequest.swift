package import Model

/// What a client asks to have verified, and how.
package struct VerificationRequest: Hashable, Sendable {
    package enum Candidate: Hashable, Sendable {
        /// C source. `name` is what diagnostics call it, such as `fifo.bpf.c`.
        case source(name: String, bytes: [UInt8])
        /// A compiled object: the compile stage is skipped.
        case object(name: String, bytes: [UInt8])

        package var name: String {
            switch self {
            case .source(let name, _), .object(let name, _): name
            }
        }

        package var bytes: [UInt8] {
            switch self {
            case .source(_, let bytes), .object(_, let bytes): bytes
            }
        }
    }

    /// Where the target kernel comes from.
    package enum KernelChoice: Hashable, Sendable {
        /// The host's own, where its image is readable and it has sched_ext; else the lab's.
        case automatic
        /// A bzImage or vmlinux file.
        case image(String)
    }

    package var candidate: Candidate
    /// Folders whose headers the source may include, beside SchedCP's own.
    package var includeFolders: [String] = []
    /// Written into `.rodata` before load.
    package var parameters: [Setting] = []
    package var hints: [Hint] = []
    package var effort = Effort.quick
    /// Later stages are skipped.
    package var lastStage = VerificationStage.dynamic
    package var rules = VerificationRules()
    package var kernel = KernelChoice.automatic
    /// Whether an answer may come from evidence.
    package var mayUseEvidence = true

    package init(_ candidate: Candidate) { self.candidate = candidate }
}

/// What the access rules change about the checks.
package struct VerificationRules: Hashable, Codable, Sendable {
    /// Names of the catalogue that are not judged.
    package var checksOff: Set<String> = []
    /// Findings of these checks get this severity instead of their own.
    package var severities: [String: Finding.Severity] = [:]
    /// Capabilities that a program may use without a finding: names of the catalogue's capability checks.
    package var allowedCapabilities: Set<String> = []

    package init() {}
}
