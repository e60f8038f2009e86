package import Kernel
import Linux
package import Logging
package import Model

/// Owns the machine's scheduler. One plan at a time; whatever action fails, those before it are undone.
package actor DeploymentService {
    private let executor = QueueExecutor(label: "schedcp.deployment")
    /// Loading may keep the verifier busy for seconds: not on the threads that serve clients.
    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// What the service needs of its surroundings.
    package struct Surroundings: Sendable {
        package var schedExt: SchedExt
        package var journal: any DeploymentJournal
        package var artifacts: any ArtifactKeeper
        package var ejector: any ForeignEjector
        package var witness: any DeploymentWitness
        package var stops: any Stops
        /// Why an earlier deployment must not be put back now; asked before it is.
        package var objection: @Sendable (DeploymentSpec) async -> Failure?
        /// What of a scheduler that was kept can be read and changed; another one only in tests.
        package var adoptLive: @Sendable (LiveLayout, LiveDescriptors) -> any LiveAccess = {
            LiveMaps(layout: $0, descriptors: $1)
        }
        /// Loads a scheduler and attaches it at once; another one only in tests.
        package var attachAnew: @Sendable (DeploymentRequest) throws(Failure) -> AttachedScheduler

        package init(
            schedExt: SchedExt, journal: any DeploymentJournal, artifacts: any ArtifactKeeper,
            ejector: any ForeignEjector, witness: any DeploymentWitness, stops: any Stops = NoStops(),
            objection: @escaping @Sendable (DeploymentSpec) async -> Failure? = { _ in nil },
            attachAnew: @escaping @Sendable (DeploymentRequest) throws(Failure) -> AttachedScheduler = {
                request throws(Failure) in try request.attach()
            }
        ) {
            self.schedExt = schedExt
            self.journal = journal
            self.artifacts = artifacts
            self.ejector = ejector
            self.witness = witness
            self.stops = stops
            self.objection = objection
            self.attachAnew = attachAnew
        }
    }

    package nonisolated let schedExt: SchedExt
    package nonisolated let events: EventLog
    package nonisolated let board: StatusBoard
    let around: Surroundings
    let logger: Logger
    var journal: any DeploymentJournal { around.journal }

    /// The scheduler that we hold, and its record.
    var current: AttachedScheduler?
    var record: DeploymentRecord?
    /// Who has the turn, and who waits for it, the longest first.
    var holder: Holder?
    var waiting: [CheckedContinuation<Void, Never>] = []
    /// The deployment in progress, if there is one.
    var work: Work?
    /// The foreign scheduler last seen, to tell its coming and going.
    var foreignSequence: UInt64?
    /// What is to be put back after an ejection, as the journal has it.
    var intent: RestoreIntent?
    /// Ends that the disk refused; tried again until they are written.
    var unwritten: [Int64: DeploymentRecord] = [:]
    /// What the audit refused; tried again as well.
    var isUnwitnessed = false
    /// Observations since the last time that those were tried.
    var sinceRetry = 0

    package init(_ around: Surroundings, events: EventLog, board: StatusBoard, logger: Logger) {
        self.around = around
        schedExt = around.schedExt
        self.events = events
        self.board = board
        self.logger = logger
    }

    // MARK: Records

    /// Records an end. The kernel has moved on already, so a disk that refuses is logged, not thrown: it is tried again, and
    /// the next start reconciles the record with the kernel.
    func end(_ ended: inout DeploymentRecord, _ state: DeploymentState, _ reason: String, exit: ExitInfo?) async {
        DescriptorStore.forget(ended.id)
        do throws(Failure) {
            ended.exit = exit
            try ended.move(to: state, reason: reason, at: Clock.realtime())
        } catch { return logger.error("\(error)") }
        let last = ended
        board.publish { $0.lastEnded = last }
        await write(ended)
    }

    func write(_ record: DeploymentRecord) async {
        do throws(Failure) {
            try await journal.update(record)
            unwritten[record.id] = nil
        } catch {
            unwritten[record.id] = record
            logger.error(
                "the state of deployment \(record.id) could not be recorded, and will be tried again: \(error)")
        }
    }

    /// Tells everyone: those who follow events, the log, and the audit.
    func note(_ kind: SchedulerEvent.Kind, _ message: String, _ record: DeploymentRecord?) async {
        events.append(kind, message, record: record, at: Clock.realtime())
        logger.log(
            level: [.ejected, .failed, .gaveUp].contains(kind) ? .warning : .notice, "\(message)",
            metadata: ["event": "\(kind.rawValue)", "deployment": "\(record?.id ?? 0)"])
        do throws(Failure) {
            try around.witness.witness(kind, message, record)
            if let record, unwritten[record.id] == nil { try await journal.witnessed(record.id, in: record.state) }
        } catch {
            isUnwitnessed = true
            logger.error("the audit does not have it yet: \(error)")
        }
    }

    /// Writes what a full disk or a failing one refused before.
    func retry() async {
        for record in unwritten.values.sorted(by: { $0.id < $1.id }) { await write(record) }
        guard isUnwitnessed, unwritten.isEmpty else { return }
        do throws(Failure) {
            for record in try await journal.unwitnessed() {
                try around.witness.witness(
                    record.state.event, "deployment \(record.id) is \(record.state.rawValue): \(record.reason)", record)
                try await journal.witnessed(record.id, in: record.state)
            }
            isUnwitnessed = false
        } catch { logger.debug("the audit still refuses: \(error)") }
    }

    package func deployment(_ id: Int64) async throws(Failure) -> DeploymentRecord {
        guard let record = try await journal.record(id) else {
            throw Failure(.notFound, "there is no deployment \(id)", hint: "see `schedctl history`")
        }
        return record
    }

    package func history(limit: Int) async throws(Failure) -> [DeploymentRecord] {
        try await journal.recent(limit: limit)
    }

    // MARK: Quarantine

    package func quarantined() async throws(Failure) -> [Quarantined] { try await journal.quarantined() }

    package func release(artifact: String) async throws(Failure) {
        guard try await journal.release(artifact: artifact) else {
            throw Failure(
                .notFound, "the artifact \(artifact.quotedForDisplay(limit: 64)) is not in quarantine",
                hint: "see `schedctl quarantine list`")
        }
    }
}

extension DeploymentState {
    /// The event that tells of it.
    var event: SchedulerEvent.Kind {
        switch self {
        case .requested, .failed: .failed
        case .active: .deployed
        case .rolledBack: .rolledBack
        case .superseded: .superseded
        case .ejected: .ejected
        case .released: .released
        }
    }
}
