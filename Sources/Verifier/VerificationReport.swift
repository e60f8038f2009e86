package import Model

/// What a verification says as it goes.
package enum VerificationEvent: Hashable, Sendable {
    case started(VerificationStage)
    /// A few words on what is being done: "boots the kernel 7.3.4".
    case progress(VerificationStage, String)
    case finding(Finding)
    /// `evidence` is the SHA-256 of the stage's bundle, lower-case hex. Skipped stages are told too.
    case finished(StageReport, evidence: String)
}

/// The kernel that a candidate was verified against.
package struct VerifiedKernel: Hashable, Codable, Sendable {
    /// As in `uname -r`.
    package var release: String
    /// GNU build id, lower-case hex.
    package var buildID: String
    /// SHA-256 of its BTF, lower-case hex.
    package var btfDigest: String
    /// The image's file, for people.
    package var image: String

    package init(release: String, buildID: String, btfDigest: String, image: String = "") {
        self.release = release
        self.buildID = buildID
        self.btfDigest = btfDigest
        self.image = image
    }
}

/// The outcome of one verification.
package struct VerificationReport: Hashable, Codable, Sendable {
    package enum Verdict: String, Codable, CaseIterable, Sendable {
        /// Every stage asked for passed.
        case passed
        /// A stage failed.
        case refused
        /// A stage could not be done, and none failed.
        case unable
    }

    /// What the candidate was called.
    package var name: String
    /// SHA-256 of the object, lower-case hex; empty where there is none.
    package var artifact: String
    /// SHA-256 of the source, lower-case hex; empty where an object was given.
    package var source: String
    /// The object itself; not encoded.
    package var object: [UInt8]
    /// Nil where no stage got so far.
    package var kernel: VerifiedKernel?
    package var effort: Effort
    /// One for each of `VerificationStage.allCases` but simulate, in order.
    package var stages: [StageReport]
    /// SHA-256 of each stage's bundle by the stage's name, lower-case hex.
    package var evidence: [String: String]
    /// Of the whole run: what `--rerun` takes. Empty where no evidence is kept.
    package var id: String
    /// CPU time of all stages, children included; 0 for an answer from evidence.
    package var cpuNanoseconds: Int64
    /// Nothing was done again: the answer is an earlier one.
    package var isFromEvidence: Bool
    /// Of schedcp, clang, libbpf, qemu, as far as they took part.
    package var versions: [String: String]

    package init(name: String, effort: Effort) {
        self.name = name
        self.effort = effort
        artifact = ""
        source = ""
        object = []
        stages = []
        evidence = [:]
        id = ""
        cpuNanoseconds = 0
        isFromEvidence = false
        versions = [:]
    }

    private enum CodingKeys: String, CodingKey {
        case name, artifact, source, kernel, effort, stages, evidence, id, cpuNanoseconds, isFromEvidence, versions
    }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        artifact = try values.decode(String.self, forKey: .artifact)
        source = try values.decode(String.self, forKey: .source)
        object = []
        kernel = try values.decodeIfPresent(VerifiedKernel.self, forKey: .kernel)
        effort = try values.decode(Effort.self, forKey: .effort)
        stages = try values.decode([StageReport].self, forKey: .stages)
        evidence = try values.decode([String: String].self, forKey: .evidence)
        id = try values.decode(String.self, forKey: .id)
        cpuNanoseconds = try values.decode(Int64.self, forKey: .cpuNanoseconds)
        isFromEvidence = try values.decode(Bool.self, forKey: .isFromEvidence)
        versions = try values.decode([String: String].self, forKey: .versions)
    }

    package var verdict: Verdict {
        if stages.contains(where: { $0.verdict == .failed }) { return .refused }
        return stages.contains { $0.verdict == .unable } ? .unable : .passed
    }

    package func stage(_ stage: VerificationStage) -> StageReport? { stages.first { $0.stage == stage } }

    package var findings: [Finding] { stages.flatMap(\.findings) }
}
