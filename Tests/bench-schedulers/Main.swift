// bench-schedulers: boots the lab's system without systemd, and compares schedulers with the kernel's default there, in
// pairs within one boot. bench-load does the work in the machine; this side asks for it and does the statistics. Run by
// scripts/bench schedulers, which makes the payload; never installed.

import ArgumentParser
import BenchReport
import FoundationEssentials
import Linux
import MicroVM

@main
struct BenchSchedulers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-schedulers", abstract: "Compares schedulers with the kernel's default.",
        subcommands: [Compare.self, HotPathCommand.self], defaultSubcommand: Compare.self)
}

struct MachineOptions: ParsableArguments {
    @Option(help: "The folder with the lab's recipe.")
    var lab: String

    @Option(help: "The tar file with the agent as init, bench-load and what the loads need.")
    var payload: String

    @Option(help: "The folder with the schedulers' objects.")
    var objects: String

    @Option(help: "Pairs of each load.")
    var runs = 5

    @Option(help: "Of the usual length of a load.")
    var percent = 100

    @Option(help: "Where the machine's console is written to.")
    var console: String?
}

struct Compare: AsyncParsableCommand {
    @OptionGroup var machine: MachineOptions

    @Option(help: "Only these schedulers.")
    var filter: [String] = []

    @Option(help: "Only these loads, also ones that a scheduler is not for.")
    var load: [String] = []

    @Flag(help: "Only the load that each scheduler is for.")
    var own = false

    @Option(help: "CPUs of the machine for all loads (default: 2, and 4 for those that need more).")
    var cpus: Int?

    @Option(help: "A parameter for every scheduler that is measured: NAME=VALUE.")
    var param: [String] = []

    @Option(help: "Write everything that was measured to this file as JSON.")
    var json: String?

    @Option(help: "Write an outcome for each row to this folder, for `schedctl repo record`.")
    var outcomes: String?

    @Option(help: "Do everything in so many boots: each counts as one pair, the mean of its own.")
    var boots = 1

    @Option(help: "The folder with the schedulers' descriptions, for their versions.")
    var descriptions = "bpf"

    @Flag(help: "Print the table as Markdown.")
    var markdown = false

    func run() async throws {
        let unknown = load.filter { word in !LoadCase.all.contains { $0.name == word } }
        guard unknown.isEmpty else {
            throw ValidationError("no load \(unknown); there are \(LoadCase.all.map(\.name).joined(separator: ", "))")
        }
        guard boots > 0 else { throw ValidationError("--boots is 1 at least") }
        var failures: [String] = []
        var measured: [Measured] = []
        let bench = BenchMachine(options: machine)
        let trial = "bench-\(Linux.Clock.realtime() / 1_000_000_000)"
        for boot in 0..<boots {
            for (shape, jobs) in try plan(bench) {
                try await bench.run(jobs, shape) { job, outcome in
                    let samples = boots > 1 ? outcome.samples.asOnePair(boot) : outcome.samples
                    let new = Measured(
                        scheduler: job.scheduler, shape: shape, kernel: outcome.kernel, samples: samples)
                    failures += outcome.failures.map { "\(job.scheduler): \($0)" }
                    let place = measured.take(new)
                    note(Table(measured[place].rows, purpose: LoadCase.purposes).text)
                    try write(measured, trial: trial)
                }
            }
        }
        let rows = measured.flatMap(\.rows).enumerated().sorted {
            ($0.element.scheduler, $0.offset) < ($1.element.scheduler, $1.offset)
        }.map(\.element)
        let table = Table(rows, purpose: LoadCase.purposes)
        print((markdown ? table.markdown : table.text) + "\n")
        print(table.summary)
        for failure in failures { print("failed: " + failure) }
        if rows.isEmpty || !failures.isEmpty { throw ExitCode(1) }
    }

    /// All that is known so far, into the files that were asked for.
    private func write(_ measured: [Measured], trial: String) throws {
        if let json { try JSONRecord.write(measured.flatMap(\.records), to: json) }
        guard let outcomes else { return }
        for it in measured {
            try OutcomeFile.write(
                it.rows, shape: it.shape, kernel: it.kernel, descriptions: descriptions, trial: trial, to: outcomes)
        }
    }

    /// The schedulers of a folder whose names are asked for; all where none is.
    static func schedulers(in objects: String, _ filter: [String]) throws -> [String] {
        let files = try FileManager.default.contentsOfDirectory(atPath: objects).sorted()
        let all = files.filter { $0.hasSuffix(".bpf.o") }.map { String($0.dropLast(6)) }
        let chosen = filter.isEmpty ? all : all.filter { filter.contains($0) }
        let missing = filter.filter { !all.contains($0) }
        guard missing.isEmpty, !chosen.isEmpty else { throw ValidationError("no scheduler \(missing) in \(objects)") }
        return chosen
    }

    /// What is done in which machines: one boot for all that need the same.
    private func plan(_ bench: BenchMachine) throws -> [(shape: Shape, jobs: [BenchMachine.Job])] {
        var loads: [(shape: Shape, scheduler: String, names: [String])] = []
        for scheduler in try Self.schedulers(in: machine.objects, filter) {
            for load in LoadCase.loads(for: scheduler, named: load, onlyOwn: own) {
                let shape = Shape(cpus: cpus ?? load.cpus ?? 2, kernelArguments: load.kernelArguments)
                if let index = loads.firstIndex(where: { $0.shape == shape && $0.scheduler == scheduler }) {
                    loads[index].names.append(load.name)
                } else {
                    loads.append((shape, scheduler, [load.name]))
                }
            }
        }
        var plan: [(shape: Shape, jobs: [BenchMachine.Job])] = []
        for (shape, scheduler, names) in loads {
            let job = try bench.job(scheduler, names, parameters: param)
            if let index = plan.firstIndex(where: { $0.shape == shape }) {
                plan[index].jobs.append(job)
            } else {
                plan.append((shape, [job]))
            }
        }
        return plan
    }
}

/// What all boots of a machine say about a scheduler.
struct Measured: Sendable {
    var scheduler: String
    var shape: Shape
    var kernel: String
    var samples: [GuestLine.Sample]

    var rows: [Row] { Row.rows(scheduler, samples) }
    var records: [JSONRecord] { rows.map { JSONRecord($0, shape: shape, kernel: kernel) } }
}

extension [Measured] {
    /// Adds what another boot measured; where it is now.
    mutating func take(_ new: Measured) -> Int {
        if let place = firstIndex(where: { $0.scheduler == new.scheduler && $0.shape == new.shape }) {
            self[place].samples += new.samples
            return place
        }
        append(new)
        return count - 1
    }
}

/// A machine.
struct Shape: Hashable, Sendable {
    var cpus: Int
    var kernelArguments: [String] = []
}

/// Progress.
func note(_ text: String) { try? HostFile.write(Array((text + "\n").utf8)[...], to: 2) }
