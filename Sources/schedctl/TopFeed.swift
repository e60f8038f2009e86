import Client
import Foundation
import Linux
import Model
import Synchronization
import Wire

/// Views from the daemon, for as long as the program runs: where the daemon is gone it is asked again and again.
final class TopFeed: Sendable {
    private struct State {
        var view: WireView?
        var trouble = ""
        var task: Task<Void, Never>?
    }

    private let socket: String
    private let bell: TerminalScreen.Bell
    private let state = Mutex(State())

    /// - Parameter bell: rings when there is something new.
    init(socket: String, bell: TerminalScreen.Bell) {
        self.socket = socket
        self.bell = bell
    }

    /// The newest view since this was asked last, and what is wrong now.
    func take() -> (view: WireView?, trouble: String) {
        state.withLock { state in
            defer { state.view = nil }
            return (state.view, state.trouble)
        }
    }

    /// Begins anew.
    /// - Parameter interval: nil for one view.
    func start(every interval: TopInterval?, atOnce: Bool) {
        let task = Task { await run(interval, atOnce: atOnce) }
        replace(task)
    }

    func stop() { replace(nil) }

    private func replace(_ task: Task<Void, Never>?) {
        state.withLock { state in
            state.task?.cancel()
            state.task = task
        }
    }

    private func run(_ interval: TopInterval?, atOnce: Bool) async {
        var needsOne = atOnce
        while !Task.isCancelled {
            do throws(Failure) {
                let client = try await SchedClient.connect(path: socket, name: "schedctl top")
                let outcome = await views(of: client, every: interval, firstAtOnce: needsOne)
                await client.close()
                try outcome.get()
                if interval == nil { return }
            } catch {
                if Task.isCancelled { return }
                tell("trying again: \(error.message)")
                needsOne = true
            }
            // Also where the daemon takes the connection and ends the stream at once.
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private func views(
        of client: SchedClient, every interval: TopInterval?, firstAtOnce: Bool
    ) async -> Result<Void, Failure> {
        do {
            // A stream's first view comes after the interval.
            if interval == nil || (firstAtOnce && (interval?.milliseconds ?? 0) > 500) {
                show(try await Top.one(client))
            }
            guard let interval else { return .success(()) }
            for try await view in try await client.views(every: interval.milliseconds) { show(view) }
            return .failure(Failure(.internal, "schedcpd ended the views"))
        } catch { return .failure(error as? Failure ?? Failure(.internal, "\(error)")) }
    }

    private func show(_ view: WireView) {
        // One that was replaced has nothing to say any more.
        if Task.isCancelled { return }
        state.withLock { ($0.view, $0.trouble) = (view, "") }
        bell.ring()
    }

    private func tell(_ trouble: String) {
        state.withLock { $0.trouble = trouble }
        bell.ring()
    }
}
