import Access
import Audit
import Linux
import Model
import Synchronization
import Wire

/// Who a connection belongs to, and what the rules in force give it.
struct Session: Sendable {
    let actor: Actor
    /// The same for the audit.
    let who: AuditActor
    fileprivate(set) var rules: RulesInForce
    fileprivate(set) var assignment: Assignment?
    fileprivate(set) var limits: RoleLimits
    /// Nil: as often as it likes.
    fileprivate(set) var rate: RequestRate?
    fileprivate var generation: UInt64

    var streams: Int { limits.streams }

    /// Only who may send an object has a use for large frames; everyone else would only fill memory with them.
    var frameLimit: Int {
        guard [.deploy, .verify, .contribute].contains(where: { rules.rules.has(actor, $0) }) else {
            return Frame.ordinaryLimit
        }
        return min(Frame.privilegedLimit, max(limits.objectBytes, limits.sourceBytes) + Frame.privilegedLimit / 8)
    }
}

/// That a request was permitted, and by which line.
struct Permit: Sendable {
    let operation: Operation
    /// As "rules.conf:41".
    let rule: String
}

/// The rules as they were read.
struct RulesInForce: Sendable {
    let rules: AccessRules
    /// SHA-256 of the file, hex.
    let digest: String
}

/// What every request has to pass: the rules in force, the limits of its user, and the audit.
final class Boundary: Sendable {
    private let inForce: Mutex<RulesInForce>
    /// Changes with the rules, so that connections notice.
    private let generation = Atomic<UInt64>(1)
    let audit: AuditLog
    let admission: Admission
    private let limits: ServerLimits

    init(_ rules: RulesInForce, audit: AuditLog, limits: ServerLimits) {
        inForce = Mutex(rules)
        self.audit = audit
        self.limits = limits
        admission = Admission(limits: limits)
    }

    var rules: RulesInForce { inForce.withLock { $0 } }

    func replace(_ new: RulesInForce) {
        inForce.withLock { $0 = new }
        generation.add(1, ordering: .releasing)
    }

    // MARK: Sessions

    func session(of actor: Actor) -> Session {
        // Read first: a change in between only makes the session be refreshed once more.
        let number = generation.load(ordering: .acquiring)
        let rules = rules
        let assignment = rules.rules.assignment(of: actor)
        let limits = rules.rules.limits(of: assignment)
        return Session(
            actor: actor, who: AuditActor(actor), rules: rules, assignment: assignment, limits: limits,
            rate: limits.requestsPerSecond.map { RequestRate(perSecond: Double($0), burst: Double(limits.burst)) },
            generation: number)
    }

    func refresh(_ session: inout Session) {
        if session.generation != generation.load(ordering: .acquiring) { session = self.session(of: session.actor) }
    }

    /// A place for a connection, or why there is none.
    func enter(_ session: Session) throws(Failure) -> UserAccount {
        guard session.assignment != nil else {
            noteDenied(session.actor, "connect", rule: "default", subject: "", why: "")
            throw Failure(
                .denied, "no line of the access rules gives uid \(session.actor.uid) a role",
                hint: "an administrator may add one to /etc/schedcp/rules.conf")
        }
        let places = min(limits.connectionsPerUser, session.limits.connections)
        return try admission.enter(
            session.actor, places: places, mayChange: session.rules.rules.has(session.actor, .rollback))
    }

    // MARK: Requests

    /// Asks the rules about a request, and leaves a trace of the answer: a refusal and a look here, a privileged operation where
    /// it is done.
    func permit(
        _ session: Session, _ operation: Operation, in phase: Phase, _ request: WireRequest
    ) throws(Failure) -> Permit {
        let rules = session.rules.rules
        let decision = rules.decide(session.assignment, operation, in: phase)
        guard decision.isAllowed else { throw refuse(session, operation, in: phase, request, decision) }
        if let more = request.alsoNeeds, !rules.decide(session.assignment, more, in: phase).isAllowed {
            throw refuse(session, more, in: phase, request, rules.decide(session.assignment, more, in: phase))
        }
        let place = rules.place(of: decision)
        if !operation.isPrivileged {
            // A disk that refuses keeps nobody from looking; the status says that the audit fails.
            try? audit.noteLook(session.who, operation: operation.rawValue, rule: place)
        }
        return Permit(operation: operation, rule: place)
    }

    private func refuse(
        _ session: Session, _ operation: Operation, in phase: Phase, _ request: WireRequest, _ decision: Decision
    ) -> Failure {
        let failure = session.rules.rules.failure(session.actor, operation, in: phase, decision)
        if failure.code == .denied {
            noteDenied(
                session.actor, operation.rawValue, rule: session.rules.rules.place(of: decision),
                subject: request.subject, why: failure.message)
        }
        return failure
    }

    private func noteDenied(_ actor: Actor, _ operation: String, rule: String, subject: String, why: String) {
        let entry = AuditEntry(
            .denied, operation, actor: AuditActor(actor), subject: subject, decision: .denied, rule: rule,
            outcome: AuditOutcome(code: Failure.Code.denied.rawValue, message: why))
        try? audit.noteDenied(entry)
    }
}
