/// Runs something for at most so long.
///
/// `operation` is cancelled at the limit and must then end soon. Throws ``MachineError/Code/timedOut`` with `what`, or
/// what the operation throws.
package func withDeadline<R: Sendable>(
    _ limit: Duration, _ what: @autoclosure () -> String,
    _ operation: @escaping @Sendable () async throws -> R
) async throws -> R {
    let result: R? = try await withThrowingTaskGroup(of: R?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        return try await group.next() ?? nil
    }
    guard let result else {
        throw MachineError(.timedOut, "\(what()) took longer than \(limit.inSeconds)")
    }
    return result
}

extension Duration {
    /// As "2.5 s".
    package var inSeconds: String {
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(Double(milliseconds) / 1000) s"
    }

    /// Whole milliseconds, at least 1, for fields in which 0 means none.
    var inMilliseconds: UInt32 {
        let value = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        return UInt32(clamping: max(1, value))
    }
}
