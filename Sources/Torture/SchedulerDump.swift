import Glibc
import Linux

/// The scheduler's own account of its state, which the kernel writes to its trace when it is asked by sysrq-D.
enum SchedulerDump {
    private static let tracing = "/sys/kernel/tracing"

    /// nil where this kernel does not give it.
    static func take() -> String? {
        if access(tracing + "/events", F_OK) != 0 {
            // SAFETY: all four are strings that live through the call.
            guard mount("none", tracing, "tracefs", 0, nil) == 0 else { return nil }
        }
        let event = tracing + "/events/sched_ext/sched_ext_dump/enable"
        guard SystemFile.write("1", to: event), SystemFile.write("1", to: tracing + "/tracing_on") else { return nil }
        defer { SystemFile.write("0", to: event) }
        SystemFile.write("511", to: "/proc/sys/kernel/sysrq")
        guard SystemFile.write("D", to: "/proc/sysrq-trigger") else { return nil }
        Worker.pause(microseconds: 50_000)
        guard let bytes = try? TextFile.readBytes(tracing + "/trace", limit: 1 << 20) else { return nil }
        return text(ofTrace: String(decoding: bytes, as: UTF8.self))
    }

    /// The words of the dump without what the trace puts before each line.
    static func text(ofTrace trace: String) -> String? {
        let mark = "sched_ext_dump: "
        let lines = trace.split(separator: "\n").compactMap { line -> Substring? in
            guard let range = firstRange(of: mark, in: line) else { return nil }
            return line[range...]
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n") + "\n"
    }

    /// Where the text behind the first `mark` begins.
    private static func firstRange(of mark: String, in line: Substring) -> Substring.Index? {
        var rest = line
        while let colon = rest.firstIndex(where: { $0 == "s" }) {
            rest = rest[colon...]
            if rest.hasPrefix(mark) { return rest.index(rest.startIndex, offsetBy: mark.count) }
            rest = rest.dropFirst()
        }
        return nil
    }
}
