import Deployment
import Kernel
import Linux
import Logging
import Model
import Repository
import Service
import Synchronization
import TestSupport

/// A service on a real journal and artifact store in a folder of its own.
struct Parts {
    let folder: TemporaryFolder
    let journal: SQLiteJournal
    let artifacts: ArtifactStore
    let events = EventLog()
    let board = StatusBoard()
    let witness = Witness()
    let service: DeploymentService

    /// - Parameters:
    ///   - kernel: the folder that plays /sys/kernel/sched_ext; the machine's own where it is nil.
    ///   - attachAnew: plays the load and the attach of what is put back.
    init(
        _ folder: TemporaryFolder? = nil, kernel: String? = nil,
        stops: any Stops = NoStops(),
        objection: @escaping @Sendable (DeploymentSpec) async -> Failure? = { _ in nil },
        attachAnew: @escaping @Sendable (DeploymentRequest) throws(Failure) -> AttachedScheduler = {
            request throws(Failure) in try request.attach()
        },
        adoptLive: @escaping @Sendable (LiveLayout, LiveDescriptors) -> any LiveAccess = {
            LiveMaps(layout: $0, descriptors: $1)
        }
    ) throws {
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        journal = try SQLiteJournal(path: folder.path("schedcp.sqlite"))
        artifacts = try ArtifactStore(folder: folder.path("artifacts"))
        var surroundings = DeploymentService.Surroundings(
            schedExt: kernel.map { SchedExt(folder: $0) } ?? SchedExt(), journal: journal, artifacts: artifacts,
            ejector: NoEjector(), witness: witness, stops: stops, objection: objection, attachAnew: attachAnew)
        surroundings.adoptLive = adoptLive
        service = DeploymentService(
            surroundings, events: events, board: board,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    static let actor = Actor(uid: 1000, gid: 100, pid: 42, groups: [], user: "alice\u{1B}[31m")

    static func spec(_ scheduler: String, artifact: String = "") -> DeploymentSpec {
        DeploymentSpec(
            scheduler: scheduler, artifact: artifact, parameters: [], hints: [], actor: actor,
            authority: .unverified(reason: "a test"))
    }

    static func request(_ object: [UInt8], settings: [Setting] = []) -> DeploymentRequest {
        DeploymentRequest(
            scheduler: "object", object: object, settings: settings, values: nil, hints: [], hintMaps: [:],
            actor: actor, authority: .unverified(reason: "a test"), takeover: false, judge: { _ throws(Failure) in })
    }

    /// Writes a record as a daemon that was killed leaves it.
    @discardableResult
    func leave(_ state: DeploymentState, _ scheduler: String, artifact: String = "") async throws -> DeploymentRecord {
        var record = try await journal.begin(Self.spec(scheduler, artifact: artifact), at: 1)
        if ![.requested, .failed].contains(state) { try record.move(to: .active, reason: "", at: 2) }
        record.enableSequence = state == .requested ? 0 : 5
        if ![.requested, .active].contains(state) { try record.move(to: state, reason: "r", at: 3) }
        try await journal.update(record)
        return record
    }

    /// Descriptors as systemd passes those of a deployment, all of them of one file.
    func kept(_ id: Int64, _ parts: [String] = ["ops", "link"], file: String) throws -> [Systemd.Passed] {
        try parts.map { Systemd.Passed(fd: try Descriptor.open(file).release(), name: "scheduler-\(id)-\($0)") }
    }

    func states() async throws -> [String: DeploymentState] {
        let records = try await journal.recent(limit: 100)
        return Dictionary(uniqueKeysWithValues: records.map { ($0.spec.scheduler, $0.state) })
    }
}

/// Keeps what the audit would, or refuses it.
final class Witness: DeploymentWitness {
    struct Line: Hashable {
        let kind: SchedulerEvent.Kind
        let deployment: Int64
        let state: DeploymentState?
    }

    private let state = Mutex<(lines: [Line], refuses: Bool)>(([], false))

    var lines: [Line] { state.withLock { $0.lines } }
    var refuses: Bool {
        get { state.withLock { $0.refuses } }
        set { state.withLock { $0.refuses = newValue } }
    }

    func witness(_ kind: SchedulerEvent.Kind, _ message: String, _ record: DeploymentRecord?) throws(Failure) {
        let isRefused = state.withLock { state in
            if !state.refuses {
                state.lines.append(Line(kind: kind, deployment: record?.id ?? 0, state: record?.state))
            }
            return state.refuses
        }
        if isRefused { throw Failure(.storage, "the disk is full") }
    }
}

struct NoEjector: ForeignEjector {
    func eject(ops: String) async throws(Failure) { throw Failure(.foreignScheduler, "no test ejects anything") }
}

/// A folder that plays /sys/kernel/sched_ext.
struct FakeKernel {
    let folder: TemporaryFolder

    init(state: String, ops: String = "", sequence: Int = 5) throws {
        folder = try TemporaryFolder()
        for (name, text) in [
            ("state", state), ("enable_seq", "\(sequence)"), ("nr_rejected", "0"), ("switch_all", "1"),
        ] {
            try folder.write(text + "\n", to: name)
        }
        if !ops.isEmpty { try folder.write(ops + "\n", to: "root/ops") }
    }

    /// Into the same files, as the kernel's own stay the same.
    func become(state: String, ops: String, sequence: Int) throws {
        for (name, text) in [("root/ops", ops), ("enable_seq", "\(sequence)"), ("state", state)] {
            if !folder.exists(name) { try folder.write("", to: name) }
            try folder.overwrite(name, text + "\n")
        }
    }
}
