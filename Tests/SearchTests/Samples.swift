import Embedding
import Model
import Synchronization

@testable import Search

/// Entries, a store and a model that these tests can see through.
enum Samples {
    static func entry(
        _ name: String, _ summary: String, for targets: [String] = [], not notFor: [String] = [],
        about text: String = "",
        kind: EntryKind = .scheduler, features: [String] = []
    ) throws(Failure) -> PolicyEntry {
        PolicyEntry(
            key: EntryKey(try SchedulerName(name), try SemanticVersion("1.0.0")), kind: kind, summary: summary,
            description: text, algorithm: "", license: "GPL-2.0-only", targetWorkloads: targets, notFor: notFor,
            features: features, kernelMinimum: "6.12", artifact: String(repeating: "0", count: 64),
            provenance: Provenance(.shipped, maker: "a test"))
    }

    static func outcome(
        _ record: EntryRecord, gain: Double, width: Double = 0.05, id: String = "o", class name: String = "batch",
        origin: Outcome.Origin = .lab, features: [String: Double] = [:], at time: Int64 = 1
    ) -> Outcome {
        Outcome(
            id: id, entry: record.entry.key, artifact: record.entry.artifact,
            workload: WorkloadProfile(workloadClass: name, features: features),
            machine: MachineShape(architecture: "x86_64", cpus: 4), kernel: "7.3.4",
            effect: Effect(
                metric: "throughput", better: .higher, ratio: gain, low: gain - width, high: gain + width, runs: 5),
            origin: origin, trial: "t-\(id)", measuredBy: "a test", measuredAt: time)
    }
}

/// Vectors that can be told in advance: each word has a direction of its own, and words of one group share it.
struct WordModel: Embedder {
    static let groups: [Set<String>] = [
        ["sluggish", "snappy", "latency", "wakeup", "interactive"], ["energy", "power", "battery", "watts"],
        ["batch", "makespan", "jobs"], ["fair", "share", "weight"],
    ]
    let identity: EmbeddingIdentity
    /// Thrown instead of an answer.
    var failure: Failure?

    init(_ digest: String = "words", failure: Failure? = nil) {
        identity = EmbeddingIdentity(name: "words", digest: digest, dimensions: 64)
        self.failure = failure
    }

    func vectors(for texts: [String]) async throws(Failure) -> [[Float]] {
        if let failure { throw failure }
        return texts.map { text in
            var vector = [Float](repeating: 0, count: 64)
            for word in text.lowercased().split(whereSeparator: { !$0.isLetter }) {
                let group = Self.groups.firstIndex { $0.contains(String(word)) }
                let other = word.utf8.reduce(7) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % 60 + 4
                vector[group ?? other] += 1
            }
            return vector.normalised()
        }
    }
}

/// A store in memory: words are counted, nothing is weighed.
final class MemoryStore: SearchStore {
    struct State {
        var records: [EntryRecord] = []
        var vectors: [String: [Int64: [UInt8]]] = [:]
        var outcomes: [Int64: [Outcome]] = [:]
        var generation: Int64 = 0
        var failure: Failure?
        /// Said of words instead of what is true of them, and how many were asked for.
        var counts: [String: Int] = [:]
        var counted = 0
    }

    let state = Mutex(State())

    @discardableResult
    func add(_ entry: PolicyEntry, _ status: EntryStatus = .verified) -> EntryRecord {
        state.withLock { state in
            let record = EntryRecord(
                id: Int64(state.records.count + 1), entry: entry, status: status, addedAt: 1, isNewest: true)
            state.records.append(record)
            state.generation += 1
            return record
        }
    }

    func add(_ outcome: Outcome, to record: EntryRecord) {
        state.withLock { $0.outcomes[record.id, default: []].append(outcome) }
    }

    func vectorCount(_ model: String) -> Int { state.withLock { $0.vectors[model]?.count ?? 0 } }

    private func look<Value>(_ body: (inout State) -> Value) throws(Failure) -> Value {
        let (value, failure) = state.withLock { (body(&$0), $0.failure) }
        if let failure { throw failure }
        return value
    }

