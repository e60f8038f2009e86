extension LoadedScheduler {
    /// SCX_WATCHDOG_MAX_TIMEOUT of kernel/sched/ext, which also holds where a scheduler names no time.
    private static let longestWatchdog = 30_000

    /// Milliseconds for which the kernel lets a runnable task of this scheduler wait.
    package borrowing func watchdogMilliseconds() -> Int {
        guard let fields = OpsFields(map: ops, types: TypeTable(object: handle.raw)),
            let asked = fields.value("timeout_ms"), asked > 0, asked < UInt64(Self.longestWatchdog)
        else { return Self.longestWatchdog }
        return Int(asked)
    }
}
