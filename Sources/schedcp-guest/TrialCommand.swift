import GuestProtocol
import Kernel
import Linux

/// `schedcp-guest trial …`: one part of the trial of a candidate, told as lines on standard output. What is the same for
/// all parts is here: which kernel it is, what the kernel's log says meanwhile, and that the last record is the verdict.
enum TrialCommand {
    static let usage = """
        Usage: schedcp-guest trial load OBJECT [--param NAME=VALUE]... [--hints FILE] [--everything]
               schedcp-guest trial dynamic OBJECT --effort quick|full --shape NAME [--param NAME=VALUE]... [--hints FILE]
               schedcp-guest trial identify

        Tries a scheduler on this kernel and writes what came of it as records, one a line. For a virtual machine only:
        it attaches schedulers and torments the machine.
          load         what the kernel's verifier says of it
          dynamic      how it behaves under load
          identify     only which kernel this is
          --param      a parameter of the scheduler, a constant in its .rodata
          --hints      lines MAP KEY NANOSECONDS, the key in hexadecimal, for the scheduler's maps of hints
          --everything let the verifier write down every path, not only the last one
        """

    /// Gives the exit status: 0 when the verdict was said, whatever it is.
    static func run(_ arguments: [String]) -> CInt {
        guard let command = arguments.first else { return misused() }
        let rest = Array(arguments.dropFirst())
        let output = RecordWriter()
        let log = KernelLogReader()
        output.write(.kernel(release: GuestSystem.kernelRelease, build: KernelNotes.buildID ?? ""))
        let verdict: TrialRecord.Verdict
        switch command {
        case "load":
            guard let candidate = Candidate(rest) else { return misused() }
            verdict = LoadCommand(candidate: candidate, emit: output.write).run()
        case "dynamic":
            guard let candidate = Candidate(rest), let options = DynamicCommand.options(candidate.options) else {
                return misused()
            }
            verdict = DynamicCommand(candidate: candidate, emit: output.write).run(options)
        case "identify": verdict = .passed
        default: return misused()
        }
        for line in log.newLines() { output.write(.kernelLog(line)) }
        output.write(.done(verdict))
        return output.isWhole ? 0 : 1
    }

    private static func misused() -> CInt {
        Console.write(usage + "\n", toErrors: true)
        return 64
    }
}

/// Records to standard output. A host that is gone is no reason to fail in the middle of a load; the end says so.
final class RecordWriter {
    private(set) var isWhole = true

    func write(_ record: TrialRecord) {
        guard isWhole else { return }
        do throws(SystemError) {
            try HostFile.write(TrialReport.lines(for: record)[...], to: 1)
        } catch { isWhole = false }
    }
}
