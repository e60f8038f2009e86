// bench-verify: how long each stage of verification takes. For the schedulers that are shipped and for one of a thousand
// lines that is made up at run time; with nothing known before (cold), again (warm), and answered from evidence. Run by
// scripts/bench verify. Writes into temporary folders only.

import ArgumentParser
import FoundationEssentials
import Model
import Verifier

@main
struct BenchVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-verify", abstract: "Measures the stages of verification.")

    @Option(help: "The folder with the shipped schedulers' sources.")
    var schedulers = "bpf"

    @Option(help: "Only schedulers whose name holds one of these words; the generated one is 'generated'.")
    var filter: [String] = []

    @Option(help: "How often each is measured.")
    var runs = 5

    @Option(help: "quick or full.")
    var effort = "quick"

    @Flag(help: "Compile and static stages only: no micro-VM.")
    var staticOnly = false

    @Option(help: "Lines of the generated scheduler, at least.")
    var lines = 1000

    @Flag(help: "Print the generated scheduler and do nothing else.")
    var showGenerated = false

    @Flag(help: "Print the table as Markdown.")
    var markdown = false

    mutating func run() async throws {
        let generated = GeneratedScheduler(lines: lines)
        if showGenerated { return print(generated.text) }
        guard let effort = Effort(rawValue: effort) else { throw ValidationError("--effort is quick or full") }
        var sources = try shipped() + [(name: "generated.bpf.c", bytes: Array(generated.text.utf8))]
        if !filter.isEmpty {
            let words = filter
            sources = sources.filter { source in words.contains { source.name.contains($0) } }
        }
        let last = staticOnly ? VerificationStage.static : .dynamic
        var table = Table(stages: VerificationStage.allCases.filter { $0 != .simulate && $0 <= last })
        for source in sources {
            var request = VerificationRequest(.source(name: source.name, bytes: source.bytes))
            request.effort = effort
            request.lastStage = last
            request.promises = DescriptionPromises.beside("\(schedulers)/\(source.name)")
            let bench = Bench(request: request, runs: max(1, runs))
            for (state, reports) in try await bench.measure() {
                table.add(source.name, lines: source.bytes.count { $0 == UInt8(ascii: "\n") }, state, reports)
            }
        }
        print(markdown ? table.markdown : table.text)
        if table.hasFailures { throw ExitCode(1) }
    }

    private func shipped() throws -> [(name: String, bytes: [UInt8])] {
        try FileManager.default.contentsOfDirectory(atPath: schedulers).filter { $0.hasSuffix(".bpf.c") }.sorted().map {
            guard let bytes = FileManager.default.contents(atPath: schedulers + "/" + $0) else {
                throw ValidationError("\(schedulers)/\($0) cannot be read")
            }
            return ($0, [UInt8](bytes))
        }
    }
}