    private static func passes(_ record: EntryRecord, _ filter: EntryFilter) -> Bool {
        (filter.kinds.isEmpty || filter.kinds.contains(record.entry.kind))
            && (filter.statuses.isEmpty || filter.statuses.contains(record.status))
            && filter.features.isSubset(of: record.entry.features)
            && filter.lacksFeatures.isDisjoint(with: record.entry.features)
    }

    var generation: Int64 { get async throws(Failure) { try look { $0.generation } } }

    func entries(ids: [Int64], filter: EntryFilter) async throws(Failure) -> [EntryRecord] {
        try look { state in state.records.filter { ids.contains($0.id) && Self.passes($0, filter) } }
    }

    func matches(
        _ text: String, filter: EntryFilter, weights: TextWeights, part: Double, limit: Int
    ) async throws(Failure) -> [TextMatch] {
        let wanted = text.split(separator: " ").map(String.init)
        return try look { state in
            let older = Int64(Double(state.records.map(\.id).max() ?? 0) * (1 - part))
            let found = state.records.filter { $0.id > older && Self.passes($0, filter) }.compactMap {
                record -> TextMatch? in
                let words = Self.words(record.entry)
                let terms = wanted.filter(words.contains)
                return terms.isEmpty ? nil : TextMatch(id: record.id, score: Double(terms.count), terms: terms)
            }
            return Array(found.sorted { ($0.score, $1.id) > ($1.score, $0.id) }.prefix(limit))
        }
    }

    private static func words(_ entry: PolicyEntry) -> Set<String> {
        let texts = [entry.key.name.text, entry.summary, entry.description] + entry.targetWorkloads
        return Set(texts.joined(separator: " ").lowercased().split { !$0.isLetter }.map(String.init))
    }

    func frequency(of words: [String]) async throws(Failure) -> [String: Int] {
        try look { state in
            state.counted += words.count
            var counts = state.counts
            for word in words where counts[word] == nil {
                counts[word] = state.records.count { Self.words($0.entry).contains(word) }
            }
            return counts.filter { words.contains($0.key) }
        }
    }

    func outcomes(of id: Int64, limit: Int) async throws(Failure) -> [Outcome] {
        try look { Array(($0.outcomes[id] ?? []).prefix(limit)) }
    }

    func nearest(
        to profile: WorkloadProfile, machine: MachineShape?, filter: EntryFilter, limit: Int
    ) async throws(Failure) -> [NearOutcome] {
        try look { state in
            state.outcomes.flatMap { id, outcomes in
                outcomes.map {
                    NearOutcome(
                        id: id, outcome: $0, profileSimilarity: profile.similarity(to: $0.workload),
                        machineSimilarity: machine?.similarity(to: $0.machine) ?? 1)
                }
            }.sorted { $0.profileSimilarity > $1.profileSimilarity }.prefix(limit).map { $0 }
        }
    }

    func lacking(model: String, limit: Int) async throws(Failure) -> [EntryDocument] {
        try look { state in
            state.records.filter { state.vectors[model]?[$0.id] == nil }.prefix(limit)
                .map { EntryDocument(id: $0.id, digest: "\($0.id)", entry: $0.entry) }
        }
    }

    func store(_ vectors: [UInt8], for document: EntryDocument, model: String) async throws(Failure) {
        try look { $0.vectors[model, default: [:]][document.id] = vectors }
    }

    func vectors(model: String, after id: Int64, limit: Int) async throws(Failure) -> [EntryVectors] {
        try look { state in
            (state.vectors[model] ?? [:]).filter { $0.key > id }.sorted { $0.key < $1.key }.prefix(limit)
                .map { EntryVectors(id: $0.key, vectors: $0.value) }
        }
    }

    func vectors(model: String, ids: [Int64]) async throws(Failure) -> [EntryVectors] {
        try look { state in
            ids.compactMap { id in state.vectors[model]?[id].map { EntryVectors(id: id, vectors: $0) } }
        }
    }

    func forgetVectors(except model: String) async throws(Failure) {
        try look { state in state.vectors = state.vectors.filter { $0.key == model } }
    }
}
