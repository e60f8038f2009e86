import FoundationEssentials
import Model

/// An outcome as JSON; see StoredEntry.
struct StoredOutcome: Codable {
    var id: String
    var entry: String
    var artifact: String
    var settings: [StoredSpec.Pair]
    var workloadClass: String
    var features: [String: Double]
    var goal: String
    var machine: StoredMachine
    var kernel: String
    var metric: String
    var better: String
    var baseline: String
    var ratio: Double
    var low: Double
    var high: Double
    var runs: Int
    var origin: String
    var trial: String
    var measuredBy: String
    var measuredAt: Int64

    init(_ outcome: Outcome) {
        id = outcome.id
        entry = outcome.entry.description
        artifact = outcome.artifact
        settings = outcome.settings.map { StoredSpec.Pair(name: $0.name, value: $0.value) }
        workloadClass = outcome.workload.workloadClass
        features = outcome.workload.features
        goal = outcome.workload.goal
        machine = StoredMachine(outcome.machine)
        kernel = outcome.kernel
        metric = outcome.effect.metric
        better = outcome.effect.better.rawValue
        baseline = outcome.effect.baseline
        ratio = outcome.effect.ratio
        low = outcome.effect.low
        high = outcome.effect.high
        runs = outcome.effect.runs
        origin = outcome.origin.rawValue
        trial = outcome.trial
        measuredBy = outcome.measuredBy
        measuredAt = outcome.measuredAt
    }

    func outcome() throws(Failure) -> Outcome {
        guard let better = Effect.Better(rawValue: better), let origin = Outcome.Origin(rawValue: origin) else {
            throw Failure(.storage, "the outcome \(id.quotedForDisplay()) cannot be read")
        }
        return Outcome(
            id: id, entry: try EntryKey(entry), artifact: artifact,
            settings: settings.map { Setting(name: $0.name, value: $0.value) },
            workload: WorkloadProfile(workloadClass: workloadClass, features: features, goal: goal),
            machine: machine.shape, kernel: kernel,
            effect: Effect(
                metric: metric, better: better, baseline: baseline, ratio: ratio, low: low, high: high, runs: runs),
            origin: origin, trial: trial, measuredBy: measuredBy, measuredAt: measuredAt)
    }
}

struct StoredMachine: Codable {
    var architecture: String
    var cpus: Int
    var threadsPerCore: Int
    var llcs: Int
    var nodes: Int
    var isVirtual: Bool

    init(_ shape: MachineShape) {
        architecture = shape.architecture
        cpus = shape.cpus
        threadsPerCore = shape.threadsPerCore
        llcs = shape.llcs
        nodes = shape.nodes
        isVirtual = shape.isVirtual
    }

    var shape: MachineShape {
        MachineShape(
            architecture: architecture, cpus: cpus, threadsPerCore: threadsPerCore, llcs: llcs, nodes: nodes,
            isVirtual: isVirtual)
    }
}

/// The features of a workload, the same text for the same figures.
struct StoredProfile: Codable {
    var workloadClass: String
    var features: [String: Double]

    var profile: WorkloadProfile { WorkloadProfile(workloadClass: workloadClass, features: features) }
}

/// Of an attestation, without its envelope.
struct StoredAttestation: Codable {
    var entry: String
    var digest: String
    var artifact: String
    var keyID: String
    var verifier: String
    var effort: String?
    var passedStages: [String]
    var kernel: String
    var issuedAt: Int64
    var isLocal: Bool

    init(_ attestation: EntryAttestation) {
        entry = attestation.entry.description
        digest = attestation.digest
        artifact = attestation.artifact
        keyID = attestation.keyID
        verifier = attestation.verifier
        effort = attestation.effort?.rawValue
        passedStages = attestation.passedStages
        kernel = attestation.kernel
        issuedAt = attestation.issuedAt
        isLocal = attestation.isLocal
    }

    func attestation(_ envelope: [UInt8]) throws(Failure) -> EntryAttestation {
        EntryAttestation(
            entry: try EntryKey(entry), digest: digest, envelope: envelope, artifact: artifact, keyID: keyID,
            verifier: verifier, effort: effort.flatMap(Effort.init(rawValue:)), passedStages: passedStages,
            kernel: kernel, issuedAt: issuedAt, isLocal: isLocal)
    }
}

struct StoredIncident: Codable {
    var entry: String
    var kind: String
    var subject: String
    var reason: String
    var at: Int64

    init(_ incident: Incident) {
        entry = incident.entry.description
        kind = incident.kind.rawValue
        subject = incident.subject
        reason = incident.reason
        at = incident.at
    }

    func incident() throws(Failure) -> Incident {
        guard let kind = Incident.Kind(rawValue: kind) else { throw Failure(.storage, "an incident cannot be read") }
        return Incident(entry: try EntryKey(entry), kind: kind, subject: subject, reason: reason, at: at)
    }
}

struct StoredAntipattern: Codable {
    var fingerprint: String
    var stage: String
    var workloadClass: String
    var base: String
    var attempt: String
    var reason: String
    var kernel: String
    var triedBy: String
    var at: Int64

    init(_ antipattern: Antipattern) {
        fingerprint = antipattern.fingerprint
        stage = antipattern.stage
        workloadClass = antipattern.workloadClass
        base = antipattern.base
        attempt = antipattern.attempt
        reason = antipattern.reason
        kernel = antipattern.kernel
        triedBy = antipattern.triedBy
        at = antipattern.at
    }

    var antipattern: Antipattern {
        Antipattern(
            fingerprint: fingerprint, stage: stage, workloadClass: workloadClass, base: base, attempt: attempt,
            reason: reason, kernel: kernel, triedBy: triedBy, at: at)
    }
}
