import Embedding
import Linux
import Logging
import Model
import Repository
import Search

extension PolicyRepository: SearchStore {}

/// The policy repository inside the daemon. It is opened beside everything else: where its disk is full or its database cannot be
/// mended, the daemon serves all the same, says so, and tries again at the next reload.
actor RepositoryDesk {
    private let folder: String
    private let modelFolder: String
    let logger: Logger
    private let installed: @Sendable () -> Catalog
    /// What has to be told to it once it is open.
    private let afterwards: @Sendable (PolicyRepository) async -> Void

    private var repository: PolicyRepository?
    private var engine: SearchEngine?
    /// Why it is not open.
    private var lack = Failure(.busy, "the policy repository is being opened", hint: "try again in a moment")
    /// Why sentences are not compared; nil where they are.
    private var modelLack: Failure? = Failure(.busy, "the model is being loaded")
    /// What could not be made good or written since the last start or reload, for `doctor`.
    private var troubles: [String] = []
    private var isUp = false
    private var rising: Task<Void, Never>?
    private var backups: Task<Void, Never>?
    private var vectors: Task<Void, Never>?
    private var areVectorsWanted = false
    private var areOthersForgotten = false

    /// Vectors that are made in one go.
    private static let vectorsAtOnce = 16
    private static let backupInterval = Duration.seconds(3600)
    static let hint = "is the disk full or read-only? then: systemctl reload schedcpd"

    /// - Parameter installed: the schedulers and primitives that are installed, as they are now.
    init(
        _ configuration: DaemonConfiguration, _ logger: Logger, installed: @escaping @Sendable () -> Catalog,
        afterwards: @escaping @Sendable (PolicyRepository) async -> Void
    ) {
        folder = configuration.stateFolder + "/repository"
        modelFolder = configuration.modelFolder
        self.logger = logger
        self.installed = installed
        self.afterwards = afterwards
    }

    /// Opens what is not open, and takes in what is installed; returns at once. To be called at start and at each reload.
    func rise() {
        let before = rising
        rising = Task {
            await before?.value
            await bringUp()
        }
    }

    struct Open: Sendable {
        let repository: PolicyRepository
        let engine: SearchEngine
        /// Nil where sentences are compared.
        let modelLack: Failure?
    }

    /// Waits while it is being opened for the first time. Throws why it is not open.
    func opened() async throws(Failure) -> Open {
        if rising == nil { rise() }
        if !isUp { await rising?.value }
        guard let repository, let engine else { throw lack }
        return Open(repository: repository, engine: engine, modelLack: modelLack)
    }

    /// Something was added: its vectors are made in the background.
    func changed() { wakeVectors() }

    func close() async {
        for task in [rising, backups, vectors] { task?.cancel() }
        await rising?.value
        do throws(Failure) { try await repository?.close() } catch { logger.warning("\(error)") }
        (repository, engine) = (nil, nil)
        lack = Failure(.cancelled, "the daemon is stopping")
    }

    // MARK: Opening

    private func bringUp() async {
        guard !Task.isCancelled else { return }
        troubles = []
        if repository == nil { await open() }
        guard let repository else { return }
        await takeIn(into: repository)
        await afterwards(repository)
        await loadModel(for: repository)
        isUp = true
        wakeVectors()
    }

    private func open() async {
        do throws(Failure) {
            let (folder, now) = (folder, Clock.realtime())
            let (opened, report) = try await Blocking.run { () throws(Failure) in
                try PolicyRepository.open(folder, at: now)
            }
            tell(report)
            repository = opened
            engine = SearchEngine(store: opened, embedder: nil, lack: modelLack?.message ?? "")
            backups = Task { [logger] in
                await opened.keepBackups(every: Self.backupInterval) { failure in
                    logger.error("the policy repository was not backed up: \(failure)")
                }
            }
        } catch {
            lack = Failure(
                error.code, "the policy repository is not open: \(error.message)",
                hint: error.hint.isEmpty ? Self.hint : error.hint)
            logger.error("\(lack); everything else works")
        }
    }

    private func tell(_ report: OpenReport) {
        if !report.damage.isEmpty {
            let source =
                report.restoredFrom.map { "from the backup of change \($0) and \(report.replayed) changes of the log" }
                ?? "from \(report.replayed) changes of the log"
            logger.error("the policy repository was damaged (\(report.damage)) and was made again, \(source)")
            if !report.setAside.isEmpty { logger.error("the damaged database is kept as \(report.setAside)") }
            if report.losses.isEmpty { logger.notice("nothing that was acknowledged was lost") }
        }
        for warning in report.warnings { logger.warning("policy repository: \(warning)") }
        for loss in report.losses { logger.error("lost from the policy repository: \(loss)") }
        troubles += report.losses.map { "lost: \($0)" }
    }

    private func takeIn(into repository: PolicyRepository) async {
        let installed = installed
        do throws(Failure) {
            let catalog = try await Blocking.run { () throws(Failure) in installed() }
            let report = try await repository.takeIn(catalog, at: Clock.realtime())
            if !report.added.isEmpty {
                logger.notice(
                    "taken into the repository: \(report.added.map(\.description).joined(separator: ", "))")
            }
            for problem in report.problems {
                logger.warning("not taken into the repository: \(problem)")
                troubles.append("not taken in: \(problem)")
            }
        } catch {
            troubles.append(error.message)
            logger.error("what is installed could not be taken into the repository: \(error)")
        }
    }

    // MARK: Meaning

    private func loadModel(for repository: PolicyRepository) async {
        guard modelLack != nil else { return }
        let folder = modelFolder
        do throws(Failure) {
            let model = try await Blocking.run { () throws(Failure) in try MiniLM(folder: folder) }
            engine = SearchEngine(store: repository, embedder: QueuedEmbedder(model))
            modelLack = nil
        } catch {
            modelLack = error
            engine = SearchEngine(store: repository, embedder: nil, lack: error.message)
            if error.code == .notFound { logger.notice("\(error)") } else { logger.error("\(error)") }
        }
    }

    private func wakeVectors() {
        areVectorsWanted = true
        guard vectors == nil, modelLack == nil, engine != nil else { return }
        vectors = Task { await makeVectors() }
    }

    private func makeVectors() async {
        defer { vectors = nil }
        do throws(Failure) {
            while areVectorsWanted, !Task.isCancelled, let engine {
                areVectorsWanted = false
                while try await engine.makeVectors(most: Self.vectorsAtOnce) > 0 {}
                guard !areOthersForgotten else { continue }
                try await engine.forgetOtherModels()
                areOthersForgotten = true
            }
        } catch {
            // Such entries are found by their words.
            if error.code != .cancelled { logger.warning("vectors of new entries were not made: \(error)") }
        }
    }

    // MARK: Telling

    /// For `doctor`.
    func checks() async -> [Check] {
        let name = "policy repository"
        guard isUp, let repository else { return [Check(name, .warning, lack.message, remedy: lack.hint)] }
        var checks: [Check] = []
        do throws(Failure) {
            let (count, changes) = (try await repository.count(), await repository.generation)
            checks.append(Check(name, .found, "\(count) entries, \(changes) changes, \(folder)"))
        } catch { checks.append(Check(name, .warning, error.message, remedy: error.hint)) }
        if !troubles.isEmpty {
            checks.append(
                Check(
                    "what the repository lacks", .warning, troubles.prefix(20).joined(separator: "; "),
                    remedy: "See `journalctl -u schedcpd`; then: systemctl reload schedcpd"))
        }
        if let modelLack {
            checks.append(Check("model for search", .warning, modelLack.message, remedy: modelLack.hint))
        } else {
            checks.append(Check("model for search", .found, modelFolder))
        }
        return checks
    }
}
