import Linux
import Model

/// Says why a compiler ended that did not end by itself.
struct CompileEnd {
    let limits: VerificationLimits

    /// Nil where it ended with a status of its own, and said no word of memory.
    func finding(of outcome: SandboxChild.Outcome, log: String) -> Finding? {
        let megabytes = limits.compileMemoryBytes >> 20
        let isOutOfMemory = ["out of memory", "bad_alloc", "Cannot allocate memory", "failed to allocate"]
            .contains { log.contains($0) }
        switch outcome.end {
        case .cancelled: return nil
        case .exited(0): return nil
        case .timedOut:
            return limit("the compiler was not done after \(limits.compileSeconds) s and was ended", time: true)
        case .exited, .signal:
            if isOutOfMemory { return limit("the compiler needed more than \(megabytes) MiB of memory") }
        }
        guard case .signal(let number) = outcome.end else { return nil }
        switch number {
        case Self.cpuLimit:
            return limit("the compiler needed more than \(limits.compileSeconds) s of processor time", time: true)
        case Self.killed where outcome.cpuNanoseconds >= UInt64(limits.compileSeconds) * 1_000_000_000:
            return limit("the compiler needed more than \(limits.compileSeconds) s of processor time", time: true)
        case Self.fileLimit:
            return limit("the compiler would have written more than \(limits.maxObjectBytes * 4 >> 20) MiB")
        // Where the allocation fails inside the C library there is no word of it.
        case Self.aborted, Self.segmentation:
            if outcome.peakBytes > UInt64(limits.compileMemoryBytes) / 2 {
                return limit("the compiler needed more than \(megabytes) MiB of memory")
            }
            fallthrough
        default:
            return Finding(
                stage: .compile, check: "compile-limits", message: "the compiler crashed: signal \(number)",
                why: "A compiler that crashes on a source says nothing about it.",
                remedy: "Take the source apart until it compiles: deep nesting and huge expressions do this.")
        }
    }

    private func limit(_ message: String, time: Bool = false) -> Finding {
        Finding(
            stage: .compile, check: "compile-limits", message: message,
            why: "Each compilation has a fixed share of the verifier's machine.",
            remedy: time
                ? "Look for macros that expand to each other, and for huge unrolled loops."
                : "Look for macros that expand to each other, and for large initialised arrays.")
    }

    // The numbers of include/uapi/asm-generic/signal.h, the same on every architecture that has sched_ext.
    private static let aborted: Int32 = 6
    private static let killed: Int32 = 9
    private static let segmentation: Int32 = 11
    private static let cpuLimit: Int32 = 24
    private static let fileLimit: Int32 = 25
}
