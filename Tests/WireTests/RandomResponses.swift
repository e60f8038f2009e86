import TestSupport
import Wire

extension WireResponse: RandomMessage {
    static func random(_ random: inout Seeded) -> WireResponse {
        var response = WireResponse()
        response.id = random.number(UInt64.self)
        response.result =
            switch random.below(12) {
            case 0: .failure(.random(&random))
            case 1: .hello(.random(&random))
            case 2: .status(.random(&random))
            case 3: .list(.random(&random))
            case 4: .show(.random(&random))
            case 5: .history(.random(&random))
            case 6: .event(.random(&random))
            case 7: .deployment(.random(&random))
            case 8: .progress(.random(&random))
            case 9: .done(.init())
            case 10: .doctor(.random(&random))
            default: nil
            }
        return response
    }
}

extension WireFailure: RandomMessage {
    static func random(_ random: inout Seeded) -> WireFailure {
        var it = WireFailure()
        it.code = WireFailure.Code(rawValue: random.below(40)) ?? .unspecified
        it.message = random.text()
        it.hint = random.text()
        it.detail = random.text(200)
        return it
    }
}

extension WireHelloReply: RandomMessage {
    static func random(_ random: inout Seeded) -> WireHelloReply {
        var it = WireHelloReply()
        it.protocol = random.number(UInt32.self)
        it.serverVersion = random.text()
        if random.chance(2) {
            it.limits.maxFrameBytes = random.number(UInt32.self)
            it.limits.maxRequestsInFlight = random.number(UInt32.self)
            it.limits.maxStreams = random.number(UInt32.self)
            it.limits.maxObjectBytes = random.number(UInt32.self)
            it.limits.maxParameters = random.number(UInt32.self)
            it.limits.maxHints = random.number(UInt32.self)
            it.limits.maxHistory = random.number(UInt32.self)
            it.limits.frameTimeoutSeconds = random.number(UInt32.self)
        }
        if random.chance(2) {
            it.you.uid = random.number(UInt32.self)
            it.you.gid = random.number(UInt32.self)
            it.you.pid = random.number(Int32.self)
            it.you.user = random.text()
            it.you.mayChange = random.chance(2)
        }
        return it
    }
}

extension WireStatus: RandomMessage {
    static func random(_ random: inout Seeded) -> WireStatus {
        var it = WireStatus()
        if random.chance(2) {
            it.kernel.supported = random.chance(2)
            it.kernel.state = random.text()
            it.kernel.ops = random.text()
            it.kernel.enableSeq = random.number(UInt64.self)
            it.kernel.nrRejected = random.number(UInt64.self)
            it.kernel.switchAll = random.chance(2)
            it.kernel.owner = WireKernelState.Owner(rawValue: random.below(6)) ?? .none
            it.kernel.release = random.text()
            it.kernel.missing = (0..<random.below(4)).map { _ in random.text() }
        }
        if random.chance(2) { it.deployment = .random(&random) }
        if random.chance(2) { it.lastEnded = .random(&random) }
        it.serverVersion = random.text()
        it.uptimeSeconds = random.number(UInt64.self)
        return it
    }
}

extension WireSchedulerSummary: RandomMessage {
    static func random(_ random: inout Seeded) -> WireSchedulerSummary {
        var it = WireSchedulerSummary()
        it.name = random.text()
        it.version = random.text()
        it.summary = random.text()
        it.targetWorkloads = (0..<random.below(4)).map { _ in random.text() }
        return it
    }
}

extension WireSchedulerList: RandomMessage {
    static func random(_ random: inout Seeded) -> WireSchedulerList {
        var it = WireSchedulerList()
        it.schedulers = random.some(WireSchedulerSummary.self)
        return it
    }
}

extension WireScheduler: RandomMessage {
    static func random(_ random: inout Seeded) -> WireScheduler {
        var it = WireScheduler()
        if random.chance(2) { it.summary = .random(&random) }
        it.description_p = random.text(100)
        it.algorithm = random.text()
        it.license = random.text()
        it.parameters = random.some(WireParameterSpec.self)
        it.hints = (0..<random.below(3)).map { _ in
            var hint = WireHintSpec()
            hint.kind = random.text()
            hint.description_p = random.text()
            return hint
        }
        it.notFor = (0..<random.below(3)).map { _ in random.text() }
        it.kernelMin = random.text()
        it.artifactSha256 = random.text(64)
        it.promises = (0..<random.below(3)).map { _ in
            var promise = WirePromise()
            promise.name = random.text()
            promise.value = random.text()
            return promise
        }
        return it
    }
}

extension WireParameterSpec: RandomMessage {
    static func random(_ random: inout Seeded) -> WireParameterSpec {
        var it = WireParameterSpec()
        it.name = random.text()
        it.type = random.text(4)
        it.defaultValue = random.text()
        it.min = random.text()
        it.max = random.text()
        it.unit = random.text()
        it.description_p = random.text()
        return it
    }
}

extension WireDeployment: RandomMessage {
    static func random(_ random: inout Seeded) -> WireDeployment {
        var it = WireDeployment()
        it.id = random.number(UInt64.self)
        it.scheduler = random.text()
        it.artifactSha256 = random.text(64)
        it.parameters = random.some(WireSetting.self)
        it.hints = random.some(WireHint.self)
        it.state = random.text()
        it.reason = random.text()
        it.actorUid = random.number(UInt32.self)
        it.actorUser = random.text()
        it.requestedAt = random.number(Int64.self)
        it.attachedAt = random.number(Int64.self)
        it.endedAt = random.number(Int64.self)
        it.enableSeq = random.number(UInt64.self)
        it.ops = random.text()
        if random.chance(2) {
            it.exit.kind = random.number(Int32.self)
            it.exit.kindName = random.text()
            it.exit.code = random.number(Int64.self)
            it.exit.reason = random.text()
            it.exit.message = random.text()
            it.exit.dump = random.text(200)
        }
        return it
    }
}

extension WireDeploymentList: RandomMessage {
    static func random(_ random: inout Seeded) -> WireDeploymentList {
        var it = WireDeploymentList()
        it.deployments = random.some(WireDeployment.self)
        return it
    }
}

extension WireEvent: RandomMessage {
    static func random(_ random: inout Seeded) -> WireEvent {
        var it = WireEvent()
        it.sequence = random.number(UInt64.self)
        it.at = random.number(Int64.self)
        it.kind = random.text()
        it.message = random.text()
        if random.chance(2) { it.deployment = .random(&random) }
        it.skipped = random.number(UInt64.self)
        return it
    }
}

extension WireProgress: RandomMessage {
    static func random(_ random: inout Seeded) -> WireProgress { WireProgress(step: random.text()) }
}

extension WireDoctorReply: RandomMessage {
    static func random(_ random: inout Seeded) -> WireDoctorReply {
        var it = WireDoctorReply()
        it.checks = (0..<random.below(4)).map { _ in
            var check = WireCheck()
            check.name = random.text()
            check.verdict = WireCheck.Verdict(rawValue: random.below(6)) ?? .unknown
            check.found = random.text()
            check.remedy = random.text()
            return check
        }
        return it
    }
}
