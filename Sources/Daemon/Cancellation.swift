import Synchronization

/// That somebody does not want an answer any more. Not a task's own cancellation, which would reach the records and the audit too.
final class Cancellation: Sendable {
    private struct State {
        var isCancelled = false
        var handlers: [Int: @Sendable () -> Void] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func cancel() {
        let handlers = state.withLock { state in
            defer { state.handlers = [:] }
            state.isCancelled = true
            return Array(state.handlers.values)
        }
        handlers.forEach { $0() }
    }

    /// Calls once, now or later, unless it is taken away before.
    func onCancel(_ handler: @escaping @Sendable () -> Void) -> Int {
        let number: Int? = state.withLock { state in
            guard !state.isCancelled else { return nil }
            state.next += 1
            state.handlers[state.next] = handler
            return state.next
        }
        guard let number else {
            handler()
            return 0
        }
        return number
    }

    func remove(_ number: Int) { state.withLock { $0.handlers[number] = nil } }
}
