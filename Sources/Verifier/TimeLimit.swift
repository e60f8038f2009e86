import Model

/// Runs something for at most so long, and cancels it then.
enum TimeLimit {
    /// Throws `.timedOut` once the body, cancelled, has ended.
    static func run<R: Sendable>(
        seconds: Int, _ body: @escaping @Sendable () async throws(Failure) -> R
    ) async throws(Failure) -> R {
        let result = await withTaskGroup(of: Result<R, Failure>?.self) { group in
            group.addTask {
                do throws(Failure) { return .success(try await body()) } catch { return .failure(error) }
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds))
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        if Task.isCancelled, result == nil { throw Failure(.cancelled, "the verification was cancelled") }
        guard let result else {
            throw Failure(
                .timedOut, "the verification was not done after \(seconds) s", hint: "ask for less, or give it longer")
        }
        return try result.get()
    }
}
