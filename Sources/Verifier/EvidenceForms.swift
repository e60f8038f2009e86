import FoundationEssentials
import Model

/// The JSON of evidence: keys sorted, no white space, so that equal values have equal digests.
enum CanonicalJSON {
    static func encode(_ value: some Encodable) throws(Failure) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        do { return [UInt8](try encoder.encode(value)) } catch {
            throw Failure(.internal, "evidence could not be written as JSON: \(error)")
        }
    }

    /// Nil for what is not of this form.
    static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) -> T? {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try? decoder.decode(type, from: Data(bytes))
    }
}

/// A request as evidence keeps it: the candidate by its digest, sets in order.
struct RequestRecord: Hashable, Codable {
    struct Parameter: Hashable, Codable {
        var name: String
        var value: String
    }

    struct HintRecord: Hashable, Codable {
        var kind: String
        var key: String
        /// As text: many readers of JSON keep 53 bits of a number.
        var nanoseconds: String
    }

    var name: String
    var isSource: Bool
    /// SHA-256 of the candidate's bytes.
    var candidate: String
    var includeFolders: [String]
    /// SHA-256 of what lies in them; empty where there are none.
    var includeDigest: String
    var parameters: [Parameter]
    var hints: [HintRecord]
    var hintMaps: [String: String]
    var promises: [String: String]
    var effort: Effort
    var lastStage: VerificationStage
    var checksOff: [String]
    var severities: [String: Finding.Severity]
    var capabilities: CapabilityRules
    /// As it was asked for: "automatic", or the image's file.
    var kernelChoice: String
    var kernel: VerifiedKernel
    /// Of everything else that decides the answer: the verifier, the compiler, the guest.
    var toolchain: [String: String]

    init(
        _ request: VerificationRequest, kernel: VerifiedKernel, includeDigest: String, toolchain: [String: String]
    ) {
        name = request.candidate.name
        if case .source = request.candidate { isSource = true } else { isSource = false }
        candidate = EvidenceFolder.digest(request.candidate.bytes)
        includeFolders = request.includeFolders
        self.includeDigest = includeDigest
        parameters = request.parameters.map { Parameter(name: $0.name, value: $0.value) }.sorted { $0.name < $1.name }
        hints = request.hints.map {
            HintRecord(kind: $0.kind.rawValue, key: $0.key, nanoseconds: String($0.nanoseconds))
        }.sorted { ($0.kind, $0.key) < ($1.kind, $1.key) }
        hintMaps = [:]
        for (kind, map) in request.hintMaps { hintMaps[kind.rawValue] = map }
        promises = request.promises
        effort = request.effort
        lastStage = request.lastStage
        checksOff = request.rules.checksOff.sorted()
        severities = request.rules.severities
        capabilities = request.rules.capabilities
        kernelChoice = if case .image(let path) = request.kernel { path } else { "automatic" }
        self.kernel = kernel
        self.toolchain = toolchain
    }

    /// What the answer depends on: not where the kernel's image lies, nor where the folders do.
    func key() throws(Failure) -> String {
        var plain = self
        plain.kernelChoice = ""
        plain.kernel.image = ""
        plain.includeFolders = []
        return EvidenceFolder.digest(try CanonicalJSON.encode(plain))
    }

    /// The request again, with the candidate's bytes. Throws where the record was made by hand and makes no sense.
    func request(bytes: [UInt8]) throws(Failure) -> VerificationRequest {
        var request = VerificationRequest(
            isSource ? .source(name: name, bytes: bytes) : .object(name: name, bytes: bytes))
        request.includeFolders = includeFolders
        request.parameters = parameters.map { Setting(name: $0.name, value: $0.value) }
        for hint in hints {
            guard let kind = Hint.Kind(rawValue: hint.kind), let nanoseconds = UInt64(hint.nanoseconds) else {
                throw Failure(.invalidArgument, "the evidence has a hint of an unknown kind")
            }
            request.hints.append(try Hint(kind: kind, key: hint.key, nanoseconds: nanoseconds))
        }
        for (kind, map) in hintMaps { if let kind = Hint.Kind(rawValue: kind) { request.hintMaps[kind] = map } }
        request.promises = promises
        request.effort = effort
        request.lastStage = lastStage
        request.rules.checksOff = Set(checksOff)
        request.rules.severities = severities
        request.rules.capabilities = capabilities
        request.kernel = kernelChoice == "automatic" ? .automatic : .image(kernelChoice)
        request.mayUseEvidence = false
        return request
    }
}

/// What one stage left. Its SHA-256 is what an attestation names.
struct StageBundle: Hashable, Codable {
    static let format = "schedcp-evidence-stage-1"

    var format = Self.format
    /// SHA-256 of the `RequestRecord`.
    var request: String
    /// SHA-256 of what the stage was given and of what it made; empty where it made nothing.
    var input: String
    var output: String
    /// Without its log, which is a blob of its own.
    var report: StageReport
    /// SHA-256 of the log.
    var log: String
    var versions: [String: String]
}

/// A whole run. Its SHA-256 is the run's id.
struct RunRecord: Hashable, Codable {
    static let format = "schedcp-evidence-run-1"

    var format = Self.format
    var request: String
    /// With evidence by stage; logs are left to the bundles.
    var report: VerificationReport
    /// The report as text, for people.
    var text: String
    /// All blobs of this run and their sizes.
    var blobs: [String: Int]
}
