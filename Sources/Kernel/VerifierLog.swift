import CLibBPF
import Glibc
import Linux
import Model

/// The kernel verifier's log of every program of an object: a buffer for each, touched by the kernel only when it
/// refuses the program.
final class VerifierLog {
    /// Address space, not memory: pages that the kernel never writes are never there.
    private static let bytesPerProgram = 8 << 20
    private let buffers: [(name: String, memory: UnsafeMutablePointer<CChar>)]

    init(programs: [OpaquePointer]) {
        buffers = programs.compactMap { program in
            // SAFETY: the buffer is freed in deinit, after the load that writes to it has returned.
            guard let memory = calloc(Self.bytesPerProgram, 1)?.assumingMemoryBound(to: CChar.self) else { return nil }
            bpf_program__set_log_buf(program, memory, Self.bytesPerProgram)
            return (String(cString: bpf_program__name(program)), memory)
        }
    }

    deinit { buffers.forEach { free($0.memory) } }

    func failure(code: Int32, libbpf said: String) -> Failure {
        let logs = buffers.map { ($0.name, String(cString: $0.memory)) }.filter { !$0.1.isEmpty }
        let reason = SystemError("bpf", code: code).reason
        let detail = logs.map { "--- program \($0.0)\n\($0.1)" }.joined(separator: "\n")
        if code == EPERM && logs.isEmpty {
            return Failure(
                .denied, "the kernel does not let schedcpd load BPF programs: \(reason)",
                hint: "CAP_BPF and CAP_PERFMON are needed; see `schedctl doctor`", detail: said)
        }
        guard let (program, log) = logs.first else {
            return Failure(
                .verifierRefused, "the object could not be loaded: \(reason)", hint: "see the log for what libbpf said",
                detail: said)
        }
        return Failure(
            .verifierRefused, "the kernel's verifier refused '\(program)': \(Self.complaint(in: log) ?? reason)",
            hint: "the whole log is in the answer with --json", detail: detail)
    }

    /// The line that says why: the last one before the closing statistics.
    static func complaint(in log: String) -> String? {
        let lines = log.split(separator: "\n").filter { line in
            !line.hasPrefix("processed ") && !line.hasPrefix("verification time") && !line.hasPrefix("stack depth")
                && !line.hasPrefix("mark_precise") && !line.hasPrefix("peak_states")
        }
        return lines.last.map { String($0.escapedForDisplay(limit: 300)) }
    }
}
