import Access
import Deployment
import Kernel
import Linux
import Model
import Repository
import Wire

/// What is to be verified or deployed, as the wire brings it.
struct Candidate {
    enum Source {
        case name(String)
        case object([UInt8])
        /// What was verified here before, by its SHA-256.
        case artifact(String)
        case code(name: String, [UInt8])
        /// Of the repository, as `fifo@1.0.0`, with the attestations that it came with.
        case entry(PolicyEntry, object: [UInt8], [EntryAttestation])

        init(_ source: WireDeployRequest.OneOf_Source) {
            switch source {
            case .name(let name): self = .name(name)
            case .object(let bytes): self = .object([UInt8](bytes))
            case .artifactSha256(let digest): self = .artifact(digest)
            }
        }

        init(_ source: WireVerifyRequest.OneOf_Source) {
            switch source {
            case .name(let name): self = .name(name)
            case .object(let bytes): self = .object([UInt8](bytes))
            case .code(let file): self = .code(name: file.name, [UInt8](file.code))
            }
        }

        init(_ source: WireAttestRequest.OneOf_Source) {
            switch source {
            case .name(let name): self = .name(name)
            case .object(let bytes): self = .object([UInt8](bytes))
            }
        }
    }
}

extension Router {
    /// Bounds and checks everything before any of it is parsed. The authority is missing still.
    func candidate(
        _ source: Candidate.Source?, _ parameters: [WireSetting], _ given: [WireHint], takeover: Bool,
        _ session: Session
    ) throws(Failure) -> DeploymentRequest {
        let limits = configuration.limits
        guard parameters.count <= limits.parameters, given.count <= limits.hints else {
            throw Failure(.tooMany, "more than \(limits.parameters) parameters or \(limits.hints) hints")
        }
        let settings = parameters.map(\.asSetting)
        guard settings.allSatisfy({ (1...128).contains($0.name.utf8.count) && $0.value.utf8.count <= 64 }) else {
            throw Failure(.invalidArgument, "a parameter's name or value is longer than any that exists")
        }
        var hints: [Hint] = []
        for hint in given { hints.append(try hint.asHint()) }
        let judge: @Sendable (ObjectUse) throws(Failure) -> Void = { [session] use throws(Failure) in
            try session.judge(use)
        }
        func raw(_ name: String, _ object: [UInt8]) -> DeploymentRequest {
            DeploymentRequest(
                scheduler: name, object: object, settings: settings, values: nil, hints: hints, hintMaps: [:],
                actor: session.actor, authority: .unverified(reason: ""), takeover: takeover, judge: judge)
        }
        func described(_ policy: SchedulerPolicy, _ object: [UInt8]) throws(Failure) -> DeploymentRequest {
            try policy.check(hints)
            var request = DeploymentRequest(
                scheduler: policy.name.text, object: object, settings: settings,
                values: try policy.values(for: settings), hints: hints,
                hintMaps: Dictionary(policy.hints.map { ($0.kind, $0.map) }, uniquingKeysWith: { first, _ in first }),
                actor: session.actor, authority: .unverified(reason: ""), takeover: takeover, judge: judge)
            request.live = policy.live
            return request
        }
        switch source {
        case .name(let name):
            let (policy, object) = try entry(name)
            return try described(policy, object)
        case .object(let object):
            let most = min(limits.objectBytes, session.limits.objectBytes)
            guard object.count <= most else {
                throw Failure(.malformedObject, "the object is larger than \(most) bytes")
            }
            return raw("object", object)
        case .artifact(let digest): return raw("object", try verified.get(digest))
        case .code(let name, let code):
            try Self.check(name, code, session)
            guard hints.isEmpty else {
                throw Failure(
                    .invalidArgument,
                    "a scheduler from source takes no hints: nothing says which of its maps are for them",
                    hint: "install it with a description")
            }
            return raw(name, [])
        case .entry(let entry, let object, _): return try described(SchedulerPolicy(entry), object)
        case nil: throw Failure(.invalidArgument, "it needs the name of a scheduler or an object")
        }
    }

