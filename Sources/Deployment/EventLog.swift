// Deployment: one scheduler at a time goes from a request to the kernel and back, each step recorded before and undone
// when a later one fails. It runs inside schedcpd as one actor; status is published to readers that must not wait for it.

package import Model
import Synchronization

/// Something that happened to the machine's scheduler.
package struct SchedulerEvent: Hashable, Sendable {
    package enum Kind: String, Sendable {
        case deployed, failed, ejected, superseded, adopted, restored, released
        case rolledBack = "rolled-back"
        case foreignAppeared = "foreign-appeared"
        case foreignGone = "foreign-gone"
        case reloaded
        case quarantined
        case willRestore = "will-restore"
        case gaveUp = "gave-up"
        /// It was changed while it runs.
        case tuned
    }

    package let sequence: UInt64
    /// Nanoseconds since the epoch.
    package let at: Int64
    package let kind: Kind
    package let message: String
    package let record: DeploymentRecord?
}

/// The newest events, and those who wait for more. A reader that is too slow loses the oldest and sees it by the gap in
/// the sequence numbers; it never makes the writer wait.
package final class EventLog: Sendable {
    package static let kept = 256

    private struct State {
        var next: UInt64 = 1
        var events: [SchedulerEvent] = []
        var waiting: [UInt64: AsyncStream<SchedulerEvent>.Continuation] = [:]
        var nextSubscriber: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    package func append(_ kind: SchedulerEvent.Kind, _ message: String, record: DeploymentRecord?, at now: Int64) {
        // Under the lock, so that every reader gets the events in their order: they come from more than one thread.
        state.withLock { state in
            let event = SchedulerEvent(sequence: state.next, at: now, kind: kind, message: message, record: record)
            state.next += 1
            state.events.append(event)
            if state.events.count > Self.kept { state.events.removeFirst() }
            for reader in state.waiting.values { reader.yield(event) }
        }
    }

    /// What is kept of the events after a sequence number.
    package func events(after sequence: UInt64) -> [SchedulerEvent] {
        state.withLock { $0.events.filter { $0.sequence > sequence } }
    }

    /// The kept events after a sequence number, then every new one, until the reader goes away.
    package func follow(after sequence: UInt64) -> AsyncStream<SchedulerEvent> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: SchedulerEvent.self, bufferingPolicy: .bufferingNewest(Self.kept))
        let subscriber = state.withLock { state in
            for event in state.events where event.sequence > sequence { continuation.yield(event) }
            let subscriber = state.nextSubscriber
            state.nextSubscriber += 1
            state.waiting[subscriber] = continuation
            return subscriber
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.waiting.removeValue(forKey: subscriber) }
        }
        return stream
    }

    /// Ends every stream, at the daemon's end.
    package func finish() {
        let readers = state.withLock { state in
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        readers.forEach { $0.finish() }
    }
}
