// bench-load: puts the same load on the kernel's default scheduler and on a candidate in turn, inside a virtual machine,
// and writes what it measured as lines on standard output. Run by bench-schedulers on the host; never installed. Attaches
// schedulers, so it is only for a machine that is thrown away. One process with one thread makes all the others.

import Glibc
import Linux

@main
enum BenchLoad {
    static let usage = """
        Usage: bench-load OBJECT --loads NAME,… [--runs N] [--percent N] [--param NAME=VALUE]…
                          [--hint LOAD:PROCESS=NANOSECONDS]…
               bench-load hotpath --runs N [--percent N] LABEL=OBJECT[,NAME=VALUE]…
               bench-load list

        Lines: `sample LOAD PAIR default|scheduler METRIC VALUE`, `failed LOAD TEXT`, `note LOAD TEXT`, and `done` at the end.

        """

    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        if words == ["list"] { return Report.write(Catalogue.all.map(\.name).joined(separator: "\n") + "\n") }
        guard let plan = Plan(words) else {
            Report.write(usage, toErrors: true)
            exit(64)
        }
        // The conductor has to begin and to end a load on time whatever runs; what it makes begins as ordinary tasks.
        guard Worker.set(.fifo, priority: 20, reset: true) else {
            Report.write("bench-load: it cannot become a real-time task\n", toErrors: true)
            exit(1)
        }
        Worker.adoptOrphans()
        do {
            switch plan.kind {
            case .series: try Series(plan: plan).run()
            case .hotPath: try HotPath(plan: plan).run()
            }
            Report.write("done\n")
        } catch {
            Report.write("bench-load: \(error)\n", toErrors: true)
            exit(1)
        }
    }
}

/// Lines for the host.
enum Report {
    static func write(_ text: String, toErrors: Bool = false) {
        try? HostFile.write(Array(text.utf8)[...], to: toErrors ? 2 : 1)
    }

    static func sample(_ load: String, pair: Int, side: Side, _ figure: Figure) {
        write("sample \(load) \(pair) \(side.rawValue) \(figure.metric) \(figure.value)\n")
    }

    static func failed(_ load: String, _ text: String) { write("failed \(load) \(oneLine(text))\n") }
    static func note(_ load: String, _ text: String) { write("note \(load) \(oneLine(text))\n") }

    private static func oneLine(_ text: String) -> String { String(text.map { $0.isNewline ? " " : $0 }) }
}

/// Who schedules.
enum Side: String {
    case standard = "default"
    case scheduler
}

/// Something that a load measured.
struct Figure {
    var metric: String
    var value: Double

    init(_ metric: String, _ value: Double) {
        self.metric = metric
        self.value = value
    }
}
