import Glibc

/// Clocks as plain nanoseconds.
package enum Clock {
    /// Since the epoch; may jump.
    package static func realtime() -> Int64 { read(CLOCK_REALTIME) }
    /// Since boot without suspend; never jumps.
    package static func monotonic() -> Int64 { read(CLOCK_MONOTONIC) }

    /// CPU time of the calling thread.
    package static func threadCPU() -> Int64 { read(CLOCK_THREAD_CPUTIME_ID) }

    private static func read(_ id: clockid_t) -> Int64 {
        var now = timespec()
        clock_gettime(id, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
