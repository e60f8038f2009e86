import Foundation
import Synchronization
import TestSupport

/// Plays the service manager: takes every notification as it comes, because a daemon waits when nobody takes them.
final class NotificationLog: Sendable {
    let path: String
    private let received = Mutex<[[String]]>([])

    init(_ path: String) throws {
        self.path = path
        let socket = try DatagramSocket(path)
        let thread = Thread { [weak self] in
            // Ends with the test: every wait is bounded.
            repeat {
                let lines = try? socket.receive()
                guard let self else { return }
                if let lines { self.received.withLock { $0.append(lines) } }
            } while true
        }
        thread.start()
    }

    var datagrams: [[String]] { received.withLock { $0 } }

    /// Has a line come so many times?
    func has(_ count: Int, _ line: String) async -> Bool {
        await eventually { datagrams.count { $0.contains(line) } >= count }
    }
}
