import ArgumentParser
import Client
import Exchange
import Foundation
import Linux
import Model
import Wire

struct Repo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The policy repository: what is in it, what was measured, and its exchange with other machines.",
        discussion: """
            An entry is written NAME@VERSION; NAME alone is its newest version.

            EXAMPLES:
              schedctl repo list --status proven
              schedctl repo show ljf --source
              schedctl repo export ljf vtime -o policies
              schedctl repo import policies
              schedctl repo push ljf registry.example/team/ljf
              schedctl repo pull registry.example/team/ljf
            """,
        subcommands: [
            RepoList.self, RepoShow.self, RepoOutcomes.self, RepoExport.self, RepoImport.self, RepoPush.self,
            RepoPull.self, RepoRecord.self, RepoAntipatterns.self, RepoFailed.self,
        ])
}

struct RepoList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The entries, in the order in which they were added.",
        discussion: """
            EXAMPLES:
              schedctl repo list
              schedctl repo list --kind scheduler --status verified --status proven
              schedctl repo list --feature hints.process --all-versions
              schedctl repo list --json | jq -r '.entries[].name'
            """)
    @OptionGroup(title: "Filter") var filter: SearchFilter
    @Option(name: .shortAndLong, help: "At most so many.") var limit: Int = 10_000
    @OptionGroup var options: CommonOptions

    func run() async throws {
        let wanted = try options.reading { () throws(Failure) in
            guard limit > 0 else { throw Failure(.invalidArgument, "--limit \(limit) asks for nothing") }
            return try filter.read()
        }
        try await options.run { client throws(Failure) in
            let list = try await RepoClient(client).entries(wanted, limit: limit)
            if options.json { return options.printJSON(list) }
            if list.entries.isEmpty { return ThisProcess.complain("nothing matches\n") }
            print(RepoText.list(list.entries))
            if list.more { ThisProcess.complain("more follow: --limit shows them\n") }
        }
    }
}

struct RepoShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "One entry: what it is, where it comes from, its evidence, and how its status came about.",
        discussion: """
            EXAMPLES:
              schedctl repo show ljf
              schedctl repo show ljf@1.0.0 --json
              schedctl repo show ljf --source > ljf.bpf.c
            """)
    @Argument(help: RepoText.keyHelp, completion: .custom(RepositoryCompletion.names)) var entry: String
    @Flag(help: "Print its source, and nothing else.") var source = false
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            let reply = try await RepoClient(client).entry(entry, source: source)
            if options.json { return options.printJSON(reply) }
            guard source else { return print(RepoText.entry(reply)) }
            guard reply.hasSource else {
                throw Failure(.notFound, "the repository has no source of \(reply.entry.name)@\(reply.entry.version)")
            }
            let text = String(decoding: reply.source.code, as: UTF8.self)
            // On a terminal nothing of it is obeyed; a file gets it as it is.
            print(
                ThisProcess.isTerminal(.output) ? Terminal.safe(text) : text,
                terminator: text.hasSuffix("\n") ? "" : "\n")
        }
    }
}

struct RepoOutcomes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outcomes",
        abstract: "What was measured of an entry, newest first.",
        discussion: """
            EXAMPLES:
              schedctl repo outcomes ljf
              schedctl repo outcomes ljf@1.0.0 --json | jq '.outcomes[] | {metric, ratio, low, high}'
            """)
    @Argument(help: RepoText.keyHelp, completion: .custom(RepositoryCompletion.names)) var entry: String
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            let reply = try await RepoClient(client).entry(entry)
            if options.json {
                // Nothing else of the entry: the message with only these.
                var rest = WireEntryReply()
                (rest.entry, rest.outcomes) = (reply.entry, reply.outcomes)
                return options.printJSON(rest)
            }
            if reply.outcomes.isEmpty { return ThisProcess.complain("nothing was measured of it yet\n") }
            print(RepoText.outcomes(reply.outcomes))
        }
    }
}

extension CommonOptions {
    /// As `run`, without a daemon.
    func runAlone(_ body: () async throws(Failure) -> Void) async throws {
        do { try await body() } catch {
            report(error)
            throw ExitCode(error.exitStatus)
        }
    }
}
