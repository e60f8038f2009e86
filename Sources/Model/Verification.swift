/// One step of the verification of a candidate, in the order in which they run.
package enum VerificationStage: String, CaseIterable, Codable, Sendable, Comparable {
    /// The source, to an object, in a sandbox.
    case compile
    /// The object, judged without a kernel.
    case `static`
    /// The object, interpreted on a modelled machine. Nothing does this yet; its place is kept.
    case simulate
    /// The object, loaded by the kernel's own verifier in a micro-VM.
    case kernel
    /// The scheduler, attached in the micro-VM under load.
    case dynamic

    package static func < (a: Self, b: Self) -> Bool { a.order < b.order }

    private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// How much of the dynamic stage is done.
package enum Effort: String, CaseIterable, Codable, Sendable, Comparable {
    /// One machine shape, a few loads.
    case quick
    /// Every machine shape, every load, the comparison with the default scheduler.
    case full

    package static func < (a: Self, b: Self) -> Bool { a == .quick && b == .full }
}

/// A place in the source. Lines and columns count from 1; 0 where unknown.
package struct SourceLocation: Hashable, Codable, Sendable {
    /// As the compiler was told it, such as `fifo.bpf.c`.
    package var file: String
    package var line: Int
    package var column: Int
    /// The line's text, trimmed; empty where unknown.
    package var text: String

    package init(file: String, line: Int, column: Int = 0, text: String = "") {
        self.file = file
        self.line = line
        self.column = column
        self.text = text
    }
}

/// One decision on the path that shows a finding.
package struct PathStep: Hashable, Codable, Sendable {
    package var location: SourceLocation
    /// What was decided or done there, such as "the condition is false" or "returns".
    package var note: String

    package init(location: SourceLocation, note: String) {
        self.location = location
        self.note = note
    }
}

/// Something that a stage has to say about a candidate.
package struct Finding: Hashable, Codable, Sendable {
    package enum Severity: String, Codable, CaseIterable, Sendable {
        /// The candidate is refused.
        case error
        case warning
        case note
    }

    package var stage: VerificationStage
    /// The check's name, such as `lost-task`; for the compiler's and the kernel's own words `compile` and `verifier`.
    package var check: String
    package var severity: Severity
    /// One sentence.
    package var message: String
    package var location: SourceLocation?
    /// The operation of `sched_ext_ops`, such as `enqueue`, or the trial's load; empty where it has none.
    package var operation: String
    /// The decisions in the order of execution; the finding's own place is not among them.
    package var path: [PathStep]
    /// Why it matters, and how to mend it; either may be empty.
    package var why: String
    package var remedy: String
    /// More for who wants it all: a log, a dump, figures.
    package var detail: String

    package init(
        stage: VerificationStage, check: String, severity: Severity = .error, message: String,
        location: SourceLocation? = nil, operation: String = "", path: [PathStep] = [], why: String = "",
        remedy: String = "", detail: String = ""
    ) {
        self.stage = stage
        self.check = check
        self.severity = severity
        self.message = message
        self.location = location
        self.operation = operation
        self.path = path
        self.why = why
        self.remedy = remedy
        self.detail = detail
    }
}

/// What became of one check.
package struct CheckOutcome: Hashable, Codable, Sendable {
    package enum Verdict: String, Codable, CaseIterable, Sendable {
        /// It holds on every path.
        case proved
        /// A finding shows that it does not.
        case refuted
        /// Neither could be shown; `reason` says why.
        case unknown
        case notApplicable = "not-applicable"
        /// Switched off by the access rules.
        case off
    }

    package var check: String
    package var verdict: Verdict
    package var reason: String

    package init(check: String, verdict: Verdict, reason: String = "") {
        self.check = check
        self.verdict = verdict
        self.reason = reason
    }
}

/// A figure of a stage.
package struct Measurement: Hashable, Codable, Sendable {
    /// What was measured, as `verifier.instructions` or `latency.first-run.max`.
    package var name: String
    /// Of what: a program, a load, a machine shape; may be empty.
    package var subject: String
    package var value: Double
    /// "ns", "instructions", "ratio", "tasks"; may be empty.
    package var unit: String
    /// The 95 % interval where there is one.
    package var low: Double?
    package var high: Double?

    package init(
        _ name: String, subject: String = "", value: Double, unit: String = "", low: Double? = nil, high: Double? = nil
    ) {
        self.name = name
        self.subject = subject
        self.value = value
        self.unit = unit
        self.low = low
        self.high = high
    }
}

/// What one stage said, with its evidence.
package struct StageReport: Hashable, Codable, Sendable {
    package enum Verdict: String, Codable, CaseIterable, Sendable {
        case passed
        /// The candidate is refused.
        case failed
        /// Not asked for, or an earlier stage failed.
        case skipped
        /// The stage could not be done: the machine's fault, not the candidate's. Counts as not passed.
        case unable
    }

    package var stage: VerificationStage
    package var verdict: Verdict
    package var findings: [Finding]
    package var checks: [CheckOutcome]
    package var measurements: [Measurement]
    /// The whole output: compiler's messages, verifier log, report of the trial. Bounded by who makes it.
    package var log: String
    package var nanoseconds: Int64

    package init(
        _ stage: VerificationStage, _ verdict: Verdict, findings: [Finding] = [], checks: [CheckOutcome] = [],
        measurements: [Measurement] = [], log: String = "", nanoseconds: Int64 = 0
    ) {
        self.stage = stage
        self.verdict = verdict
        self.findings = findings
        self.checks = checks
        self.measurements = measurements
        self.log = log
        self.nanoseconds = nanoseconds
    }
}
