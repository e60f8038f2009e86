import Glibc
import Linux

/// The kernel's log from now on (/dev/kmsg).
package final class KernelLog {
    private let file: SharedDescriptor?

    package init() {
        file = try? SharedDescriptor(.open("/dev/kmsg", O_RDONLY | O_NONBLOCK))
        if let raw = file?.raw { lseek(raw, 0, SEEK_END) }
    }

    /// The lines since the last call, at most a few hundred.
    package func read() -> [String] {
        guard let raw = file?.raw else { return [] }
        var lines: [String] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while lines.count < 400 {
            // SAFETY: the buffer has the size that is named.
            let got = Glibc.read(raw, &buffer, buffer.count)
            // EPIPE: lines were overwritten before we came; the next read goes on behind them.
            if got < 0 && errno == EPIPE { continue }
            guard got > 0 else { break }
            if let line = Self.text(ofRecord: buffer[..<got]) { lines.append(line) }
        }
        return lines
    }

    /// `priority,sequence,time,flags;text` and continuation lines that begin with a space.
    package static func text(ofRecord record: ArraySlice<UInt8>) -> String? {
        guard let start = record.firstIndex(of: UInt8(ascii: ";")) else { return nil }
        let text = record[(start + 1)...].prefix { $0 != UInt8(ascii: "\n") }
        return String(decoding: text, as: UTF8.self)
    }

    /// What a line means for a trial.
    package enum Weight: Sendable {
        /// The kernel is broken, or says that its scheduler does not do its work.
        case fault
        /// Of sched_ext, worth keeping.
        case told
        case other
    }

    package static func weight(of line: String) -> Weight {
        let faults = [
            "BUG: ", "Oops", "general protection fault", "kernel panic", "soft lockup", "hard LOCKUP",
            "detected stalls", "self-detected stall", "blocked for more than",
        ]
        if faults.contains(where: { line.contains($0) }) { return .fault }
        if line.hasPrefix("WARNING: "), line.contains("kernel/sched/") { return .fault }
        return line.contains("sched_ext") ? .told : .other
    }
}
