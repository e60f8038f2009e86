import Linux
import Model
import Repository
import Synchronization
import TestSupport

/// Entries, outcomes and a folder to put them into.
enum Policies {
    static let machine = MachineShape(architecture: "x86_64", cpus: 8, threadsPerCore: 2, llcs: 2)
    static let second: Int64 = 1_000_000_000

    static func key(_ text: String) throws(Failure) -> EntryKey { try EntryKey(text) }

    static func entry(
        _ text: String, kind: EntryKind = .scheduler, change: (inout PolicyEntry) -> Void = { _ in }
    ) throws(Failure) -> PolicyEntry {
        let key = try EntryKey(text)
        var entry = PolicyEntry(
            key: key, kind: kind, summary: "about \(key.name)", description: "what \(key.name) does",
            algorithm: "a queue", license: "GPL-2.0-only", targetWorkloads: ["batches of jobs"],
            notFor: ["interactive work"], targets: [Target(workloadClass: "batch", metric: "makespan")],
            parameters: [
                try ParameterSpec(
                    name: "slice_us", type: .u32, defaultValue: 20_000, range: 1000...1_000_000, unit: "us",
                    description: "how long"),
                try ParameterSpec(
                    name: "wide", type: .u64, defaultValue: Int128(UInt64.max), range: 0...Int128(UInt64.max),
                    isLive: true),
            ], counters: [try CounterSpec(name: "turns", index: 16, description: "how many turns")],
            queues: [
                try QueueSpec(name: "one", id: 0, description: "those that wait"),
                try QueueSpec(name: "few", id: 1, count: .some(3)), try QueueSpec(name: "cache", id: 8, count: .perLLC),
                try QueueSpec(name: "each", id: 1 << 61, count: .perCPU),
            ],
            hints: [HintSpec(kind: .process, map: "hint_comm", description: "by name")],
            features: ["topology.llc", "hotplug"], kernelMinimum: "6.12",
            promises: ["starvation": "a waiting task \"runs\"\n"],
            source: SourceText(file: "\(key.name).bpf.c", text: "int main(void) { return \(key.version.minor); }\n"),
            artifact: ArtifactStore.digest(Array(text.utf8)), provenance: Provenance(.person, maker: "alice"))
        change(&entry)
        return entry
    }

    /// Better by 30 %, in the entry's target.
    static func outcome(
        _ id: String, of entry: PolicyEntry, change: (inout Outcome) -> Void = { _ in }
    ) -> Outcome {
        var outcome = Outcome(
            id: id, entry: entry.key, artifact: entry.artifact, settings: [Setting(name: "slice_us", value: "5000")],
            workload: WorkloadProfile(workloadClass: "batch", features: ["tasks": 40, "wakeups": 12.5], goal: "soon"),
            machine: machine, kernel: "7.3.4",
            effect: Effect(metric: "makespan", better: .lower, ratio: 0.7, low: 0.65, high: 0.75, runs: 10),
            origin: .lab, trial: "trial-" + id, measuredBy: "the lab", measuredAt: 5 * second)
        change(&outcome)
        return outcome
    }

    /// Of every stage that counts; the envelope is any text.
    static func attestation(
        of entry: PolicyEntry, _ text: String = "envelope", at seconds: Int64 = 100,
        change: (inout EntryAttestation) -> Void = { _ in }
    ) -> EntryAttestation {
        let envelope = Array("\(text) of \(entry.key)".utf8)
        var attestation = EntryAttestation(
            entry: entry.key, digest: ArtifactStore.digest(envelope), envelope: envelope, artifact: entry.artifact,
            keyID: "key", verifier: "schedcpd", effort: .full, passedStages: ["static", "kernel", "dynamic"],
            kernel: "7.3.4", issuedAt: seconds)
        change(&attestation)
        return attestation
    }

    static func antipattern(_ source: String, stage: String = "dynamic") -> Antipattern {
        Antipattern(
            fingerprint: Fingerprint.of(source: source), stage: stage, base: "fifo", attempt: "no queue at all",
            reason: "tasks starve", kernel: "7.3.4", triedBy: "an agent", at: 7)
    }
}

/// A repository in a folder of its own, which can be closed and opened again.
final class TestRepository: Sendable {
    private struct State {
        var open: PolicyRepository
        var report: OpenReport
    }

    let folder: TemporaryFolder
    private let state: Mutex<State>

    init(_ folder: TemporaryFolder? = nil) throws {
        let folder = try folder ?? TemporaryFolder()
        let (open, report) = try PolicyRepository.open(folder.path("policies"), at: Policies.second)
        self.folder = folder
        state = Mutex(State(open: open, report: report))
    }

    var open: PolicyRepository { state.withLock { $0.open } }
    var report: OpenReport { state.withLock { $0.report } }

    func path(_ name: String) -> String { "policies/" + name }

    func names(_ prefix: String) -> [String] { folder.names("policies").filter { $0.hasPrefix(prefix) } }

    func close() async throws { try await open.close() }

    /// As after a restart.
    @discardableResult
    func reopen() async throws -> OpenReport {
        try await close()
        let (open, report) = try PolicyRepository.open(folder.path("policies"), at: Policies.second)
        state.withLock { $0 = State(open: open, report: report) }
        return report
    }

    /// The bytes of everything, while nothing is open.
    func bytes(_ name: String) -> [UInt8] { folder.bytes(path(name)) }
    func write(_ bytes: [UInt8], to name: String) throws { try folder.write(bytes, to: path(name)) }
}

extension PolicyRepository {
    @discardableResult func add(_ entry: PolicyEntry) async throws(Failure) -> ChangeReceipt {
        try await add(entry, at: 1)
    }
    @discardableResult func record(_ outcome: Outcome) async throws(Failure) -> ChangeReceipt {
        try await record(outcome, at: 2)
    }
    @discardableResult func attest(_ attestation: EntryAttestation) async throws(Failure) -> ChangeReceipt {
        try await attest(attestation, at: 3)
    }
}

/// All that can be seen of a repository.
struct Picture: Equatable {
    private let generation: Int64
    private let records: [EntryRecord]
    private var outcomes: [[Outcome]] = []
    private var histories: [[StatusTransition]] = []
    private var attestations: [[EntryAttestation]] = []
    private var incidents: [[Incident]] = []
    private let antipatterns: [AntipatternRecord]
    private let matches: [TextMatch]

    init(_ open: PolicyRepository) async throws(Failure) {
        generation = await open.generation
        records = try await open.list(filter: .any, limit: PolicyRepository.maxRows)
        antipatterns = try await open.antipatterns(of: "fifo")
        matches = try await open.matches("a queue does x", filter: EntryFilter(), limit: PolicyRepository.maxRows)
        for record in records {
            outcomes.append(try await open.outcomes(of: record.id, limit: PolicyRepository.maxRows))
            histories.append(try await open.history(of: record.id))
            attestations.append(try await open.attestations(of: record.id))
            incidents.append(try await open.incidents(of: record.id))
        }
    }
}
