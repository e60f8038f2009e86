import Client
import EmbeddingEndpoint
import Foundation
import Model
import RemoteSearch
import Search
import Web
import Wire

/// `schedctl search --embeddings`: the daemon's entries, ranked here with the vectors of a service for embeddings. The daemon
/// speaks no HTTP, so it cannot ask one.
enum EndpointSearch {
    /// Entries that are fetched at most.
    static let most = 2000

    /// - Parameter request: a question in words.
    static func run(
        _ request: WireSearchRequest, with client: SchedClient,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) async throws(Failure) -> WireSearchReply {
        guard let settings = try EndpointSettings.read(environment) else {
            throw Failure(
                .invalidArgument, "no service for embeddings is named",
                hint:
                    "set \(EndpointSettings.urlVariable) and \(EndpointSettings.modelVariable), or search without --embeddings"
            )
        }
        let means = SearchQuery.Means(rawValue: request.means) ?? .hybrid
        let query = try SearchQuery(
            request.text, limit: request.limit == 0 ? 10 : Int(request.limit), means: means)
        return try await Terminal.withProgress { progress throws(Failure) in
            progress("fetching the entries")
            let entries = try await fetch(request.filter, RepoClient(client))
            let store = SnapshotStore(entries, cache: VectorFolder(environment: environment))
            return try await WebClient.with { web throws(Failure) in
                progress("asking \(settings.address)")
                let engine = SearchEngine(store: store, embedder: try await EndpointEmbedder(settings, web))
                try await engine.makeVectors()
                return reply(try await engine.search(query))
            }
        }
    }

    private static func fetch(
        _ filter: WireEntryFilter, _ repository: RepoClient
    ) async throws(Failure) -> [(record: EntryRecord, outcomes: [Outcome])] {
        let list = try await repository.entries(filter, limit: most)
        guard !list.more else {
            throw Failure(
                .tooMany, "more than \(most) entries are too many to be ranked by a service",
                hint: "filter them, or search without --embeddings")
        }
        var entries: [(record: EntryRecord, outcomes: [Outcome])] = []
        for summary in list.entries {
            let reply = try await repository.entry("\(summary.name)@\(summary.version)")
            let record = try record(reply)
            entries.append((record, reply.outcomes.map { outcome($0, of: record.entry.key) }))
        }
        return entries
    }

    /// As far as a search looks at it.
    private static func record(_ it: WireEntryReply) throws(Failure) -> EntryRecord {
        let entry = PolicyEntry(
            key: EntryKey(try SchedulerName(it.entry.name), try SemanticVersion(it.entry.version)),
            kind: EntryKind(rawValue: it.entry.kind) ?? .scheduler, summary: it.entry.summary,
            description: it.description_p, algorithm: it.algorithm, license: it.license,
            targetWorkloads: it.targetWorkloads, notFor: it.notFor, features: it.features, kernelMinimum: it.kernelMin,
            artifact: it.entry.artifactSha256, provenance: Provenance(.imported, maker: it.maker))
        return EntryRecord(
            id: Int64(clamping: it.entry.id), entry: entry,
            status: EntryStatus(rawValue: it.entry.status) ?? .candidate,
            addedAt: it.entry.addedAt, isNewest: true)
    }

    private static func outcome(_ it: WireOutcome, of key: EntryKey) -> Outcome {
        Outcome(
            id: it.id, entry: key, artifact: it.artifactSha256,
            settings: it.parameters.map(\.asSetting),
            workload: WorkloadProfile(workloadClass: it.workload.workloadClass),
            machine: MachineShape(architecture: it.machine.architecture, cpus: Int(it.machine.cpus)), kernel: it.kernel,
            effect: Effect(
                metric: it.metric, better: Effect.Better(rawValue: it.better) ?? .lower, baseline: it.baseline,
                ratio: it.ratio, low: it.low, high: it.high, runs: Int(it.runs)),
            origin: Outcome.Origin(rawValue: it.origin) ?? .imported, trial: it.trial, measuredBy: it.measuredBy,
            measuredAt: it.measuredAt)
    }

    private static func reply(_ result: SearchResult) -> WireSearchReply {
        var reply = WireSearchReply()
        reply.wordsOnly = result.wordsOnly ?? ""
        reply.hits = result.hits.map { hit in
            var wire = WireSearchHit(hit.record, score: hit.score, measured: hit.measured)
            (wire.why, wire.terms) = (hit.why, hit.terms)
            (wire.nearest, wire.similarity) = (hit.sentence?.text ?? "", hit.similarity ?? 0)
            return wire
        }
        return reply
    }
}
