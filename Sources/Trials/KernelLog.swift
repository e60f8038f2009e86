import Model

/// Tells what a kernel complains about from what it only mentions.
enum KernelLog {
    /// Words that a kernel uses only where something is wrong with it, or with the scheduler.
    private static let complaints = [
        "BUG:", "kernel BUG at", "Oops:", "Kernel panic", "general protection fault",
        "unable to handle", "detected stall", "self-detected stall", "soft lockup", "hard LOCKUP",
        "blocked for more than",
        "possible recursive locking", "circular locking", "invalid opcode", "double fault", "refcount_t:",
        "scheduling while atomic", "runnable task stall", "kmemleak",
    ]

    /// Where a warning may be a scheduler's doing; others are of the machine.
    private static let warningPlaces = [
        "kernel/sched/", "kernel/bpf/", "kernel/rcu/", "kernel/workqueue", "kernel/cgroup/",
    ]

    private static func isComplaint(_ line: some StringProtocol) -> Bool {
        if complaints.contains(where: { line.contains($0) }) { return true }
        return line.contains("WARNING: ") && warningPlaces.contains { line.contains($0) }
    }

    /// The complaints among these lines, each once, bounded.
    static func complaints(in lines: some Sequence<some StringProtocol>) -> [String] {
        var found: [String] = []
        for line in lines where isComplaint(line) {
            let text = withoutTime(Substring(line)).escapedForDisplay(limit: 300)
            if !found.contains(text) { found.append(text) }
            if found.count == 20 { break }
        }
        return found
    }

    static func hasPanicked(_ console: String) -> Bool { console.contains("Kernel panic - not syncing") }

    /// The kernel died because our own first process did.
    static func isAgentsDeath(_ console: String) -> Bool { console.contains("Attempted to kill init") }

    /// Console lines begin with "[    1.234567] " and, where the kernel says who was running, "[    1.2][   T12] ".
    private static func withoutTime(_ line: Substring) -> Substring {
        var rest = line
        while rest.first == "[", let end = rest.firstIndex(of: "]") {
            rest = rest[rest.index(after: end)...].drop { $0 == " " }
        }
        return rest
    }
}
