package import Model

/// Evidence as messages: outcomes, attestations, incidents, and what was tried and failed.

extension WireOutcome {
    package init(_ outcome: Outcome) {
        self.init()
        id = outcome.id
        entry = outcome.entry.description
        artifactSha256 = outcome.artifact
        parameters = outcome.settings.map(WireSetting.init)
        workload = WireProfile(outcome.workload)
        machine = WireMachine(outcome.machine)
        kernel = outcome.kernel
        metric = outcome.effect.metric
        better = outcome.effect.better.rawValue
        baseline = outcome.effect.baseline
        ratio = outcome.effect.ratio
        low = outcome.effect.low
        high = outcome.effect.high
        runs = UInt32(clamping: outcome.effect.runs)
        origin = outcome.origin.rawValue
        trial = outcome.trial
        measuredBy = outcome.measuredBy
        measuredAt = outcome.measuredAt
    }

    /// As a client reports it: `reported`, whatever it says. What it leaves out is taken from `defaults`.
    package func asReported(_ defaults: OutcomeDefaults) throws(Failure) -> Outcome {
        guard let better = Effect.Better(rawValue: better) else {
            throw Failure(
                .invalidArgument, "an effect is not better \(better.quotedForDisplay())", hint: "lower or higher")
        }
        guard hasWorkload else {
            throw Failure(.invalidArgument, "an outcome needs the profile of its workload, at least its class")
        }
        let outcome = Outcome(
            id: id, entry: defaults.entry, artifact: artifactSha256.isEmpty ? defaults.artifact : artifactSha256,
            settings: try Self.settings(parameters), workload: try workload.asProfile(),
            machine: hasMachine ? try machine.asShape() : defaults.machine,
            kernel: kernel.isEmpty ? defaults.kernel : kernel,
            effect: Effect(
                metric: metric, better: better, baseline: baseline.isEmpty ? "default" : baseline, ratio: ratio,
                low: low, high: high, runs: Int(runs)), origin: .reported, trial: trial.isEmpty ? id : trial,
            measuredBy: defaults.measuredBy, measuredAt: measuredAt == 0 ? defaults.now : measuredAt)
        try outcome.check()
        return outcome
    }

    package static func settings(_ parameters: [WireSetting]) throws(Failure) -> [Setting] {
        guard parameters.count <= 64 else { throw Failure(.tooMany, "\(parameters.count) parameters, more than 64") }
        return parameters.map(\.asSetting)
    }
}

/// What an outcome has that its request does not say.
package struct OutcomeDefaults: Sendable {
    package var entry: EntryKey
    package var artifact: String
    package var machine: MachineShape
    package var kernel: String
    package var measuredBy: String
    /// Nanoseconds since the epoch.
    package var now: Int64

    package init(
        entry: EntryKey, artifact: String, machine: MachineShape, kernel: String, measuredBy: String, now: Int64
    ) {
        self.entry = entry
        self.artifact = artifact
        self.machine = machine
        self.kernel = kernel
        self.measuredBy = measuredBy
        self.now = now
    }
}

extension WireProfile {
    package init(_ profile: WorkloadProfile) {
        self.init()
        workloadClass = profile.workloadClass
        features = profile.features.sorted { $0.key < $1.key }.map { name, value in
            var feature = WireFeature()
            (feature.name, feature.value) = (name, value)
            return feature
        }
        goal = profile.goal
    }

    package func asProfile() throws(Failure) -> WorkloadProfile {
        guard features.count <= RepositoryLimits.features else {
            throw Failure(.tooMany, "\(features.count) features, more than \(RepositoryLimits.features)")
        }
        var profile = WorkloadProfile(workloadClass: workloadClass, goal: goal)
        for feature in features {
            guard profile.features.updateValue(feature.value, forKey: feature.name) == nil else {
                throw Failure(.invalidArgument, "the feature \(feature.name.quotedForDisplay()) is there twice")
            }
        }
        try profile.check()
        return profile
    }
}

extension WireMachine {
    package init(_ shape: MachineShape) {
        self.init()
        architecture = shape.architecture
        cpus = UInt32(clamping: shape.cpus)
        threadsPerCore = UInt32(clamping: shape.threadsPerCore)
        llcs = UInt32(clamping: shape.llcs)
        nodes = UInt32(clamping: shape.nodes)
        virtual = shape.isVirtual
    }

    /// What is 0 is 1: a machine has one of it at least.
    package func asShape() throws(Failure) -> MachineShape {
        let shape = MachineShape(
            architecture: architecture, cpus: Int(cpus), threadsPerCore: max(1, Int(threadsPerCore)),
            llcs: max(1, Int(llcs)), nodes: max(1, Int(nodes)), isVirtual: virtual)
        try shape.check()
        return shape
    }
}

extension WireEntryAttestation {
    package init(_ attestation: EntryAttestation, isRevoked: Bool) {
        self.init()
        digest = attestation.digest
        keyID = attestation.keyID
        stages = attestation.passedStages
        kernel = attestation.kernel
        issuedAt = attestation.issuedAt
        local = attestation.isLocal
        revoked = isRevoked
    }
}

extension WireIncident {
    package init(_ incident: Incident) {
        self.init()
        kind = incident.kind.rawValue
        reason = incident.reason
        subject = incident.subject
        at = incident.at
    }
}

extension WireStatusChange {
    package init(_ transition: StatusTransition) {
        self.init()
        status = transition.to.rawValue
        reason = transition.reason
        at = transition.at
    }
}

extension WireAntipatternView {
    package init(_ record: AntipatternRecord) {
        let antipattern = record.antipattern
        self.init()
        fingerprint = antipattern.fingerprint
        stage = antipattern.stage
        workloadClass = antipattern.workloadClass
        base = antipattern.base
        attempt = antipattern.attempt
        reason = antipattern.reason
        kernel = antipattern.kernel
        triedBy = antipattern.triedBy
        at = antipattern.at
        times = UInt32(clamping: record.times)
    }
}
