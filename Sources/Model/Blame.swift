/// Whose fault it was that the kernel threw a scheduler out.
package enum Blame: Hashable, Sendable {
    /// The scheduler's own: an error, or tasks that it left waiting.
    case scheduler
    /// A task of a higher class held the CPU on which a task waited, so that no scheduler of this class could have run it.
    case hog(process: String, pid: Int32, cpu: Int, schedulingClass: String)
    /// Something outside: another program, sysrq, the kernel itself.
    case outside

    /// One line for a person.
    package var summary: String {
        switch self {
        case .scheduler: "the scheduler's own fault"
        case .hog(let process, let pid, let cpu, let name):
            "not the scheduler's fault: \(process.escapedForDisplay(limit: 16))[\(pid)] of \(name) held CPU \(cpu)"
        case .outside: "not the scheduler's fault"
        }
    }

    /// Judges an end by the kernel's own words: the kind of exit, and for a stall what the debug dump says of each CPU.
    ///
    /// The dump prints for each CPU `CPU 1   : nr_run=…`, `curr=hog[123] class=rt_sched_class`, and below it the waiting
    /// tasks as ` R name[pid] -2000ms` (`scx_dump_cpu` and `scx_dump_task` in kernel/sched/ext/ext.c). A stall is blamed on a
    /// task of a higher class only if it held the CPU on which the stalled task waited. A dump without that leaves the blame
    /// with the scheduler.
    package static func judge(_ exit: ExitInfo) -> Blame {
        guard exit.kind.isError else { return .outside }
        guard exit.kind == .stall, let stalled = stalledTask(in: exit.message) else { return .scheduler }
        var cpu: Int?
        var hog: Blame?
        for line in exit.dump.split(separator: "\n", maxSplits: maxLines).prefix(maxLines) {
            if line.hasPrefix("CPU ") {
                cpu = Int(line.dropFirst(4).prefix { $0.isWholeNumber })
                hog = nil
            } else if let number = cpu, let running = running(in: line) {
                // Only the kernel's own line counts: what the scheduler adds to the dump comes after it.
                cpu = nil
                hog = higherClasses.contains(running.schedulingClass) ? running.blame(cpu: number) : nil
            } else if let hog, line.hasPrefix(" "), line.dropFirst(4).hasPrefix("\(stalled) ") {
                return hog
            }
        }
        return .scheduler
    }

    private static let maxLines = 20_000
    private static let higherClasses: Set<String> = ["rt_sched_class", "dl_sched_class", "stop_sched_class"]

    /// `name[pid]` of a message such as "bash[123] failed to run for 2.048s".
    private static func stalledTask(in message: String) -> Substring? {
        guard let end = message.range(of: "] failed to run") else { return nil }
        let name = message[..<message.index(after: end.lowerBound)]
        return task(name) == nil ? nil : name
    }

    private struct Running {
        let process: String
        let pid: Int32
        let schedulingClass: String

        func blame(cpu: Int) -> Blame {
            .hog(process: process, pid: pid, cpu: cpu, schedulingClass: schedulingClass)
        }
    }

    /// `curr=name[pid] class=rt_sched_class`; the name may hold spaces.
    private static func running(in line: Substring) -> Running? {
        guard let start = line.range(of: "curr="), let middle = line.range(of: "] class=") else { return nil }
        guard start.upperBound < middle.lowerBound,
            let (process, pid) = task(line[start.upperBound..<line.index(after: middle.lowerBound)])
        else { return nil }
        return Running(process: process, pid: pid, schedulingClass: String(line[middle.upperBound...]))
    }

    private static func task(_ text: Substring) -> (String, Int32)? {
        guard text.hasSuffix("]"), let bracket = text.lastIndex(of: "["),
            let pid = Int32(text[text.index(after: bracket)...].dropLast())
        else { return nil }
        return (String(text[..<bracket]), pid)
    }
}

extension StringProtocol {
    /// Where a short text occurs first. (The standard library's own search needs Foundation or a regular expression.)
    fileprivate func range(of wanted: String) -> Range<Index>? {
        let needle = Array(wanted.utf8)
        var start = utf8.startIndex
        while start != utf8.endIndex {
            if utf8[start...].starts(with: needle) {
                return start..<utf8.index(start, offsetBy: needle.count)
            }
            start = utf8.index(after: start)
        }
        return nil
    }
}
