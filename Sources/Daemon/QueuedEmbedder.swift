import Dispatch
import Embedding
import Model

/// A model whose work is done beside everything else: a sentence takes some hundredths of a second of one CPU, and the threads that
/// answer requests are few. What is made for later goes behind what somebody waits for.
struct QueuedEmbedder: Embedder {
    private let model: any Embedder
    private static let waitedFor = BesideExecutor(.userInitiated)
    private static let forLater = BesideExecutor(.utility)

    init(_ model: any Embedder) { self.model = model }

    var identity: EmbeddingIdentity { model.identity }

    func vectors(for texts: [String]) async throws(Failure) -> [[Float]] {
        // One sentence is a question; more are an entry's.
        let executor = texts.count == 1 ? Self.waitedFor : Self.forLater
        return try await withTaskExecutorPreference(executor) { () async throws(Failure) in
            try await model.vectors(for: texts)
        }
    }
}

/// Dispatch's own threads, apart from those that Swift's tasks share.
private final class BesideExecutor: TaskExecutor {
    private let queue: DispatchQueue

    init(_ priority: DispatchQoS.QoSClass) { queue = .global(qos: priority) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// Work that blocks: opening files, checking a database.
enum Blocking {
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .userInitiated).async {
                do throws(Failure) {
                    continuation.resume(returning: Result<Value, Failure>.success(try body()))
                } catch { continuation.resume(returning: .failure(error)) }
            }
        }
        return try result.get()
    }
}
