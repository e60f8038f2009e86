// Service: the service manager's side of a daemon, for what systemd starts: readiness, descriptors, the journal. It is apart
// from Linux so that programs which run without systemd do not link its library. No state, no locks.

import CSystemd
import Glibc
package import Linux

/// The service manager's side of a daemon: readiness, watchdog, sockets and the descriptor store (sd-daemon(3)).
/// Every call does nothing when the process was not started by systemd.
package enum Systemd {
    /// Is there a service manager to talk to?
    package static var isPresent: Bool { getenv("NOTIFY_SOCKET") != nil }

    /// Sends assignments such as "READY=1" or "STATUS=…". Line ends inside a value would start a new assignment.
    ///
    /// It never waits: sd_notify(3) would, for as long as the manager does not read, and with it the thread that serves
    /// the clients. What the manager has no room for is lost, and the answer says so.
    @discardableResult
    package static func notify(_ assignments: [String]) -> Bool {
        guard let place = getenv("NOTIFY_SOCKET") else { return false }
        let text = assignments.map(singleLine).joined(separator: "\n")
        return (try? DatagramSender.send(Array(text.utf8), to: String(cString: place))) != nil
    }

    /// How often the watchdog wants to hear from us, in microseconds; nil when there is none.
    package static func watchdogMicroseconds() -> UInt64? {
        var interval: UInt64 = 0
        return sd_watchdog_enabled(0, &interval) > 0 ? interval : nil
    }

    /// A descriptor that the manager passed at start, with the name it has there.
    package struct Passed: Hashable, Sendable {
        package let fd: CInt
        package let name: String

        package init(fd: CInt, name: String) {
            self.fd = fd
            self.name = name
        }
    }

    /// Takes over the descriptors passed by socket activation and from the descriptor store, once.
    package static func takeDescriptors() -> [Passed] {
        // SAFETY: sd_listen_fds_with_names allocates the names; each and the array are freed here.
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = sd_listen_fds_with_names(1, &names)
        defer {
            if let names {
                for index in 0..<max(0, Int(count)) { free(names[index]) }
                free(names)
            }
        }
        guard count > 0 else { return [] }
        return (0..<Int(count)).map { index in
            let name = names?[index].map { String(cString: $0) } ?? "unknown"
            return Passed(fd: CInt(SD_LISTEN_FDS_START) + CInt(index), name: name)
        }
    }

    /// Hands copies of descriptors to the manager, which keeps them over a restart and a crash under `name`.
    /// - Returns: whether a manager took them; false when there is none.
    package static func store(_ fds: [CInt], name: String) throws(SystemError) -> Bool {
        // FDPOLL=0: the manager must not drop a link on its own when the kernel has ejected the scheduler; the
        // daemon still wants to read why.
        let state = "FDSTORE=1\nFDNAME=\(name)\nFDPOLL=0"
        let result = fds.withUnsafeBufferPointer {
            // SAFETY: the pointer and count describe `fds` for the time of the call.
            sd_pid_notify_with_fds(0, 0, state, $0.baseAddress, UInt32($0.count))
        }
        if result < 0 { throw SystemError("sd_pid_notify_with_fds", code: -result) }
        return result > 0
    }

    /// Makes the manager close what it keeps under `name`.
    package static func removeStored(name: String) {
        sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=\(name)")
    }

    /// Waits until the manager has worked through every notification sent so far, at most `timeout` microseconds.
    @discardableResult
    package static func barrier(timeout: UInt64 = 5_000_000) -> Bool {
        sd_notify_barrier(0, timeout) > 0
    }

    private static func singleLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}
