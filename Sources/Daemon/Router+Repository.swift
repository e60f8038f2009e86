import Attestation
import Linux
import Model
import Repository
import Search
import Wire

/// Looks into the policy repository.
extension Router {
    private static let mostSearches = 4
    private static let usualEntries = 100
    /// Entries that are read at once: each comes with its source.
    private static let page = 32
    private static let mostVersions = 1024

    func search(_ request: WireSearchRequest, _ account: UserAccount) async throws(Failure) -> WireSearchReply {
        guard account.enter(.search, limit: Self.mostSearches) else {
            throw Failure(
                .tooMany, "\(account.taken(.search)) searches of this user are in progress", hint: "wait for them")
        }
        defer { account.leave(.search) }
        guard request.limit <= SearchQuery.maxHits else {
            throw Failure(.invalidArgument, "the limit \(request.limit) is more than \(SearchQuery.maxHits)")
        }
        let limit = request.limit == 0 ? 10 : Int(request.limit)
        let filter = try request.filter.asFilter()
        if request.hasProfile {
            guard request.text.isEmpty, request.means.isEmpty else {
                throw Failure(.invalidArgument, "a search is in words or by a profile, not both")
            }
            let profile = try request.profile.asProfile()
            let machine = request.hasMachine ? try request.machine.asShape() : MachineShape.ofThisMachine()
            let open = try await policies.opened()
            let hits = try await searches.run { () async throws(Failure) in
                try await open.engine.search(profile: profile, machine: machine, filter: filter, limit: limit)
            }
            return WireSearchReply(hits)
        }
        guard let means = SearchQuery.Means(rawValue: request.means.isEmpty ? "hybrid" : request.means) else {
            throw Failure(
                .invalidArgument, "there is no search by \(request.means.quotedForDisplay())",
                hint: "hybrid, words or sentences")
        }
        let query = try SearchQuery(request.text, filter: filter, limit: limit, means: means)
        let open = try await policies.opened()
        if means == .sentences, let lack = open.modelLack { throw lack }
        return WireSearchReply(
            try await searches.run { () async throws(Failure) in try await open.engine.search(query) })
    }

    private static func rows(_ limit: UInt32) -> Int {
        limit == 0 ? usualEntries : min(Int(limit), PolicyRepository.maxRows)
    }

    func entries(_ request: WireEntriesRequest) async throws(Failure) -> WireEntryList {
        let filter = try request.filter.asFilter()
        let limit = Self.rows(request.limit)
        let repository = try await policies.opened().repository
        var (reply, budget, after) = (WireEntryList(), AnswerBudget(), Int64(clamping: request.after))
        while true {
            // One more than is wanted tells whether more follow.
            let wanted = min(Self.page, limit - reply.entries.count + 1)
            let records = try await repository.list(filter: filter, after: after, limit: wanted)
            for record in records {
                let summary = WireEntrySummary(record)
                guard reply.entries.count < limit, budget.take(summary) else {
                    reply.more = true
                    return reply
                }
                reply.entries.append(summary)
                after = record.id
            }
            if records.count < wanted { return reply }
        }
    }

    func entry(_ request: WireEntryRequest) async throws(Failure) -> WireEntryReply {
        let repository = try await policies.opened().repository
        let record = try await repository.record(request.key)
        var reply = WireEntryReply(record)
        if request.source, let source = record.entry.source {
            reply.source.name = source.file
            reply.source.code = .init(Array(source.text.utf8))
        }
        var budget = AnswerBudget()
        guard budget.take(reply) else { throw Failure(.tooMany, "\(record.entry.key) is too large for an answer") }
        let incidents = try await repository.incidents(of: record.id)
        let revoked = Set(incidents.filter { $0.kind == .revoked }.map(\.subject))
        reply.history = budget.prefix(
            try await repository.history(of: record.id).suffix(200).map(WireStatusChange.init))
        reply.attestations = budget.prefix(
            try await repository.attestations(of: record.id).map {
                WireEntryAttestation($0, isRevoked: revoked.contains($0.digest))
            })
        reply.incidents = budget.prefix(incidents.map(WireIncident.init))
        reply.outcomes = budget.prefix(
            try await repository.outcomes(of: record.id, limit: 200).map(WireOutcome.init))
        reply.versions = try await repository.versionTexts(of: record.entry.key.name)
            .filter { $0 != record.entry.key.version.description }
        return reply
    }

    func export(_ request: WireEntryExportRequest) async throws(Failure) -> WireEntryBundle {
        let repository = try await policies.opened().repository
        let record = try await repository.record(request.key)
        var reply = WireEntryBundle()
        reply.policy = .init(try await repository.bundle(record.entry.key).json())
        if record.entry.kind == .scheduler { reply.object = .init(try object(of: record.entry)) }
        return reply
    }

    func antipatterns(_ request: WireAntipatternsRequest) async throws(Failure) -> WireAntipatternList {
        let limit = Self.rows(request.limit)
        let settings = try WireOutcome.settings(request.parameters)
        let found: [AntipatternRecord]
        let repository = try await policies.opened().repository
        switch request.what {
        case .source(let file):
            let text = try Self.text(of: file, limit: RepositoryLimits.sourceBytes)
            found = try await repository.antipatterns(fingerprint: Fingerprint.of(source: text, settings: settings))
        case .base(let base):
            guard (1...RepositoryLimits.lineBytes).contains(base.utf8.count) else {
                throw Failure(.invalidArgument, "a name has 1 to \(RepositoryLimits.lineBytes) bytes")
            }
            found = try await repository.antipatterns(of: base, limit: limit)
        case nil: found = try await repository.antipatterns(limit: limit)
        }
        var (reply, budget) = (WireAntipatternList(), AnswerBudget())
        reply.antipatterns = budget.prefix(found.prefix(limit).map(WireAntipatternView.init))
        return reply
    }

    // MARK: What entries are made of

    /// The object of a scheduler: as it is installed, as it was verified or deployed here, or as it came with its entry.
    func object(of entry: PolicyEntry) throws(Failure) -> [UInt8] {
        if let there = try? installed.entry(entry.key.name), there.policy.artifact == entry.artifact {
            return there.object
        }
        for store in [verified, try? imported].compactMap({ $0 }) {
            if let object = try? store.get(entry.artifact) { return object }
        }
        throw Failure(
            .notFound, "the object of \(entry.key) is not kept here",
            hint: "import its bundle again, or verify its source")
    }

    /// Objects that came with entries from elsewhere. The folder is made when it is first needed: a disk may be full before.
    var imported: ArtifactStore {
        get throws(Failure) { try ArtifactStore(folder: configuration.stateFolder + "/imported") }
    }

    static func text(of file: WireSourceFile, limit: Int) throws(Failure) -> String {
        guard file.code.count <= limit else {
            throw Failure(.tooMany, "the source has \(file.code.count) bytes, more than \(limit)")
        }
        guard !file.code.isEmpty, let text = String(validating: file.code, as: UTF8.self) else {
            throw Failure(.invalidArgument, "the source is empty or not UTF-8")
        }
        return text
    }
}

extension PolicyRepository {
    /// `fifo`, the newest version, or `fifo@1.0.0`.
    func record(_ text: String) async throws(Failure) -> EntryRecord {
        guard text.utf8.count <= 128 else { throw Failure(.invalidArgument, "no entry has such a long name") }
        return text.utf8.contains(64)
            ? try await entry(try EntryKey(text)) : try await newest(try SchedulerName(text))
    }
}
