import ArgumentParser
import BenchReport
import Linux
import MicroVM

/// What the operations of each scheduler cost beside those of the kernel's example scx_simple.
struct HotPathCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hotpath", abstract: "Compares the cost of operations with the kernel's example scx_simple.")

    @OptionGroup var machine: MachineOptions

    @Option(help: "The object of scx_simple.")
    var reference: String

    @Option(help: "Only these schedulers.")
    var filter: [String] = []

    @Flag(help: "Print the table as Markdown.")
    var markdown = false

    static let metrics = ["enqueue+dispatch", "enqueue", "dispatch", "select_cpu", "running", "stopping", "switch"]

    /// scx_simple in its two orders, which make two different loads of one: who sleeps is soon served by virtual time, and
    /// waits for whole slices where the first to come is the first to be served. And once more, for what noise alone shows.
    static let references = [
        (name: "simple-vtime", settings: ""), (name: "simple-fifo", settings: ",fifo_sched=1"),
        (name: "simple-again", settings: ""),
    ]
    /// These let a task that slept wait for its turn, with slices of scx_simple's length.
    static let inOrder: Set = ["compact", "fifo", "gang", "ljf", "tickless"]

    func run() async throws {
        let names = try Compare.schedulers(in: machine.objects, filter)
        let bench = BenchMachine(options: machine)
        var files = ["/reference.bpf.o": try HostFile.bytes(reference)]
        for name in names { files["/\(name).bpf.o"] = try HostFile.bytes("\(machine.objects)/\(name).bpf.o") }
        var words = ["hotpath", "--runs", "\(machine.runs)", "--percent", "\(machine.percent)"]
        words += Self.references.map { "\($0.name)=/reference.bpf.o\($0.settings)" }
        words += names.map { "\($0)=/\($0).bpf.o" }
        let seconds = 60 + (names.count + Self.references.count) * (machine.runs + 1) * 10
        let job = BenchMachine.Job(scheduler: "hotpath", words: words, files: files, limit: .seconds(seconds))
        var outcome = BenchMachine.Outcome()
        try await bench.run([job], Shape(cpus: 2)) { outcome = $1 }
        let compared = names + ["simple-again"]
        let rows = compared.flatMap { name in Self.metrics.compactMap { Self.row(name, $0, outcome.samples) } }
        let table = Table(rows, purpose: [:], reference: "simple's")
        print(markdown ? table.markdown : table.text)
        for name in Self.references.map(\.name) + names {
            let calls = ["select_cpu_calls", "enqueue_calls", "dispatch_calls"].map { metric in
                "\(metric.dropLast(6)) \(Row.fixed(Self.mean(name, metric, outcome.samples), 2))"
            }
            print("\(name): calls for each switch of tasks: \(calls.joined(separator: ", "))")
        }
        for failure in outcome.failures { print("failed: " + failure) }
        if rows.isEmpty || !outcome.failures.isEmpty { throw ExitCode(1) }
    }

    private static func row(_ name: String, _ metric: String, _ samples: [GuestLine.Sample]) -> Row? {
        func values(_ load: String) -> [Int: Double] {
            let own = samples.filter { $0.load == load && $0.metric == metric }
            return Dictionary(own.map { ($0.pair, $0.value) }, uniquingKeysWith: { $1 })
        }
        let beside = inOrder.contains(name) ? "simple-fifo" : "simple-vtime"
        let (own, reference) = (values(name), values(beside))
        let pairs = own.sorted { $0.key < $1.key }.compactMap { pair, value in
            reference[pair].map { (candidate: value, other: $0) }
        }
        return Row.row(name, "beside \(beside)", Metric(name: metric, unit: "ns", higherIsBetter: false), pairs)
    }

    private static func mean(_ name: String, _ metric: String, _ samples: [GuestLine.Sample]) -> Double {
        let own = samples.filter { $0.load == name && $0.metric == metric }.map(\.value)
        return own.isEmpty ? 0 : own.reduce(0, +) / Double(own.count)
    }
}
