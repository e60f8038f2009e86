import Deployment
import Linux
import Model

/// Asks `schedcp-eject`, which systemd starts from its socket as root with nothing but the right to pull sysrq-S, to end a
/// scheduler that somebody else loaded.
struct SocketEjector: ForeignEjector {
    let path: String

    func eject(ops: String) async throws(Failure) {
        let answer: String
        do { answer = try UnixExchange.ask(path, ops + "\n", seconds: 15) } catch {
            throw error.asFailure(
                .foreignScheduler,
                hint: "is schedcp-eject.socket running? Else stop the program that loaded the scheduler")
        }
        guard answer.hasPrefix("ok") else {
            throw Failure(
                .foreignScheduler,
                "the scheduler '\(ops.escapedForDisplay(limit: 128))' could not be removed: \(answer.escapedForDisplay(limit: 300))",
                hint: "stop the program that loaded it")
        }
    }
}
