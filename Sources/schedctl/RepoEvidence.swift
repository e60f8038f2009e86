import ArgumentParser
import Client
import Foundation
import Linux
import Model
import SwiftProtobuf
import Wire

struct RepoRecord: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Record an effect that you measured.",
        discussion: """
            FILE is the message Outcome of schedcp.proto as JSON. It is kept and shown as reported, and promotes nothing: only
            what SchedCP measured itself is evidence. The same id again changes nothing, so it may be repeated.

            EXAMPLES:
              schedctl repo record outcome.json
              schedctl repo record - <<'JSON'
              {"id": "build-42", "entry": "ljf@1.0.0", "metric": "makespan", "better": "lower", "baseline": "default",
               "ratio": 0.72, "low": 0.7, "high": 0.75, "runs": 10, "kernel": "7.3.4", "trial": "build-42",
               "workload": {"workload_class": "batch"}, "machine": {"architecture": "x86_64", "cpus": 8}}
              JSON
            """)
    @Argument(help: ArgumentHelp("The outcome; - for standard input.", valueName: "file"), completion: .file())
    var file: String
    @OptionGroup var options: CommonOptions

    func run() async throws {
        let request = try options.reading { () throws(Failure) in
            let bytes = try SmallFile.read(file == "-" ? "/dev/stdin" : file, limit: 1 << 20, what: "an outcome")
            var request = WireOutcomeRequest()
            do { request.outcome = try WireOutcome(jsonUTF8Bytes: bytes) } catch {
                throw Failure(
                    .malformed, "the outcome cannot be read: \("\(error)".escapedForDisplay(limit: 200))",
                    hint: "schedctl repo record --help shows one")
            }
            return request
        }
        try await options.run { client throws(Failure) in
            let reply = try await RepoClient(client).change(.outcome(request))
            if options.json { return options.printJSON(reply) }
            let key = Terminal.oneLine("\(reply.entry.name)@\(reply.entry.version)")
            print(reply.new ? "recorded for \(key)" : "\(key) has it already; nothing was changed")
        }
    }
}

/// Code with its parameters, or an entry.
struct TriedOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The source that was tried.", valueName: "file"), completion: .file()) var source:
        String?
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("A parameter that it was tried with; may be repeated.", valueName: "name=value"))
    var param: [String] = []

    func settings() throws(Failure) -> [WireSetting] {
        try param.map { text throws(Failure) in WireSetting(try SchedulerArguments.setting(text)) }
    }

    func file() throws(Failure) -> WireSourceFile? {
        guard let source else { return nil }
        var file = WireSourceFile()
        file.name = URL(filePath: source).lastPathComponent
        file.code = Data(try SmallFile.read(source, limit: 256 << 10, what: "a source"))
        return file
    }
}

struct RepoAntipatterns: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "antipatterns",
        abstract: "What was tried and failed, so that it is not tried again.",
        discussion: """
            With --source, whether this very code with these parameters failed before: comments and spacing do not count.

            EXAMPLES:
              schedctl repo antipatterns
              schedctl repo antipatterns --base ljf
              schedctl repo antipatterns --source mine.bpf.c --param slice_us=5000
            """)
    @Option(help: ArgumentHelp("Only what was derived from this name.", valueName: "name")) var base: String?
    @OptionGroup var tried: TriedOptions
    @Option(name: .shortAndLong, help: "How many.") var limit: UInt32?
    @OptionGroup var options: CommonOptions

    func run() async throws {
        let request = try options.reading { () throws(Failure) in
            guard base == nil || tried.source == nil else {
                throw Failure(.invalidArgument, "--base and --source ask different questions: give one of them")
            }
            guard tried.source != nil || tried.param.isEmpty else {
                throw Failure(.invalidArgument, "--param belongs to a --source")
            }
            var request = WireAntipatternsRequest()
            if let file = try tried.file() { request.what = .source(file) }
            if let base { request.what = .base(base) }
            request.parameters = try tried.settings()
            request.limit = limit ?? 0
            return request
        }
        try await options.run { client throws(Failure) in
            let result = try await client.call(.antipatterns(request))
            guard case .antipatterns(let list) = result else { throw SchedClient.unexpected(result) }
            if options.json { return options.printJSON(list) }
            if list.antipatterns.isEmpty {
                return ThisProcess.complain(
                    tried.source == nil ? "nothing is known to fail\n" : "this is not known to fail\n")
            }
            print(RepoText.antipatterns(list.antipatterns))
        }
    }
}

struct RepoFailed: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failed",
        abstract: "Report that something was tried and failed.",
        discussion: """
            It is remembered by the code, without comments and spacing, and its parameters.

            EXAMPLES:
              schedctl repo failed --source mine.bpf.c --stage dynamic --reason 'tasks starve' --attempt 'one queue a core' --base ljf
              schedctl repo failed --entry ljf@1.0.0 --param slice_us=100 --stage measured --class interactive --reason 'p99 doubles'
            """)
    @Option(help: ArgumentHelp("An entry of the repository, name@version.", valueName: "entry")) var entry: String?
    @OptionGroup var tried: TriedOptions
    @Option(help: "Where: a stage of verification, canary, or measured.") var stage: String
    @Option(help: "Why.") var reason: String
    @Option(help: "What was tried, in words.") var attempt = ""
    @Option(name: .customLong("class"), help: "For which class of workload (default: for every one).")
    var workloadClass = ""
    @Option(help: ArgumentHelp("The name of what it was derived from.", valueName: "name")) var base = ""
    @OptionGroup var options: CommonOptions

    func run() async throws {
        let request = try options.reading { () throws(Failure) in
            guard (entry == nil) != (tried.source == nil) else {
                throw Failure(.invalidArgument, "say what failed: --entry or --source, and not both")
            }
            var report = WireFailureReport()
            if let entry { report.what = .entry(entry) }
            if let file = try tried.file() { report.what = .source(file) }
            report.parameters = try tried.settings()
            (report.stage, report.reason, report.attempt) = (stage, reason, attempt)
            (report.workloadClass, report.base) = (workloadClass, base)
            return report
        }
        try await options.run { client throws(Failure) in
            let reply = try await RepoClient(client).change(.antipattern(request))
            if options.json { return options.printJSON(reply) }
            print(reply.new ? "it is remembered" : "that was known already; it is counted once more")
        }
    }
}
