import Linux
import Model
import Synchronization
import Wire

/// The jobs of one session with a verifier, and its greeting. Whatever the verifier sends, it only ever ends its own jobs.
final class JobTable: Sendable {
    typealias Events = @Sendable (WireVerifyProgress) -> Void
    typealias Outcome = Result<WireJobFinished, Failure>

    private struct Job {
        let events: Events
        let ended: @Sendable (Outcome) -> Void
        let deadline: Int64
        var heardAt: Int64
        var eventsLeft: Int
        var bytesLeft: Int
    }

    private struct State {
        var jobs: [UInt64: Job] = [:]
        var next: UInt64 = 1
        var greeted: (@Sendable (Result<WireVerifierGreeting, Failure>) -> Void)?
        var greeting: Result<WireVerifierGreeting, Failure>?
        var ended: Failure?
        /// Messages about jobs that do not exist.
        var strays = 0
    }

    private let state = Mutex(State())
    private let name: String
    private let limits: VerifierLimits
    /// What the greeting has to repeat.
    let session: String

    init(_ name: String, _ limits: VerifierLimits, session: String) {
        self.name = name
        self.limits = limits
        self.session = session
    }

    // MARK: This side

    func onGreeting(_ greeted: @escaping @Sendable (Result<WireVerifierGreeting, Failure>) -> Void) {
        let known: Result<WireVerifierGreeting, Failure>? = state.withLock { state in
            if let ended = state.ended { return .failure(ended) }
            if state.greeting == nil { state.greeted = greeted }
            return state.greeting
        }
        if let known { greeted(known) }
    }

    func nextID() -> UInt64 {
        state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
    }

    /// `ended` is called exactly once.
    func enter(_ id: UInt64, seconds: Int, events: @escaping Events, ended: @escaping @Sendable (Outcome) -> Void) {
        let now = Clock.monotonic()
        let failure: Failure? = state.withLock { state in
            if let failure = state.ended { return failure }
            state.jobs[id] = Job(
                events: events, ended: ended, deadline: now + Int64(seconds) * 1_000_000_000, heardAt: now,
                eventsLeft: limits.events, bytesLeft: limits.eventBytes)
            return nil
        }
        if let failure { ended(.failure(failure)) }
    }

    func end(_ id: UInt64, _ outcome: Outcome) {
        state.withLock { $0.jobs.removeValue(forKey: id) }?.ended(outcome)
    }

    /// Ends the jobs that nothing was heard of for too long, or that have taken too long.
    func endTheSilent(now: Int64) {
        let silent = Int64(limits.silenceMilliseconds) * 1_000_000
        let late = state.withLock { state in
            state.jobs.filter { now - $0.value.heardAt > silent || now > $0.value.deadline }
        }
        for (id, job) in late {
            let why = now > job.deadline ? "gave no verdict in time" : "is not heard of any more"
            end(id, .failure(Self.none(name, why)))
        }
    }

    /// The session is over, for everyone.
    func endAll(_ failure: Failure) {
        let (jobs, greeted) = state.withLock { state in
            defer { (state.jobs, state.greeted) = ([:], nil) }
            if state.ended == nil { state.ended = failure }
            return (Array(state.jobs.values), state.greeted)
        }
        jobs.forEach { $0.ended(.failure(failure)) }
        greeted?(.failure(failure))
    }

    var isGreeted: Bool { state.withLock { $0.greeting != nil } }

    var isEnded: Bool { state.withLock { $0.ended != nil } }

    // MARK: The verifier's side

    /// Takes one frame. Throws what ends the session.
    func take(_ payload: [UInt8]) throws(Failure) {
        try MessageCount.check(payload)
        let response = try Frame.decode(WireVerifierResponse.self, from: payload)
        switch response.message {
        case .greeting(let greeting): try greet(greeting)
        case .event(let event): try take(event, bytes: payload.count)
        case .finished(let finished):
            guard state.withLock({ $0.jobs[finished.job] }) != nil else { return try stray() }
            end(finished.job, .success(finished))
        case .failure(let failure):
            throw Self.none(name, "refuses: \(failure.message.escapedForDisplay(limit: 300))")
        case nil: try stray()
        }
    }

    private func greet(_ greeting: WireVerifierGreeting) throws(Failure) {
        // One that answers the hello of an earlier session is passed over.
        guard greeting.session == session else { return try stray() }
        guard (ProtocolVersion.oldest...ProtocolVersion.newest).contains(greeting.protocol) else {
            throw Self.none(name, "speaks protocol \(greeting.protocol)")
        }
        let greeted = state.withLock { state in
            defer { state.greeted = nil }
            if state.greeting == nil { state.greeting = .success(greeting) }
            return state.greeted
        }
        greeted?(.success(greeting))
    }

    private func take(_ event: WireJobEvent, bytes: Int) throws(Failure) {
        enum Found {
            case none
            case tooMuch
            case events(Events)
        }
        let found: Found = state.withLock { state in
            guard var job = state.jobs[event.job] else { return .none }
            job.eventsLeft -= 1
            job.bytesLeft -= bytes
            job.heardAt = Clock.monotonic()
            state.jobs[event.job] = job
            return job.eventsLeft < 0 || job.bytesLeft < 0 ? .tooMuch : .events(job.events)
        }
        switch found {
        case .none: try stray()
        case .tooMuch: end(event.job, .failure(Self.none(name, "has more to say than a verification can")))
        case .events(let events): if event.hasProgress { events(event.progress) }
        }
    }

    /// A job that was ended here may still be spoken of for a while.
    private func stray() throws(Failure) {
        let count = state.withLock { state in
            state.strays += 1
            return state.strays
        }
        if count > limits.events { throw Self.none(name, "speaks of jobs that nobody gave it") }
    }

    /// That there is no verdict to be believed, and why.
    static func none(_ name: String, _ why: String, detail: String = "") -> Failure {
        Failure(
            .noVerifier, "the verifier \(name.quotedForDisplay()) \(why)",
            hint: "nothing was changed; see its log (journalctl -u 'schedcp-verify@*' on its machine), then try again",
            detail: detail)
    }
}
