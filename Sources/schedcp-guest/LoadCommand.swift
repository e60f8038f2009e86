import GuestProtocol
import Kernel
import Linux
import Model

/// `trial load`: the kernel's own verifier judges the candidate. Nothing is attached.
struct LoadCommand {
    /// Bytes of one program's log that are told, its end.
    static let longestLog = 256 * 1024

    let candidate: Candidate
    let emit: (TrialRecord) -> Void

    func run() -> TrialRecord.Verdict {
        emit(.began(step: "load", subject: ""))
        let start = Linux.Clock.monotonic()
        func elapsed() -> UInt64 { UInt64(clamping: Linux.Clock.monotonic() - start) }
        do throws(Failure) {
            let loaded = try candidate.load(
                abi: try KernelABI.read(), topology: .read(), detail: candidate.everything ? .everything : .figures)
            emit(.ended(StepEnd(step: "load", nanoseconds: elapsed())))
            for program in loaded.verified { tell(program) }
            return .passed
        } catch {
            emit(.ended(StepEnd(step: "load", isSuccess: false, message: error.message, nanoseconds: elapsed())))
            return refused(error)
        }
    }

    private func tell(_ program: VerifiedProgram) {
        let figures = program.figures
        emit(
            .program(
                ProgramFigures(
                    name: program.name, instructions: UInt64(program.instructions), processed: figures.processed,
                    totalStates: figures.totalStates, peakStates: figures.peakStates, stack: figures.stack,
                    nanoseconds: figures.nanoseconds)))
        tellLog(program.name, program.log)
    }

    private func tellLog(_ program: String, _ log: String) {
        let bytes = log.utf8
        let end =
            bytes.count > Self.longestLog
            ? "[…]\n" + String(decoding: bytes.suffix(Self.longestLog), as: UTF8.self) : log
        emit(.verifierLog(program: program, text: end))
    }

    /// Whose fault it is decides the verdict.
    private func refused(_ failure: Failure) -> TrialRecord.Verdict {
        switch failure.code {
        case .verifierRefused, .malformedObject, .invalidArgument, .attachFailed: break
        default:
            emit(.violation(Violation(check: "guest", message: failure.description, detail: failure.detail)))
            return .unable
        }
        guard let complaint = VerifierComplaint(failure) else {
            emit(
                .violation(
                    Violation(
                        check: Self.check(of: failure.code), message: failure.description,
                        detail: failure.detail)))
            return .failed
        }
        tellLog(complaint.program, complaint.log)
        emit(
            .violation(
                Violation(
                    check: "verifier",
                    message: "the kernel's verifier refuses '\(complaint.program)': \(complaint.reason)",
                    load: complaint.program, detail: complaint.tail, file: complaint.file, line: complaint.line,
                    text: complaint.text)))
        return .failed
    }

    private static func check(of code: Failure.Code) -> String {
        switch code {
        case .malformedObject: "object"
        case .invalidArgument: "parameter"
        default: "verifier"
        }
    }
}
