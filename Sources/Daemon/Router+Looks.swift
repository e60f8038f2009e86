import Access
import Attestation
import Audit
import Deployment
import Linux
import Model
import Repository
import Wire

/// Who somebody is to the rules, and what the audit and the keys say.
extension Router {
    func identity(_ session: Session) -> WireIdentity {
        var you = WireIdentity()
        you.uid = session.actor.uid
        you.gid = session.actor.gid
        you.pid = session.actor.pid
        you.user = session.actor.user
        you.mayChange = session.rules.rules.has(session.actor, .deploy)
        you.role = session.assignment?.role.rawValue ?? ""
        return you
    }

    func whoami(_ session: Session) async throws(Failure) -> WireWhoamiReply {
        let rules = session.rules.rules
        var reply = WireWhoamiReply()
        reply.you = identity(session)
        reply.rule = rules.place(of: session.assignment)
        reply.operations = Operation.allCases.filter {
            rules.decide(session.assignment, $0, in: $0 == .hello ? .greeting : .serving).isAllowed
        }.map(\.rawValue)
        reply.limits = session.limits.described.map { WireSetting(Setting(name: $0.name, value: $0.value)) }
        let spent = try await journal.spent(by: session.actor.uid, at: Clock.realtime())
        reply.cpuSecondsUsed = Double(spent.cpu) / 1e9
        reply.costUsed = Double(spent.cost) / 1e6
        reply.rulesSha256 = session.rules.digest
        return reply
    }

    /// What the rules would say to somebody; nothing is done, and nobody's rights are needed for it.
    func explain(_ request: WireExplainRequest, _ session: Session) throws(Failure) -> WireExplanation {
        guard let operation = Operation(rawValue: request.operation) else {
            throw Failure(
                .invalidArgument, "there is no operation \(request.operation.quotedForDisplay())",
                hint: "there are: " + Operation.allCases.map(\.rawValue).joined(separator: ", "))
        }
        guard request.gids.count <= 256, request.user.utf8.count <= 256 else {
            throw Failure(.tooMany, "more than 256 groups, or a name of more than 256 bytes")
        }
        let actor = Actor(
            uid: request.uid, gid: request.gids.first ?? request.uid, pid: 0, groups: Set(request.gids),
            user: request.user)
        let explanation = session.rules.rules.explain(actor, operation)
        var reply = WireExplanation()
        reply.allowed = explanation.isAllowed
        reply.because = explanation.sentence
        reply.lines = explanation.lines
        return reply
    }

    func auditLines(_ request: WireAuditRequest) throws(Failure) -> WireAuditLines {
        let limit = min(request.limit == 0 ? 50 : Int(request.limit), configuration.limits.auditLines)
        let audit = boundary.audit
        let records = request.tail ? try audit.tail(limit) : try audit.records(after: request.after, limit: limit)
        var reply = WireAuditLines()
        reply.lines = records.map(\.line)
        let head = audit.head
        reply.head = head.seq
        reply.headHash = head.hash.description
        return reply
    }

    func keys(_ session: Session) async throws(Failure) -> WireKeyList {
        let now = try await desk.timeToShow()
        let ring = desk.keys.current
        var list = WireKeyList()
        func add(_ id: String, _ bytes: [UInt8], _ name: String, _ state: String, notAfter: Int64 = 0) {
            var key = WireKey()
            key.keyID = id
            key.publicKey = .init(bytes)
            key.name = name
            key.state = state
            key.notAfter = notAfter
            list.keys.append(key)
        }
        add(ring.signingKey.keyID, ring.signingKey.publicKey, "this machine", "current")
        for key in ring.retired where key.acceptedUntil >= now {
            add(key.keyID, key.publicKey, "this machine", "retired", notAfter: key.retiredAt)
        }
        for key in ring.revoked { add(key.keyID, key.publicKey ?? [], "", "revoked") }
        for trusted in desk.trusted(session.rules.rules) {
            add(trusted.keyID, trusted.publicKey, trusted.name, "trusted", notAfter: trusted.notAfter ?? 0)
        }
        return list
    }
}

extension WireQuarantineList {
    init(_ entries: [Quarantined]) {
        self.init()
        artifacts = entries.map { entry in
            var wire = WireQuarantinedArtifact()
            wire.artifactSha256 = entry.artifact
            wire.deployment = UInt64(clamping: entry.deployment)
            wire.reason = entry.reason
            wire.at = entry.at
            return wire
        }
    }
}
