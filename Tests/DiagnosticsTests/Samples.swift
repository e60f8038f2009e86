import Diagnostics
import Model

/// A refused candidate with a path, and what can be known of it.
enum Sample {
    static let source = """
        void BPF_STRUCT_OPS(sample_enqueue, struct task_struct *p, u64 enq_flags)
        {
        	if (p->scx.weight < 100)
        		return;
        	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
        }
        """

    static let condition = SourceLocation(
        file: "lost.bpf.c", line: 3, column: 6, text: "if (p->scx.weight < 100)")
    static let lost = Finding(
        stage: .static, check: "lost-task", message: "a task is neither inserted into a queue nor kept",
        location: SourceLocation(file: "lost.bpf.c", line: 4, column: 3, text: "return;"), operation: "enqueue",
        path: [PathStep(location: condition, note: "the condition is true")],
        why: "The task never runs again.", remedy: "Insert it into a queue on every path.")
    static let slow = Finding(
        stage: .static, check: "unbounded-work", severity: .warning, message: "the loop may take long",
        location: SourceLocation(file: "schedcp/hints.bpf.h", line: 80, text: "bpf_for(i, 0, 32) {"))

    static func run(_ findings: [Finding] = [lost, slow]) -> Diagnosis {
        let stages = [
            StageReport(.compile, .passed, log: "", nanoseconds: 210_000_000),
            StageReport(
                .static, .failed, findings: findings,
                checks: [
                    CheckOutcome(check: "lost-task", verdict: .refuted),
                    CheckOutcome(check: "affinity", verdict: .unknown, reason: "the CPU comes from a map"),
                    CheckOutcome(check: "slice", verdict: .proved),
                ], measurements: [Measurement("cost", subject: "enqueue", value: 120, unit: "ns")],
                nanoseconds: 84_000_000),
            StageReport(.kernel, .skipped), StageReport(.dynamic, .skipped),
        ]
        var run = Diagnosis(name: "lost.bpf.c", verdict: .refused, stages: stages)
        run.source = String(repeating: "ab", count: 32)
        run.artifact = String(repeating: "cd", count: 32)
        run.kernelRelease = "7.3.4"
        run.evidence = ["static": String(repeating: "ef", count: 32)]
        return run
    }

    static var sources: SourceTexts {
        var sources = SourceTexts()
        sources.add("lost.bpf.c", text: source, shownAs: "my schedulers/lost.bpf.c")
        return sources
    }
}