    /// A version of an entry, as `fifo@1.0.0`, is looked up in the repository; what is installed is named without one.
    func found(_ source: Candidate.Source?) async throws(Failure) -> Candidate.Source? {
        guard case .name(let name) = source else { return source }
        guard name.utf8.contains(64) else {
            do throws(Failure) { _ = try entry(name) } catch { throw await pointed(error, at: name) }
            return source
        }
        let repository = try await policies.opened().repository
        let record = try await repository.record(name)
        guard record.entry.kind == .scheduler else {
            throw Failure(
                .invalidArgument, "\(record.entry.key) is a piece of code, and no scheduler",
                hint: "include it in one: see `schedctl repo show \(record.entry.key.name)`")
        }
        if let there = try? entry(record.entry.key.name.text), there.policy.artifact == record.entry.artifact {
            return .name(record.entry.key.name.text)
        }
        return .entry(
            record.entry, object: try object(of: record.entry), try await repository.attestations(of: record.id))
    }

    /// Which version to ask for, where what is not installed is in the repository.
    private func pointed(_ failure: Failure, at name: String) async -> Failure {
        guard failure.code == .notFound, let repository = try? await policies.opened().repository,
            let there = try? await repository.record(name).entry, there.kind == .scheduler
        else { return failure }
        return Failure(
            failure.code, failure.message, hint: "the repository has \(there.key): ask for it with its version")
    }

    /// What a source file may be called, and how large it may be.
    private static func check(_ name: String, _ code: [UInt8], _ session: Session) throws(Failure) {
        let isPlain = name.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                || [45, 46, 95].contains(byte)
        }
        guard (1...100).contains(name.utf8.count), isPlain, name.hasSuffix(".c"), !name.hasPrefix("."),
            !name.hasPrefix("-")
        else {
            throw Failure(
                .invalidArgument, "\(name.quotedForDisplay()) is not the name of a source file",
                hint: "letters, digits, . _ and -, ending in .c, as mine.bpf.c")
        }
        guard code.count <= session.limits.sourceBytes else {
            throw Failure(
                .tooMany,
                "the source has \(code.count) bytes, more than the \(session.limits.sourceBytes) of your role",
                hint: "see `schedctl whoami`; source-bytes is in the access rules")
        }
        guard !code.isEmpty else { throw Failure(.invalidArgument, "the source is empty") }
    }

    // MARK: Budgets

    func checkBudget(_ session: Session) async throws(Failure) {
        let spent = try await journal.spent(by: session.actor.uid, at: Clock.realtime())
        if spent.cpu >= Int64(session.limits.cpuSecondsPerHour) * 1_000_000_000 {
            throw Failure(
                .tooMany,
                "uid \(session.actor.uid) has used up its \(session.limits.cpuSecondsPerHour) CPU seconds of this hour",
                hint: "see `schedctl whoami`; the budget is in the access rules")
        }
        if spent.cost >= session.limits.costPerHour {
            throw Failure(
                .tooMany, "uid \(session.actor.uid) has used up what it may cost in an hour",
                hint: "see `schedctl whoami`; the budget is in the access rules")
        }
    }

    /// What a request costs at the least, in nanoseconds: also one that is refused leaves two records in the audit.
    private static let floor: Int64 = 20_000_000

    func charge(_ session: Session, nanoseconds: Int64) async throws(Failure) {
        let used = max(Self.floor, nanoseconds)
        let cost = Double(used) / 1e9 * Double(session.rules.rules.costPerCPUSecond)
        try await journal.charge(
            session.actor.uid, cpu: used, cost: Int64(cost.rounded(.up)), at: Clock.realtime())
    }
}

extension SchedulerPolicy {
    init(_ entry: PolicyEntry) {
        self.init(
            name: entry.key.name, version: entry.key.version.description, summary: entry.summary,
            description: entry.description, algorithm: entry.algorithm, license: entry.license,
            parameters: entry.parameters, hints: entry.hints, targetWorkloads: entry.targetWorkloads,
            notFor: entry.notFor, kernelMinimum: entry.kernelMinimum, promises: entry.promises,
            artifact: entry.artifact, counters: entry.counters, queues: entry.queues, features: entry.features,
            uses: entry.uses, targets: entry.targets, sourceFile: entry.source?.file ?? "")
    }
}

extension Session {
    /// What the role's limits say to the calls and maps of a scheduler.
    func judge(_ use: ObjectUse) throws(Failure) {
        let candidate = CandidateUse(
            kernelFunctions: use.kernelFunctions, helpers: use.helpers, mapTypes: use.mapTypes,
            readsUserMemory: use.readsUserMemory)
        let objections = limits.objections(to: candidate)
        guard !objections.isEmpty else { return }
        throw Failure(
            .denied, "the access rules do not permit what the scheduler uses: \(objections[0].description)",
            hint: "see `schedctl whoami` for the limits of your role",
            detail: objections.map(\.description).joined(separator: "\n"))
    }
}
