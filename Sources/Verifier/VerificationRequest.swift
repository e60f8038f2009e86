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
    /// The maps that hold hints, by kind; those of SchedCP's headers where it names none.
    package var hintMaps: [Hint.Kind: String] = [:]
    /// What the scheduler's description promises, by name; it is held to that.
    package var promises: [String: String] = [:]
    package var effort = Effort.quick
    /// Later stages are skipped.
    package var lastStage = VerificationStage.dynamic
    package var rules = VerificationRules()
    package var kernel = KernelChoice.automatic
    /// The kernel has to be this build, else nothing is verified; `image` is not compared. Nil takes the one that is found.
    package var requiredKernel: VerifiedKernel?
    /// Wall clock for all stages; nil for the verifier's own limits only.
    package var seconds: Int?
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
    package var capabilities = CapabilityRules()

    package init() {}

    /// Checks whose findings refuse nobody.
    package var toleratedChecks: Set<String> { checksOff.union(severities.filter { $0.value != .error }.keys) }
}

/// What a program may use. Patterns are names in which `*` stands for any characters; a denial is stronger.
package struct CapabilityRules: Hashable, Codable, Sendable {
    package struct Lists: Hashable, Codable, Sendable {
        /// Permitted without a finding, beside what is harmless.
        package var permitted: [String] = []
        package var denied: [String] = []

        package init(permitted: [String] = [], denied: [String] = []) {
            self.permitted = permitted
            self.denied = denied
        }
    }

    package var kernelFunctions = Lists()
    package var helpers = Lists()
    package var mapTypes = Lists()
    /// Whether it may read the memory of user processes.
    package var mayReadUserMemory = false

    package init() {}
}
