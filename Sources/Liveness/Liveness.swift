// Liveness: judges a resolved scheduler object without running it: does every task that it is given get to run?
//
// Who runs it: the static stage of verification, in an unprivileged process, on objects that may be hostile. It follows
// the paths through each operation with what is known of every value (Bounds, Term), records what happens to tasks and
// queues on them, and lets the checks judge the record. A check is `proved` only where all paths were seen; `refuted`
// only by a path on which nothing was estimated; else it is `unknown`, with the reason. Pure and deterministic: no
// clock, no files, work bounded by the budget whatever the input is.

package import Model

/// How far the analysis goes before it gives up.
package struct AnalysisBudget: Hashable, Sendable {
    /// Instructions followed, of one operation.
    package var steps: Int
    /// Paths to their end, of one operation.
    package var paths: Int
    /// Instructions of all operations together.
    package var totalSteps: Int
    /// Instructions of one path.
    package var pathSteps: Int

    package init(steps: Int = 40_000, paths: Int = 10_000, totalSteps: Int = 100_000, pathSteps: Int = 20_000) {
        self.steps = steps
        self.paths = paths
        self.totalSteps = totalSteps
        self.pathSteps = pathSteps
    }
}

package struct AnalysisOptions: Sendable {
    /// Checks that are not made.
    package var disabled: Set<String>
    package var budget: AnalysisBudget
    /// CPU numbers are below this on any machine.
    package var cpuLimit: Int
    /// What the program may use beyond scheduling.
    package var programCapabilities: ProgramCapabilities
    /// Where the source declares something; nil where that is not known for certain.
    package var place: @Sendable (Declaration) -> SourceLocation?

    package init(
        disabled: Set<String> = [], budget: AnalysisBudget = AnalysisBudget(), cpuLimit: Int = 8192,
        programCapabilities: ProgramCapabilities = ProgramCapabilities(),
        place: @escaping @Sendable (Declaration) -> SourceLocation? = { _ in nil }
    ) {
        self.disabled = disabled
        self.budget = budget
        self.cpuLimit = min(max(cpuLimit, 1), 1 << 20)
        self.programCapabilities = programCapabilities
        self.place = place
    }
}

package struct AnalysisResult: Sendable {
    package var findings: [Finding]
    /// One for every static check of the catalogue.
    package var outcomes: [CheckOutcome]
    package var measurements: [Measurement]

    package init(findings: [Finding] = [], outcomes: [CheckOutcome] = [], measurements: [Measurement] = []) {
        self.findings = findings
        self.outcomes = outcomes
        self.measurements = measurements
    }
}

package enum Liveness {}
