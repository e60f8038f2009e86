import Synchronization

/// A queue between one writer that never waits and one reader that does. The writer's side is bounded by the protocol's
/// windows, not here.
final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var queue: [Element] = []
        var head = 0
        var end: MachineError?
        var isFinished = false
        var reader: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Adds an element; after the end it is dropped.
    func put(_ element: Element) {
        wake { state in
            if !state.isFinished { state.queue.append(element) }
        }
    }

    /// No more elements come. The reader still gets those that wait, then `error`, or nil where there is none.
    func finish(throwing error: MachineError? = nil) {
        wake { state in
            guard !state.isFinished else { return }
            state.isFinished = true
            state.end = error
        }
    }

    /// The next element; nil after the last. One reader at a time.
    func next() async throws -> Element? {
        while true {
            try Task.checkCancellation()
            let (element, ended, error) = state.withLock { state -> (Element?, Bool, MachineError?) in
                guard state.head < state.queue.count else { return (nil, state.isFinished, state.end) }
                defer {
                    state.head += 1
                    if state.head == state.queue.count {
                        state.queue.removeAll(keepingCapacity: true)
                        state.head = 0
                    }
                }
                return (state.queue[state.head], false, nil)
            }
            if let element { return element }
            if let error { throw error }
            if ended { return nil }
            await wait()
        }
    }

    private func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state -> Bool in
                    if state.head < state.queue.count || state.isFinished || Task.isCancelled { return true }
                    state.reader = continuation
                    return false
                }
                if now { continuation.resume() }
            }
        } onCancel: {
            wake { _ in }
        }
    }

    private func wake(_ change: (inout State) -> Void) {
        let reader = state.withLock { state in
            change(&state)
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }
}

/// A value that comes once, for any number of waiting tasks.
final class Promise<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, MachineError>?
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// Later values are ignored.
    func fulfil(_ result: Result<Value, MachineError>) {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard state.result == nil else { return [] }
            state.result = result
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.resume() }
    }

    var current: Result<Value, MachineError>? { state.withLock { $0.result } }

    func value() async throws -> Value {
        let ticket = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state -> Bool in
                    if state.result != nil || Task.isCancelled { return true }
                    state.waiting[ticket] = continuation
                    return false
                }
                if now { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.resume()
        }
        guard let result = current else { throw CancellationError() }
        return try result.get()
    }
}
