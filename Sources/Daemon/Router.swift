import Access
import Deployment
import Kernel
import Linux
import Model
import Repository
import Synchronization
import Wire

/// Turns requests into answers. It decides nothing about who may: the connection asks the access rules first.
final class Router: Sendable {
    let configuration: DaemonConfiguration
    private let service: DeploymentService
    private let catalog: Mutex<Catalog>
    private let currentRules: Mutex<AccessRules>
    let status: StatusAnswer

    init(configuration: DaemonConfiguration, service: DeploymentService, catalog: Catalog, rules: AccessRules) {
        self.configuration = configuration
        self.service = service
        self.catalog = Mutex(catalog)
        currentRules = Mutex(rules)
        status = StatusAnswer(schedExt: service.schedExt, board: service.board)
    }

    var rules: AccessRules { currentRules.withLock { $0 } }

    func replace(catalog new: Catalog, rules: AccessRules) {
        catalog.withLock { $0 = new }
        currentRules.withLock { $0 = rules }
    }

    static func operation(of request: WireRequest) -> Operation? {
        switch request.operation {
        case .hello: .hello
        case .cancel: .cancel
        case .status: .status
        case .list: .list
        case .show: .show
        case .history: .history
        case .events: .events
        case .doctor: .doctor
        case .deploy(let deploy): if case .object = deploy.source { .deployObject } else { .deploy }
        case .rollback: .rollback
        case nil: nil
        }
    }

    /// Answers what needs no waiting, on the event loop; nil for everything else.
    func answerAtOnce(_ request: WireRequest, from actor: Actor) throws(Failure) -> WireResponse.OneOf_Result? {
        switch request.operation {
        case .hello(let hello): .hello(try greet(hello, actor))
        case .list: .list(list())
        case .show(let show): .show(WireScheduler(try entry(show.name).policy))
        default: nil
        }
    }

    /// Answers what may wait: the disk, the verifier, other deployments.
    func answer(
        _ request: WireRequest, from actor: Actor, progress: @escaping @Sendable (String) -> Void
    ) async throws(Failure) -> WireResponse.OneOf_Result {
        switch request.operation {
        case .history(let history): return .history(try await self.history(history, actor))
        case .doctor: return .doctor(doctor())
        case .deploy(let deploy):
            let request = try self.request(deploy, from: actor)
            return .deployment(WireDeployment(try await service.deploy(request, progress: progress), withDump: false))
        case .rollback: return .deployment(WireDeployment(try await service.rollback(by: actor), withDump: true))
        default: throw Failure(.unknownOperation, "this daemon does not know that operation")
        }
    }

    func events(after sequence: UInt64, follow: Bool) -> AsyncStream<SchedulerEvent> {
        if follow { return service.events.follow(after: sequence) }
        let kept = service.events.events(after: sequence)
        return AsyncStream { continuation in
            kept.forEach { continuation.yield($0) }
            continuation.finish()
        }
    }

    private func greet(_ hello: WireHello, _ actor: Actor) throws(Failure) -> WireHelloReply {
        var reply = WireHelloReply()
        reply.protocol = try ProtocolVersion.agreed(clientMin: hello.protocolMin, clientMax: hello.protocolMax)
        reply.serverVersion = DaemonConfiguration.version
        reply.limits = WireLimits(configuration.limits, maxFrame: frameLimit(of: actor))
        reply.you.uid = actor.uid
        reply.you.gid = actor.gid
        reply.you.pid = actor.pid
        reply.you.user = actor.user
        reply.you.mayChange = rules.has(actor, .change)
        return reply
    }

    /// Only who may deploy an object has a use for large frames; everyone else would only fill memory with them.
    func frameLimit(of actor: Actor) -> Int {
        rules.has(actor, .root) ? Frame.privilegedLimit : Frame.ordinaryLimit
    }

    private func list() -> WireSchedulerList {
        var reply = WireSchedulerList()
        reply.schedulers = catalog.withLock { $0.sorted }.map(WireSchedulerSummary.init)
        return reply
    }

