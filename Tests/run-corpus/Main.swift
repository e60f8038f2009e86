// run-corpus: judges every scheduler of Tests/Corpus, and the kernel's own where they were built, with the verifier, and
// compares what it says with what was planted. Run by scripts/test corpus, as any user; the stages after static boot
// micro-VMs. It writes nothing but its output.

import ArgumentParser
import FoundationEssentials
import Glibc
import Model
import Verifier

@main
struct RunCorpus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run-corpus", abstract: "Runs the corpus of flawed and good schedulers through the verifier.",
        discussion: "Exit status 0: every promise holds. 1: one does not. 64: wrong usage.")

    @Option(help: "The folder with flawed/, good/ and kernel.tsv.")
    var corpus = "Tests/Corpus"

    @Option(help: "The folder of the schedulers that are installed.")
    var shipped = "bpf"

    @Option(help: "What scripts/kernel-corpus printed; without it the kernel's own schedulers are left out.")
    var kernelObjects: String?

    @Option(help: "A kernel image instead of the host's or the lab's.")
    var kernel: String?

    @Flag(help: "Compile and static stages only: no micro-VM.")
    var staticOnly = false

    @Option(help: ArgumentHelp("Only schedulers whose name holds one of these words.", valueName: "word"))
    var filter: [String] = []

    @Option(help: "How many candidates are compiled and analysed at a time.")
    var jobs = 2

    @Option(help: "How many micro-VMs run at a time.")
    var machines = 1

    @Flag(help: "One JSON object for each scheduler, and nothing else.")
    var json = false

    @Flag(help: "Print the table of classes and stages as Markdown.")
    var markdown = false

    @Flag(help: "Answer from this user's evidence what was asked before.")
    var evidence = false

    mutating func run() async throws {
        var cases = try CorpusFolder(path: corpus, shipped: shipped).cases()
        if let kernelObjects {
            cases += try KernelTable(path: corpus + "/kernel.tsv").cases(objects: kernelObjects)
        }
        if !filter.isEmpty {
            let words = filter
            cases = cases.filter { entry in words.contains { entry.name.contains($0) } }
        }
        guard !cases.isEmpty else { throw ValidationError("there is no scheduler to judge in \(corpus)") }
        let quiet = json
        let runner = Runner(
            verifier: Verifier(configuration: evidence ? .ofUser : VerifierConfiguration()),
            choice: kernel.map { .image($0) } ?? .automatic, staticOnly: staticOnly, mayUseEvidence: evidence,
            jobs: max(1, jobs), machines: max(1, machines),
            progress: { if !quiet { Console.write($0.line) } })
        let outcomes = await runner.run(cases)
        if json {
            for outcome in outcomes { try Console.write(outcome.json()) }
        }
        let summary = Summary(outcomes, staticOnly: staticOnly, isPartial: !filter.isEmpty)
        if !json { Console.write(markdown ? summary.markdown : summary.text) }
        if !summary.brokenPromises.isEmpty { throw ExitCode(1) }
    }
}

enum Console {
    /// A line on standard output, at once: whoever reads a file or a pipe wants to see how far it is.
    static func write(_ line: String) {
        print(line)
        fflush(nil)
    }
}
