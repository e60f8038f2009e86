import Access
import Audit
import Linux
import Logging
import Model
import Repository
import Synchronization

/// The files that an administrator writes: the access rules and the installed schedulers.
struct PolicyFiles: Sendable {
    private let configuration: DaemonConfiguration
    private let logger: Logger

    init(_ configuration: DaemonConfiguration, _ logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    private var rulesPath: String { configuration.rulesFolder + "/rules.conf" }

    /// Without a file the strict rules that are built in. At start, nothing is served with a bad one.
    func rulesOrBuiltIn() throws(Failure) -> (rules: RulesInForce, warnings: [String]) {
        let bytes: [UInt8]
        do { bytes = try TextFile.readBytes(rulesPath, limit: AccessRules.maxBytes) } catch {
            guard error.isNoSuchFile else { throw error.asFailure(.storage) }
            logger.warning("\(rulesPath) does not exist: only root may change anything")
            let digest = ArtifactStore.digest(Array(AccessRules.builtInText.utf8))
            return (RulesInForce(rules: AccessRules.builtIn, digest: digest), ["\(rulesPath) does not exist"])
        }
        let (rules, warnings) = try parse(bytes)
        for warning in warnings { logger.warning("\(warning)") }
        return (rules, warnings)
    }

    /// All or nothing: a bad file leaves the rules in force as they are.
    /// - Returns: what deserves attention in them.
    func reload(_ boundary: Boundary, _ router: Router?) throws(Failure) -> [String] {
        let (rules, warnings) = try rulesOrBuiltIn()
        router?.replace(catalog: catalog())
        boundary.replace(rules)
        tell(boundary.audit, rules)
        logger.notice("reloaded")
        return warnings
    }

    /// By which rules what follows was decided. They are in force also where a full disk keeps that record for later: it then comes
    /// before any other.
    func tell(_ audit: AuditLog, _ rules: RulesInForce) {
        audit.appendOrOwe(AuditEntry(.event, "rules-in-force", subject: rules.digest))
    }

    private func parse(_ bytes: [UInt8]) throws(Failure) -> (RulesInForce, [String]) {
        let report = AccessRules.read(bytes, resolve: Self.resolve)
        guard let rules = report.rules else {
            throw Failure(
                .invalidArgument, "the access rules have mistakes: \(report.errors.first?.description ?? "")",
                hint: "see `schedctl rules check`; the rules before stay in force",
                detail: report.errors.map(\.description).joined(separator: "\n"))
        }
        return (
            RulesInForce(rules: rules, digest: ArtifactStore.digest(bytes)), report.warnings.map(\.description)
        )
    }

    private static func resolve(_ subject: Subject) -> UInt32? {
        switch subject {
        case .user(let name): Accounts.user(named: name)?.uid
        case .group(let name): Accounts.group(named: name)
        }
    }

    func catalog() -> Catalog {
        let catalog = Catalog.read(folder: configuration.schedulersFolder)
        for problem in catalog.problems { logger.warning("left out of the repository: \(problem)") }
        return catalog
    }
}

/// The router, for what is made before it and used after.
final class LateRouter: Sendable {
    private let value = Mutex<Router?>(nil)

    var router: Router? { value.withLock { $0 } }
    func set(_ router: Router) { value.withLock { $0 = router } }
}