    private func entry(_ name: String) throws(Failure) -> (policy: SchedulerPolicy, object: [UInt8]) {
        try catalog.withLock { $0 }.entry(try SchedulerName(name))
    }

    private func history(_ request: WireHistoryRequest, _ actor: Actor) async throws(Failure) -> WireDeploymentList {
        var reply = WireDeploymentList()
        if request.id != 0 {
            let id = Int64(clamping: request.id)
            // The dump shows what other users run.
            let withDump = rules.has(actor, .change)
            reply.deployments = [WireDeployment(try await service.deployment(id), withDump: withDump)]
            return reply
        }
        let limit = request.limit == 0 ? 20 : min(Int(request.limit), configuration.limits.history)
        var bytes = 0
        for record in try await service.history(limit: limit) {
            let deployment = WireDeployment(record, withDump: false)
            bytes += Frame.size(of: deployment)
            if bytes > Frame.answerLimit / 2 { break }
            reply.deployments.append(deployment)
        }
        return reply
    }

    private func doctor() -> WireDoctorReply {
        var reply = WireDoctorReply()
        var checks = HostProbe.schedulingChecks() + [HostProbe.bpfLoad(), HostProbe.perf()]
        if let privileges = ThisProcess.privileges() {
            let needed: CapabilitySet = [.bpf, .perfmon]
            let hasThem = privileges.effective.isSuperset(of: needed)
            checks.append(
                Check(
                    "capabilities of schedcpd", hasThem ? .found : .missing,
                    "\(privileges.effective), uid \(privileges.uids.sorted().map(String.init).joined(separator: ","))",
                    remedy: hasThem ? "" : "Start it with `systemctl start schedcpd`."))
        }
        reply.checks = checks.map(WireCheck.init)
        return reply
    }

    private func request(_ deploy: WireDeployRequest, from actor: Actor) throws(Failure) -> DeploymentRequest {
        let limits = configuration.limits
        guard deploy.parameters.count <= limits.parameters, deploy.hints.count <= limits.hints else {
            throw Failure(.tooMany, "more than \(limits.parameters) parameters or \(limits.hints) hints")
        }
        let settings = deploy.parameters.map { Setting(name: $0.name, value: $0.value) }
        guard settings.allSatisfy({ $0.name.utf8.count <= 128 && $0.value.utf8.count <= 64 }) else {
            throw Failure(.invalidArgument, "a parameter's name or value is longer than any that exists")
        }
        var hints: [Hint] = []
        for hint in deploy.hints { hints.append(try hint.asHint()) }
        switch deploy.source {
        case .name(let name):
            let (policy, object) = try entry(name)
            try policy.check(hints)
            return DeploymentRequest(
                scheduler: policy.name.text, object: object, settings: settings,
                values: try policy.values(for: settings),
                hints: hints,
                hintMaps: Dictionary(policy.hints.map { ($0.kind, $0.map) }, uniquingKeysWith: { first, _ in first }),
                actor: actor, takeover: deploy.takeover)
        case .object(let object):
            guard object.count <= limits.objectBytes else {
                throw Failure(.malformedObject, "the object is larger than \(limits.objectBytes) bytes")
            }
            return DeploymentRequest(
                scheduler: "object", object: [UInt8](object), settings: settings, values: nil, hints: hints,
                hintMaps: [:], actor: actor, takeover: deploy.takeover)
        case nil: throw Failure(.invalidArgument, "a deployment needs the name of a scheduler or an object")
        }
    }
}

extension WireLimits {
    init(_ limits: ServerLimits, maxFrame: Int) {
        self.init()
        maxFrameBytes = UInt32(maxFrame)
        maxRequestsInFlight = UInt32(limits.requestsInFlight)
        maxStreams = UInt32(limits.streams)
        maxObjectBytes = UInt32(limits.objectBytes)
        maxParameters = UInt32(limits.parameters)
        maxHints = UInt32(limits.hints)
        maxHistory = UInt32(limits.history)
        frameTimeoutSeconds = UInt32(limits.frameSeconds)
    }
}
