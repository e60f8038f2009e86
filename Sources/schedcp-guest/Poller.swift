import Glibc
import Linux

/// One call of poll(2): what is asked, and what came of it.
struct Poller {
    private var set: [pollfd] = []

    /// Gives the entry's number for the questions afterwards.
    @discardableResult
    mutating func add(_ fd: CInt, reads: Bool, writes: Bool) -> Int {
        set.append(pollfd(fd: fd, events: Int16((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), revents: 0))
        return set.count - 1
    }

    /// Waits until something is ready or the monotonic clock reaches `deadline` (nanoseconds; nil for ever).
    mutating func wait(until deadline: Int64?, now: Int64) throws(SystemError) {
        let milliseconds = deadline.map { CInt(clamping: (max(0, $0 - now) + 999_999) / 1_000_000) } ?? -1
        try GuestStream.poll(&set, milliseconds: milliseconds)
    }

    func isReadable(_ entry: Int) -> Bool { Int32(set[entry].revents) & POLLIN != 0 }
    func isHungUp(_ entry: Int) -> Bool { Int32(set[entry].revents) & (POLLHUP | POLLERR) != 0 }
}
