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

    init(_ configuration: DaemonConfiguration, logger: Logger, stops: any Stops) async throws(Failure) {
        let journal = try SQLiteJournal(path: configuration.stateFolder + "/schedcp.sqlite")
        let now = try await journal.notEarlier(than: Clock.realtime()) / 1_000_000_000
        let keys = try KeyringFile(path: configuration.stateFolder + "/keyring.json", now: now)
        let audit = try Self.openAudit(configuration, keys, logger)
        let desk = AttestationDesk(keys: keys, journal: journal)
        let files = PolicyFiles(configuration, logger)
        let boundary = Boundary(try files.rulesOrBuiltIn(), audit: audit, limits: configuration.limits)
        let service = DeploymentService(
            DeploymentService.Surroundings(
                schedExt: SchedExt(), journal: journal,
                artifacts: try ArtifactStore(folder: configuration.stateFolder + "/artifacts"),
                ejector: SocketEjector(path: configuration.ejectSocket), witness: AuditWitness(audit), stops: stops,
                objection: { spec in await desk.objection(to: spec) }),
            events: EventLog(), board: StatusBoard(), logger: logger)
        self.service = service
        self.audit = audit
        let late = LateRouter()
        router = Router(
            configuration: configuration, boundary: boundary, service: service, desk: desk, journal: journal,
            catalog: files.catalog(),
            reload: { () async throws(Failure) in
                let warnings = try files.reload(boundary, late.router)
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
        let signer: @Sendable ([UInt8]) -> AuditSignature? = { bytes in
            let key = keys.current.signingKey
            return (try? key.sign(bytes)).map { AuditSignature(keyID: key.keyID, signature: $0) }
        }
        do throws(Failure) { return try AuditLog.open(folder: configuration.auditFolder, signer: signer) } catch {
            guard error.code == .malformed else { throw error }
            logger.critical("the audit is damaged and was put aside; a new chain begins: \(error)")
            return try AuditLog.openAside(folder: configuration.auditFolder, because: error.message, signer: signer)
        }
    }
}

/// What becomes of deployments, as the audit has it.
struct AuditWitness: DeploymentWitness {
    private let audit: AuditLog

    init(_ audit: AuditLog) { self.audit = audit }

    func witness(_ kind: SchedulerEvent.Kind, _ message: String, _ record: DeploymentRecord?) throws(Failure) {
        var entry = AuditEntry(
            kind: .event, actor: .daemon, operation: kind.rawValue, subject: record?.spec.artifact ?? "", decision: .allowed,
            rule: "")
        entry.outcome = record?.state.rawValue ?? ""
        entry.detail = ["what": message]
        if let record {
            entry.detail["deployment"] = "\(record.id)"
            entry.detail["scheduler"] = record.spec.scheduler
            if record.enableSequence > 0 { entry.detail["enable_seq"] = "\(record.enableSequence)" }
        }
        _ = try audit.append(entry, durable: true)
    }
}
