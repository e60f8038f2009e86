import Access
import Deployment
import Kernel
import Linux
import Model
import Repository
import Synchronization
import Wire

/// What a request has come to, before its last answer.
enum RequestProgress: Sendable {
    case step(String)
    case verification(WireVerifyProgress)

    var asResult: WireResponse.OneOf_Result {
        switch self {
        case .step(let step): .progress(WireProgress(step: step))
        case .verification(let what): .verifying(what)
        }
    }
}

/// Turns requests into answers. It decides nothing about who may: the connection asks the access rules first.
final class Router: Sendable {
    let configuration: DaemonConfiguration
    let boundary: Boundary
    let service: DeploymentService
    let desk: AttestationDesk
    let journal: SQLiteJournal
    /// Reads rules and catalog again; nil in tests that have none.
    let reload: @Sendable () async throws(Failure) -> [String]
    private let catalog: Mutex<Catalog>
    let verifiers: VerifierDesk
    /// Objects that passed verification here, apart from those that were deployed: many of the one must not push out the other.
    let verified: ArtifactStore
    let policies: RepositoryDesk
    let searches = SearchTurns()
    let changes = ChangeBudget()
    let status: StatusAnswer
    let station: LiveStation

    init(
        configuration: DaemonConfiguration, boundary: Boundary, service: DeploymentService, desk: AttestationDesk,
        journal: SQLiteJournal, catalog: Catalog, verifiers: VerifierDesk, verified: ArtifactStore,
        policies: RepositoryDesk, reload: @escaping @Sendable () async throws(Failure) -> [String]
    ) {
        self.configuration = configuration
        self.boundary = boundary
        self.service = service
        self.desk = desk
        self.journal = journal
        self.reload = reload
        self.verifiers = verifiers
        self.verified = verified
        self.policies = policies
        self.catalog = Mutex(catalog)
        status = StatusAnswer(schedExt: service.schedExt, board: service.board, audit: boundary.audit)
        station = Self.station(service, schedExt: service.schedExt, probes: configuration.probesFolder)
    }

    /// What is installed, as it was last read.
    var installed: Catalog { catalog.withLock { $0 } }

    func replace(catalog new: Catalog) { catalog.withLock { $0 = new } }

    /// Answers what needs no waiting, on the event loop; nil for everything else.
    func answerAtOnce(_ request: WireRequest, for session: Session) throws(Failure) -> WireResponse.OneOf_Result? {
        switch request.operation {
        case .hello(let hello): .hello(try greet(hello, session))
        case .list: .list(list())
        case .show(let show): .show(WireScheduler(try entry(show.name).policy))
        case .explain(let explain): .explanation(try self.explain(explain, session))
        default: nil
        }
    }

    /// Answers what may wait: the disk, the verifier, other deployments.
    func answer(
        _ request: WireRequest, _ permit: Permit, for session: Session, _ account: UserAccount,
        _ cancellation: Cancellation = Cancellation(), progress: @escaping @Sendable (RequestProgress) -> Void
    ) async throws(Failure) -> WireResponse.OneOf_Result {
        if permit.operation.isPrivileged {
            return try await audited(request, permit, session) { () async throws(Failure) in
                try await privileged(request, session, account, cancellation, progress: progress)
            }
        }
        switch request.operation {
        case .history(let history): return .history(try await self.history(history, session))
        case .doctor: return .doctor(await doctor())
        case .whoami: return .whoami(try await whoami(session))
        case .audit(let audit): return .audit(try auditLines(audit))
        case .quarantine: return .quarantine(WireQuarantineList(try await service.quarantined()))
        case .keys: return .keys(try await keys(session))
        case .tuning: return .tuning(try await tuning())
        case .search(let search): return .search(try await self.search(search, account))
        case .entries(let entries): return .entries(try await self.entries(entries))
        case .entry(let entry): return .entry(try await self.entry(entry))
        case .entryExport(let export): return .bundle(try await self.export(export))
        case .antipatterns(let request): return .antipatterns(try await antipatterns(request))
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

    private func greet(_ hello: WireHello, _ session: Session) throws(Failure) -> WireHelloReply {
        var reply = WireHelloReply()
        reply.protocol = try ProtocolVersion.agreed(clientMin: hello.protocolMin, clientMax: hello.protocolMax)
        reply.serverVersion = DaemonConfiguration.version
        reply.limits = WireLimits(configuration.limits, session)
        reply.you = identity(session)
        return reply
    }

    private func list() -> WireSchedulerList {
        var reply = WireSchedulerList()
        reply.schedulers = catalog.withLock { $0.sorted }.map(WireSchedulerSummary.init)
        return reply
    }

    func entry(_ name: String) throws(Failure) -> (policy: SchedulerPolicy, object: [UInt8]) {
        try catalog.withLock { $0 }.entry(try SchedulerName(name))
    }

    private func history(_ request: WireHistoryRequest, _ session: Session) async throws(Failure) -> WireDeploymentList
    {
        var reply = WireDeploymentList()
        if request.id != 0 {
            let id = Int64(clamping: request.id)
            // The dump shows what other users run.
            let withDump = session.rules.rules.has(session.actor, .rollback)
            reply.deployments = [WireDeployment(try await service.deployment(id), withDump: withDump)]
            return reply
        }
        let limit = request.limit == 0 ? 20 : min(Int(request.limit), configuration.limits.history)
        var budget = AnswerBudget()
        reply.deployments = budget.prefix(
            try await service.history(limit: limit).lazy.map { WireDeployment($0, withDump: false) })
        return reply
    }

    private func doctor() async -> WireDoctorReply {
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
        checks += await policies.checks()
        reply.checks = checks.map(WireCheck.init)
        return reply
    }
}

extension WireLimits {
    init(_ limits: ServerLimits, _ session: Session) {
        self.init()
        maxFrameBytes = UInt32(session.frameLimit)
        maxRequestsInFlight = UInt32(limits.requestsInFlight)
        maxStreams = UInt32(limits.streams)
        maxObjectBytes = UInt32(clamping: min(limits.objectBytes, session.limits.objectBytes))
        maxParameters = UInt32(limits.parameters)
        maxHints = UInt32(limits.hints)
        maxHistory = UInt32(limits.history)
        frameTimeoutSeconds = UInt32(limits.frameSeconds)
        maxSourceBytes = UInt32(clamping: session.limits.sourceBytes)
    }
}
