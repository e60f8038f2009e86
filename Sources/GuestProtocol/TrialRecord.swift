/// One thing that a trial in a micro-VM says of a candidate. The guest writes these as lines (``TrialReport``) to its
/// standard output; the host reads them and believes nothing that they do not bound.
package enum TrialRecord: Hashable, Sendable {
    /// The kernel that runs: `uname -r`, and the build id of its notes in hexadecimal (empty where unknown).
    case kernel(release: String, build: String)
    /// What the kernel's verifier says of one program that it accepted.
    case program(ProgramFigures)
    /// The next piece of the verifier's log of a program.
    case verifierLog(program: String, text: String)
    /// A step begins: `load`, `attach`, `detach`, or a load of the dynamic stage. `subject` may be empty.
    case began(step: String, subject: String)
    /// The step is over.
    case ended(StepEnd)
    case measurement(TrialMeasurement)
    case violation(Violation)
    /// A line of the kernel's log.
    case kernelLog(String)
    /// The next piece of a longer text, such as the scheduler's dump.
    case dump(name: String, text: String)
    /// The last record: the command has done all that it meant to do. Without it, nothing is believed.
    case done(Verdict)

    package enum Verdict: String, Hashable, CaseIterable, Sendable {
        case passed
        /// The candidate is refused; a violation says why.
        case failed
        /// The guest could not do its work, which is not the candidate's fault.
        case unable
    }
}

/// The kernel verifier's own figures of one program.
package struct ProgramFigures: Hashable, Sendable {
    package var name: String
    /// Instructions of the program as it was loaded.
    package var instructions: UInt64
    /// Instructions that the verifier walked, over all paths.
    package var processed: UInt64
    package var totalStates: UInt64
    package var peakStates: UInt64
    /// Bytes of the deepest chain of calls.
    package var stack: UInt64
    package var nanoseconds: UInt64

    package init(
        name: String, instructions: UInt64, processed: UInt64 = 0, totalStates: UInt64 = 0, peakStates: UInt64 = 0,
        stack: UInt64 = 0, nanoseconds: UInt64 = 0
    ) {
        self.name = name
        self.instructions = instructions
        self.processed = processed
        self.totalStates = totalStates
        self.peakStates = peakStates
        self.stack = stack
        self.nanoseconds = nanoseconds
    }
}

package struct StepEnd: Hashable, Sendable {
    package var step: String
    package var subject: String
    package var isSuccess: Bool
    /// One sentence where it did not succeed, else empty.
    package var message: String
    package var nanoseconds: UInt64

    package init(
        step: String, subject: String = "", isSuccess: Bool = true, message: String = "", nanoseconds: UInt64 = 0
    ) {
        self.step = step
        self.subject = subject
        self.isSuccess = isSuccess
        self.message = message
        self.nanoseconds = nanoseconds
    }
}

/// A figure: `latency.first-run.max` of a load, with its 95 % interval where there is one.
package struct TrialMeasurement: Hashable, Sendable {
    package var name: String
    package var subject: String
    package var value: Double
    package var unit: String
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

/// A check that the candidate did not pass.
package struct Violation: Hashable, Sendable {
    package enum Severity: String, Hashable, CaseIterable, Sendable {
        /// The candidate is refused.
        case error
        case warning
        case note
    }

    /// A check of the catalogue, such as `starvation` or `verifier`.
    package var check: String
    package var severity: Severity
    /// One sentence.
    package var message: String
    /// The load, or the program, in which it was seen; may be empty.
    package var load: String
    /// More: log, figures, how to see it again.
    package var detail: String
    /// The place in the scheduler's source; empty and 0 where unknown.
    package var file: String
    package var line: Int
    package var text: String

    package init(
        check: String, severity: Severity = .error, message: String, load: String = "", detail: String = "",
        file: String = "", line: Int = 0, text: String = ""
    ) {
        self.check = check
        self.severity = severity
        self.message = message
        self.load = load
        self.detail = detail
        self.file = file
        self.line = line
        self.text = text
    }
}
