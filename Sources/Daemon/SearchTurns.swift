import Model

/// Searches take turns: each uses a CPU for some hundredths of a second, and however many are asked for, everything else goes on.
actor SearchTurns {
    private let atOnce: Int
    private var running = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    static let mostWaiting = 64

    init(atOnce: Int = 2) { self.atOnce = atOnce }

    /// Throws `busy` where too many wait already, and what `body` throws.
    func run<Value: Sendable>(
        _ body: @Sendable () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        if running < atOnce {
            running += 1
        } else {
            guard waiting.count < Self.mostWaiting else {
                throw Failure(.busy, "\(waiting.count) searches wait already", hint: "try again in a moment")
            }
            await withCheckedContinuation { waiting.append($0) }
        }
        defer {
            // The place goes to the next one, who was counted when it came to wait for it.
            if waiting.isEmpty { running -= 1 } else { waiting.removeFirst().resume() }
        }
        return try await body()
    }
}
