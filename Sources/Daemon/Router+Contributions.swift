import Access
import Attestation
import Linux
import Model
import Repository
import Wire

/// What clients add to the policy repository. Nothing of it counts for anything before it is verified or measured here.
extension Router {
    /// Lets a change of so many bytes through where the user has not made too many, and takes it back where nothing is new.
    private func counted(
        _ bytes: Int, _ session: Session, _ change: () async throws(Failure) -> WireChangeReply
    ) async throws(Failure) -> WireChangeReply {
        let (uid, count) = (session.actor.uid, ChangeBudget.count(bytes: bytes))
        try changes.take(count, by: uid, limit: session.limits.changesPerHour, now: Clock.monotonic())
        do throws(Failure) {
            let reply = try await change()
            if !reply.new { changes.giveBack(count, to: uid) }
            return reply
        } catch {
            changes.giveBack(count, to: uid)
            throw error
        }
    }

    private func reply(_ receipt: ChangeReceipt, _ repository: PolicyRepository) async throws(Failure)
        -> WireChangeReply
    {
        var reply = WireChangeReply()
        reply.new = receipt.isNew
        reply.entry = WireEntrySummary(try await repository.entry(id: receipt.entry))
        return reply
    }

    // MARK: Import

    /// Takes an entry in with its evidence, as a candidate: all of it or nothing.
    func importEntry(_ request: WireEntryImportRequest, _ session: Session) async throws(Failure) -> WireChangeReply {
        let object = [UInt8](request.bundle.object)
        let most = min(configuration.limits.objectBytes, session.limits.objectBytes)
        guard object.count <= most else {
            throw Failure(.malformedObject, "the object is larger than \(most) bytes")
        }
        guard !request.bundle.policy.isEmpty else { throw Failure(.invalidArgument, "the bundle is empty") }
        let source = request.source.trimmed
        guard (1...200).contains(source.utf8.count) else {
            throw Failure(.invalidArgument, "an import needs a line of at most 200 bytes that says where it comes from")
        }
        let given = try PolicyBundle(json: [UInt8](request.bundle.policy))
        let bundle = try BundleCheck(statements: try await statementCheck(session.rules.rules))
            .check(given, object: object)
        let repository = try await policies.opened().repository
        return try await counted(request.bundle.policy.count, session) { () async throws(Failure) in
            // The object first: an entry whose object is missing could not be verified.
            if !object.isEmpty { _ = try imported.put(object) }
            let receipt = try await repository.take(
                bundle, from: "\(source.escapedForDisplay(limit: 150)) (\(session.maker))", at: Clock.realtime())
            await policies.changed()
            return try await reply(receipt, repository)
        }
    }

    /// With the keys that are known now; also those that are too old for a deployment.
    func statementCheck(_ rules: AccessRules) async throws(Failure) -> StatementCheck {
        StatementCheck(
            keys: desk.keys.current.verifierKeys(now: 0, trusted: desk.trusted(rules)),
            revokedNonces: try await journal.revokedNonces())
    }

    // MARK: Outcomes

    /// Kept and shown, and no evidence: what counts, the daemon measures itself.
    func record(_ request: WireOutcomeRequest, _ session: Session) async throws(Failure) -> WireChangeReply {
        let wire = request.outcome
        let key = try EntryKey(wire.entry)
        let repository = try await policies.opened().repository
        let entry = try await repository.entry(key).entry
        guard wire.measuredBy.utf8.count <= RepositoryLimits.lineBytes else {
            throw Failure(.invalidArgument, "who measured has more than \(RepositoryLimits.lineBytes) bytes")
        }
        let said = wire.measuredBy.trimmed.escapedForDisplay(limit: 60)
        var outcome = try wire.asReported(
            OutcomeDefaults(
                entry: key, artifact: entry.artifact, machine: MachineShape.ofThisMachine(),
                kernel: desk.kernel.release, measuredBy: session.maker + (said.isEmpty ? "" : ": \(said)"),
                now: Clock.realtime()))
        if wire.measuredAt == 0, let before = try await repository.outcome(outcome.id) {
            // The same request again, which left the time to us.
            outcome.measuredAt = before.measuredAt
        }
        let checked = outcome
        return try await counted(Frame.size(of: wire), session) { () async throws(Failure) in
            let receipt = try await repository.record(checked, at: Clock.realtime())
            return try await reply(receipt, repository)
        }
    }

    // MARK: What failed

    func remember(_ request: WireFailureReport, _ session: Session) async throws(Failure) -> WireChangeReply {
        let stages = VerificationStage.allCases.map(\.rawValue) + ["canary", "measured"]
        guard stages.contains(request.stage) else {
            throw Failure(
                .invalidArgument, "nothing fails in the stage \(request.stage.quotedForDisplay())",
                hint: "the stages are: " + stages.joined(separator: ", "))
        }
        let repository = try await policies.opened().repository
        let (text, name, record) = try await tried(request.what, repository)
        let antipattern = Antipattern(
            fingerprint: Fingerprint.of(source: text, settings: try WireOutcome.settings(request.parameters)),
            stage: request.stage, workloadClass: request.workloadClass,
            base: request.base.isEmpty ? name : request.base, attempt: request.attempt, reason: request.reason,
            kernel: desk.kernel.release, triedBy: session.maker, at: Clock.realtime())
        try antipattern.check()
        return try await counted(request.attempt.utf8.count + request.reason.utf8.count, session) {
            () async throws(Failure) in
            var reply = WireChangeReply()
            reply.new = try await repository.remember(antipattern, at: Clock.realtime()).isNew
            if let record { reply.entry = WireEntrySummary(record) }
            return reply
        }
    }

    private func tried(
        _ what: WireFailureReport.OneOf_What?, _ repository: PolicyRepository
    ) async throws(Failure) -> (text: String, name: String, record: EntryRecord?) {
        switch what {
        case .entry(let key):
            let record = try await repository.record(key)
            guard let source = record.entry.source else {
                throw Failure(
                    .invalidArgument, "\(record.entry.key) is here without its source",
                    hint: "send the source that was tried")
            }
            return (source.text, record.entry.key.name.text, record)
        case .source(let file):
            let text = try Self.text(of: file, limit: RepositoryLimits.sourceBytes)
            let name = file.name.prefix { $0 != "." }
            return (text, name.isEmpty ? "source" : String(name.prefix(64)).escapedForDisplay(), nil)
        case nil: throw Failure(.invalidArgument, "it needs the entry or the source that was tried")
        }
    }
}

extension Session {
    /// Who adds something, as entries and outcomes have it.
    var maker: String { "\(actor.user.escapedForDisplay(limit: 40)) (uid \(actor.uid))" }
}
