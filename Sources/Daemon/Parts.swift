import Access
import Attestation
import Audit
import Deployment
import Kernel
import Linux
import Logging
import Model
import Repository

/// The services of the daemon, put together: journal, keys, audit, rules, deployment.
struct Parts: Sendable {
    let service: DeploymentService
    let audit: AuditLog
    let router: Router

    init(
        _ configuration: DaemonConfiguration, logger: Logger, stops: any Stops, schedExt: SchedExt = SchedExt()
    ) throws(Failure) {
        let journal = try SQLiteJournal(path: configuration.stateFolder + "/schedcp.sqlite")
        let keys = try KeyringFile(
            path: configuration.stateFolder + "/keyring.json", now: Clock.realtime() / 1_000_000_000)
        let audit = try Self.openAudit(configuration, keys, logger)
        let desk = try AttestationDesk(
            keys: keys, journal: journal, publicKeys: configuration.auditFolder + "/keys")
        let files = PolicyFiles(configuration, logger)
        let rules = try files.rulesOrBuiltIn().rules
        let boundary = Boundary(rules, audit: audit, limits: configuration.limits)
        files.tell(audit, rules)
        if audit.isFailing {
            logger.critical(
                "the audit in \(configuration.auditFolder) cannot be written: nothing privileged is done until it can, but a rollback",
                metadata: ["hint": "is the disk full or read-only?"])
        }
        let service = DeploymentService(
            DeploymentService.Surroundings(
                schedExt: schedExt, journal: journal,
                artifacts: try ArtifactStore(folder: configuration.stateFolder + "/artifacts"),
                ejector: SocketEjector(path: configuration.ejectSocket), witness: AuditWitness(audit), stops: stops,
                objection: { spec in await desk.objection(to: spec) }),
            events: EventLog(), board: StatusBoard(), logger: logger)
        self.service = service
        self.audit = audit
        let late = LateRouter()
        let policies = RepositoryDesk(
            configuration, logger, installed: { late.router?.installed ?? .empty },
            afterwards: { repository in await late.router?.tellWhatFailed(to: repository) })
        router = Router(
            configuration: configuration, boundary: boundary, service: service, desk: desk, journal: journal,
            catalog: files.catalog(), verifiers: VerifierDesk(configuration.verifier, logger),
            verified: try ArtifactStore(folder: configuration.stateFolder + "/verified", most: 64),
            policies: policies,
            reload: { () async throws(Failure) in
                let warnings = try files.reload(boundary, late.router)
                await policies.rise()
                service.events.append(
                    .reloaded, "the schedulers and the access rules were read again", record: nil, at: Clock.realtime())
                return warnings
            })
        late.set(router)
    }

    func reload() async throws(Failure) -> [String] { try await router.reload() }

    private static func openAudit(
        _ configuration: DaemonConfiguration, _ keys: KeyringFile, _ logger: Logger
    ) throws(Failure) -> AuditLog {
        let signer: AuditSigner = { bytes in
            let key = keys.current.signingKey
            return (try? key.sign(bytes)).map { (keyID: key.keyID, signature: $0) }
        }
        do { try Folder.make(configuration.auditFolder, mode: 0o750) } catch { throw error.asFailure(.storage) }
        do throws(Failure) { return try AuditLog.open(folder: configuration.auditFolder, signer: signer) } catch {
            guard error.code == .malformed else { throw error }
            logger.critical("the audit is damaged and was put aside; a new chain begins: \(error)")
            return try AuditLog.openAside(folder: configuration.auditFolder, because: error, signer: signer)
        }
    }
}

/// What becomes of deployments, as the audit has it.
struct AuditWitness: DeploymentWitness {
    private let audit: AuditLog

    init(_ audit: AuditLog) { self.audit = audit }

    func witness(_ kind: SchedulerEvent.Kind, _ message: String, _ record: DeploymentRecord?) throws(Failure) {
        var entry = AuditEntry(.event, kind.rawValue, subject: record?.spec.artifact ?? "", detail: ["what": message])
        if let record { entry.outcome = AuditOutcome(code: record.state.rawValue, message: record.reason) }
        if let record {
            entry.detail["deployment"] = "\(record.id)"
            entry.detail["scheduler"] = record.spec.scheduler
            if record.enableSequence > 0 { entry.detail["enable_seq"] = "\(record.enableSequence)" }
        }
        _ = try audit.append(entry, durable: true)
    }
}
