package import Model

extension WireKernelState {
    package init(_ state: KernelState, owner: KernelState.Owner, release: String, missing: [String]) {
        self.init()
        supported = state.supported
        self.state = state.state
        ops = state.ops
        enableSeq = state.enableSequence
        nrRejected = state.rejected
        switchAll = state.switchAll
        self.owner =
            switch owner {
            case .none: .none
            case .ours: .ours
            case .foreign: .foreign
            }
        self.release = release
        self.missing = missing
    }
}

extension WireDeployment {
    /// - Parameter withDump: the debug dump is long; lists leave it out.
    package init(_ record: DeploymentRecord, withDump: Bool) {
        self.init()
        id = UInt64(clamping: record.id)
        scheduler = record.spec.scheduler
        artifactSha256 = record.spec.artifact
        parameters = record.spec.parameters.map(WireSetting.init)
        hints = record.spec.hints.map(WireHint.init)
        state = record.state.rawValue
        reason = record.reason
        actorUid = record.spec.actor.uid
        actorUser = record.spec.actor.user
        requestedAt = record.requestedAt
        attachedAt = record.attachedAt
        endedAt = record.endedAt
        enableSeq = record.enableSequence
        ops = record.ops
        if let info = record.exit { exit = WireExitInfo(info, withDump: withDump) }
        previous = UInt64(clamping: record.previous)
        (authority, authorityDetail) = record.spec.authority.words
        if let judged = record.blame { (blame, blameSummary) = (judged.word, judged.summary) }
    }
}

extension Authority {
    fileprivate var words: (String, String) {
        switch self {
        case .attested(_, _, let digest, _): ("attested", digest)
        case .unverified(let reason): ("unverified", reason)
        case .restored(let deployment): ("restored", "\(deployment)")
        }
    }
}

extension Blame {
    fileprivate var word: String {
        switch self {
        case .scheduler: "scheduler"
        case .hog: "hog"
        case .outside: "outside"
        }
    }
}

extension WireExitInfo {
    init(_ info: ExitInfo, withDump: Bool) {
        self.init()
        kind = info.kind.rawValue
        kindName = info.kind.name
        code = info.code
        reason = info.reason
        message = info.message
        if withDump { dump = info.dump }
    }
}

extension WireSetting {
    package init(_ setting: Setting) {
        self.init()
        name = setting.name
        value = setting.value
    }

    package var asSetting: Setting { Setting(name: name, value: value) }
}

extension WireHint {
    package init(_ hint: Hint) {
        self.init()
        kind = hint.kind.rawValue
        key = hint.key
        nanoseconds = hint.nanoseconds
    }

    package func asHint() throws(Failure) -> Hint {
        guard let kind = Hint.Kind(rawValue: kind) else {
            throw Failure(
                .invalidArgument, "there are no hints by \(self.kind.quotedForDisplay())",
                hint: "the kinds are: " + Hint.Kind.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return try Hint(kind: kind, key: key, nanoseconds: nanoseconds)
    }
}

extension WireSchedulerSummary {
    package init(_ policy: SchedulerPolicy) {
        self.init()
        name = policy.name.text
        version = policy.version
        summary = policy.summary
        targetWorkloads = policy.targetWorkloads
    }
}

extension WireScheduler {
    package init(_ policy: SchedulerPolicy) {
        self.init()
        summary = WireSchedulerSummary(policy)
        description_p = policy.description
        algorithm = policy.algorithm
        license = policy.license
        notFor = policy.notFor
        kernelMin = policy.kernelMinimum
        artifactSha256 = policy.artifact
        parameters = policy.parameters.map(WireParameterSpec.init)
        hints = policy.hints.map(WireHintSpec.init)
        promises = WirePromise.list(policy.promises)
    }
}

extension WireCheck {
    package init(_ check: Check) {
        self.init()
        name = check.name
        found = check.found
        remedy = check.remedy
        verdict =
            switch check.verdict {
            case .found: .found
            case .missing: .missing
            case .warning: .warning
            }
    }
}

extension WireProgress {
    package init(step: String) {
        self.init()
        self.step = step
    }
}
