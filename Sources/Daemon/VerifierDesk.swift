import Access
import Logging
import Model
import Synchronization
import Wire

/// Finds a verifier that answers, and asks it. Streams are kept open and shared; over a socket each job has a connection of its own.
final class VerifierDesk: Sendable {
    private let limits: VerifierLimits
    private let logger: Logger
    private let streams = Streams()
    private let inProgress = Mutex(0)

    init(_ limits: VerifierLimits, _ logger: Logger) {
        self.limits = limits
        self.logger = logger
    }

    /// Streams that are open, and those that are being opened: a port can be opened once.
    private actor Streams {
        private var open: [VerifierPlace: VerifierSession] = [:]
        private var opening: [VerifierPlace: Task<Result<VerifierSession, Failure>, Never>] = [:]

        func session(_ place: VerifierPlace, _ limits: VerifierLimits) async throws(Failure) -> VerifierSession {
            if let session = open[place] {
                if session.isOpen { return session }
                session.close()
                open[place] = nil
            }
            if let task = opening[place] { return try await task.value.get() }
            let task = Task { () -> Result<VerifierSession, Failure> in
                do throws(Failure) { return .success(try await VerifierSession.open(place, limits)) } catch {
                    return .failure(error)
                }
            }
            opening[place] = task
            let result = await task.value
            opening[place] = nil
            if case .success(let session) = result { open[place] = session }
            return try result.get()
        }
    }

    /// What came back, and from whom.
    struct Answer {
        let place: VerifierPlace
        let greeting: WireVerifierGreeting
        let finished: WireJobFinished
    }

    /// Asks the first verifier of the rules that answers. Throws `.noVerifier` where none does or its verdict never came,
    /// `.cancelled`, and `.busy`.
    func ask(
        _ submit: WireJobSubmit, effort: Effort, rules: AccessRules, cancellation: Cancellation,
        events: @escaping JobTable.Events
    ) async throws(Failure) -> Answer {
        let isIn = inProgress.withLock { count in
            guard count < limits.jobs else { return false }
            count += 1
            return true
        }
        guard isIn else {
            throw Failure(.busy, "\(limits.jobs) verifications are in progress already", hint: "try again in a moment")
        }
        defer { inProgress.withLock { $0 -= 1 } }
        guard !rules.verifiers.isEmpty else {
            throw Failure(
                .noVerifier, "the access rules name no verifier, so nothing can be verified here",
                hint: "add `verifier local socket /run/schedcp/verify.sock` to rules.conf, or bring an attestation")
        }
        var refusals: [String] = []
        for place in rules.verifiers {
            let session: VerifierSession
            do throws(Failure) {
                session =
                    place.kind == .stream
                    ? try await streams.session(place, limits) : try await VerifierSession.open(place, limits)
            } catch {
                logger.warning("\(error.message)")
                refusals.append(error.message)
                continue
            }
            defer { if place.kind == .socket { session.close() } }
            let finished = try await session.run(
                submit, seconds: limits.seconds(effort), cancellation: cancellation, events: events)
            return Answer(place: place, greeting: session.greeting, finished: finished)
        }
        throw Failure(
            .noVerifier, "no verifier answers, so nothing is verified: \(refusals.joined(separator: "; "))",
            hint:
                "start it: systemctl start schedcp-verify.socket; or name another in rules.conf; or bring an attestation"
        )
    }
}
