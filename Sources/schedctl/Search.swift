import ArgumentParser
import Client
import Linux
import Model
import Search
import Wire

struct Search: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find schedulers and pieces of code that fit a need or a measured workload.",
        discussion: """
            A question in plain words is compared by its words and by its meaning. A workload in figures is compared with those
            that were measured; what helped on similar ones, on similar machines, comes first. The best hit is printed first.

            EXAMPLES:
              schedctl search "low wakeup latency while a build runs in the background"
              schedctl search "fair shares between cgroups" --status proven --limit 3
              schedctl search "choose an idle CPU near the cache" --kind primitive
              schedctl search "shortest job first" --json | jq -r '.hits[].name'
              schedctl search --class batch --feature-value wakeups-per-second=1200 --feature-value threads=40
              schedctl search --profile workload.json --machine cpus=64,llcs=8,threads-per-core=2

            FILE is a profile as JSON: {"workload_class": "batch", "features": [{"name": "threads", "value": 40}]}
            """)

    @Argument(help: ArgumentHelp("What is needed, in plain words.", valueName: "text")) var text: [String] = []
    @OptionGroup(title: "By workload") var workload: WorkloadOptions
    @OptionGroup(title: "Filter") var filter: SearchFilter
    @Option(name: .shortAndLong, help: "How many hits.") var limit: UInt32?
    @Option(help: "What is compared: hybrid (words and meaning, the default), words or sentences.") var means: Means?
    @Flag(
        help: ArgumentHelp(
            "Rank here, with the service for embeddings that SCHEDCP_EMBEDDINGS_URL, _MODEL and _KEY_FILE name."))
    var embeddings = false
    @OptionGroup var options: CommonOptions

    enum Means: String, ExpressibleByArgument, CaseIterable { case hybrid, words, sentences }

    func run() async throws {
        let request = try options.reading(read)
        try await options.run { client throws(Failure) in
            let reply = try await answer(request, client)
            if options.json { return print(SearchText.json(reply)) }
            if !reply.wordsOnly.isEmpty {
                ThisProcess.complain("only words were compared: \(Terminal.oneLine(reply.wordsOnly))\n")
            }
            if reply.hits.isEmpty { return ThisProcess.complain("nothing matches\n") }
            print(SearchText.hits(reply.hits))
        }
    }

    private func answer(_ request: WireSearchRequest, _ client: SchedClient) async throws(Failure) -> WireSearchReply {
        if embeddings { return try await EndpointSearch.run(request, with: client) }
        let result = try await client.call(.search(request))
        guard case .search(let reply) = result else { throw SchedClient.unexpected(result) }
        return reply
    }

    /// What was asked, checked as far as that needs no daemon.
    func read() throws(Failure) -> WireSearchRequest {
        var request = WireSearchRequest()
        let profile = try workload.read()
        if let profile {
            guard text.isEmpty else {
                throw Failure(.invalidArgument, "a search is by words or by workload, not by both")
            }
            guard means == nil, !embeddings else {
                throw Failure(.invalidArgument, "--\(embeddings ? "embeddings" : "means") is for a question in words")
            }
            request.profile = profile
            if let machine = try workload.machineShape() { request.machine = machine }
        } else {
            guard workload.machine == nil else {
                throw Failure(
                    .invalidArgument, "--machine is for a search by workload", hint: "give --profile or --class as well"
                )
            }
            request.text = try Self.question(text)
            request.means = means?.rawValue ?? ""
        }
        if let limit {
            guard limit > 0 else { throw Failure(.invalidArgument, "--limit 0 asks for nothing") }
            request.limit = limit
        }
        request.filter = try filter.read()
        return request
    }

    /// Bytes of a question.
    static let maxTextBytes = SearchQuery.maxBytes

    static func question(_ words: [String]) throws(Failure) -> String {
        let text = words.joined(separator: " ")
        guard text.contains(where: { $0.isLetter || $0.isNumber }) else {
            throw Failure(
                .invalidArgument, "there is nothing to search for",
                hint: "say what is needed, for example: schedctl search \"low wakeup latency\"")
        }
        guard text.utf8.count <= maxTextBytes else {
            throw Failure(
                .invalidArgument, "the question has \(text.utf8.count) bytes; at most \(maxTextBytes) are taken",
                hint: "a sentence or two say what is needed")
        }
        return text
    }
}

/// What hits have to be.
struct SearchFilter: ParsableArguments {
    enum Kind: String, ExpressibleByArgument, CaseIterable { case scheduler, primitive }
    enum Status: String, ExpressibleByArgument, CaseIterable { case candidate, verified, proven, deprecated }

    @Option(help: "scheduler or primitive (a piece of code); both where it is left out.") var kind: [Kind] = []
    @Option(help: "candidate, verified, proven or deprecated; may be repeated.") var status: [Status] = []
    @Option(help: ArgumentHelp("Only with this feature, as hints.process; may be repeated.", valueName: "name"))
    var feature: [String] = []
    @Option(help: ArgumentHelp("Only without this feature; may be repeated.", valueName: "name"))
    var withoutFeature: [String] = []
    @Option(help: ArgumentHelp("Only what loads on this kernel, as 6.12.", valueName: "release")) var kernel: String?
    @Flag(help: "Old versions, too.") var allVersions = false

    func read() throws(Failure) -> WireEntryFilter {
        var filter = WireEntryFilter()
        filter.kinds = kind.map(\.rawValue)
        filter.statuses = status.map(\.rawValue)
        for name in feature + withoutFeature {
            guard !name.isEmpty, name.utf8.count <= 128 else {
                throw Failure(.invalidArgument, "\(name.quotedForDisplay()) is not a feature", hint: "as hints.process")
            }
        }
        (filter.features, filter.withoutFeatures) = (feature, withoutFeature)
        if let kernel {
            guard KernelRelease(kernel) != nil else {
                throw Failure(
                    .invalidArgument, "--kernel \(kernel.quotedForDisplay()) is not a release", hint: "as 6.12")
            }
            filter.kernel = kernel
        }
        filter.allVersions = allVersions
        return filter
    }
}
