import CLibBPF
import Glibc
import Linux
import Model

/// How much the kernel's verifier writes down of an object that it accepts. What it refuses is always written down.
package enum VerifierDetail: Sendable {
    case nothing
    /// The path that it walked last, and its figures.
    case figures
    /// Every path. Megabytes for a large program, and slow.
    case everything

    /// BPF_LOG_LEVEL1, BPF_LOG_LEVEL2 and BPF_LOG_STATS of the kernel's include/linux/bpf_verifier.h.
    var level: UInt32 {
        switch self {
        case .nothing: 0
        case .figures: 1 | 4
        case .everything: 2 | 4
        }
    }
}

/// The kernel verifier's log of every program of an object: a buffer for each, touched by the kernel only when it
/// has something to write.
final class VerifierLog {
    /// Address space, not memory: pages that the kernel never writes are never there.
    private static let bytesPerProgram = 8 << 20
    private let buffers: [(name: String, memory: UnsafeMutablePointer<CChar>)]

    init(programs: [OpaquePointer], detail: VerifierDetail) {
        buffers = programs.compactMap { program in
            // SAFETY: the buffer is freed in deinit, after the load that writes to it has returned.
            guard let memory = calloc(Self.bytesPerProgram, 1)?.assumingMemoryBound(to: CChar.self) else { return nil }
            bpf_program__set_log_buf(program, memory, Self.bytesPerProgram)
            if detail != .nothing { bpf_program__set_log_level(program, detail.level) }
            return (String(cString: bpf_program__name(program)), memory)
        }
    }

    deinit { buffers.forEach { free($0.memory) } }

    func failure(code: Int32, libbpf said: String) -> Failure {
        let logs = buffers.map { ($0.name, String(cString: $0.memory)) }.filter { !$0.1.isEmpty }
        let reason = SystemError("bpf", code: code).reason
        if code == EPERM && logs.isEmpty {
            return Failure(
                .denied, "the kernel does not let schedcpd load BPF programs: \(reason)",
                hint: "CAP_BPF and CAP_PERFMON are needed; see `schedctl doctor`", detail: said)
        }
        guard let (program, log) = Self.refused(logs, libbpf: said) else {
            return Failure(
                .verifierRefused, "the object could not be loaded: \(reason)", hint: "see the log for what libbpf said",
                detail: said)
        }
        return Failure(
            .verifierRefused, "the kernel's verifier refused '\(program)': \(Self.complaint(in: log) ?? reason)",
            hint: "the whole log is in the answer with --json", detail: "\(Self.header)\(program)\n\(log)")
    }

    static let header = "--- program "

    /// The program that ended the load. libbpf loads one after the other and names the one that fails; those before it
    /// may have logs as well.
    static func refused(_ logs: [(String, String)], libbpf said: String) -> (String, String)? {
        logs.last { said.contains("prog '\($0.0)': BPF program load failed") } ?? logs.last
    }

    /// What the verifier wrote about the programs, after a load that succeeded.
    func verified(_ programs: [OpaquePointer]) -> [VerifiedProgram] {
        buffers.map { buffer in
            let program = programs.first { String(cString: bpf_program__name($0)) == buffer.name }
            return VerifiedProgram(
                name: buffer.name, instructions: program.map { Int(bpf_program__insn_cnt($0)) } ?? 0,
                log: String(cString: buffer.memory))
        }
    }

    /// The line that says why: the last one before the closing statistics and, on kernels that explain themselves at
    /// length (7.x), before the explanation.
    static func complaint(in log: String) -> String? {
        let all = log.split(separator: "\n")
        let lines = all[..<(all.firstIndex { $0.hasPrefix(explanation) } ?? all.endIndex)].filter { line in
            !statistics.contains { line.hasPrefix($0) }
        }
        return lines.last.map { String($0.escapedForDisplay(limit: 300)) }
    }

    static let explanation = "Verification failed: "
    private static let statistics = [
        "processed ", "verification time", "stack depth", "subprog ", "mark_precise", "peak_states",
    ]
}
