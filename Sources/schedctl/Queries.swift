import ArgumentParser
import Client
import Linux
import Model
import Wire

struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What the kernel runs now, and what SchedCP knows of it.",
        discussion: """
            Everything about the kernel is read from /sys/kernel/sched_ext for this answer.

            EXAMPLES:
              schedctl status
              schedctl status --json | jq -r .kernel.ops
            """)
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            let result = try await client.call(.status(WireStatusRequest()))
            guard case .status(let status) = result else { throw SchedClient.unexpected(result) }
            options.json ? options.printJSON(status) : print(Text.status(status))
        }
    }
}

struct Rollback: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Give the machine back to the kernel's default scheduler.",
        discussion: """
            EXAMPLE:
              schedctl rollback
            """)
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            let result = try await client.call(.rollback(WireRollbackRequest()))
            guard case .deployment(let deployment) = result else { throw SchedClient.unexpected(result) }
            if options.json { return options.printJSON(deployment) }
            print(
                "\(Terminal.safe(deployment.ops)) (deployment \(deployment.id)) is rolled back; the kernel's default scheduler runs"
            )
        }
    }
}

struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The schedulers of the repository.",
        discussion: """
            EXAMPLE:
              schedctl list
            """)
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            let result = try await client.call(.list(WireListRequest()))
            guard case .list(let list) = result else { throw SchedClient.unexpected(result) }
            if options.json { return options.printJSON(list) }
            print(
                Terminal.table(
                    [["NAME", "VERSION", "WHAT IT DOES"]]
                        + list.schedulers.map { [$0.name, $0.version, $0.summary].map(Terminal.oneLine) }))
        }
    }
}

struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "One scheduler: what it does, its parameters and hints.",
        discussion: """
            EXAMPLE:
              schedctl show ljf
            """)
    @Argument(help: "A scheduler's name.", completion: .custom(RepositoryCompletion.names)) var name: String
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            var request = WireShowRequest()
            request.name = name
            let result = try await client.call(.show(request))
            guard case .show(let scheduler) = result else { throw SchedClient.unexpected(result) }
            options.json ? options.printJSON(scheduler) : print(Text.scheduler(scheduler))
        }
    }
}

struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Past deployments, the newest first, and how each ended.",
        discussion: """
            EXAMPLES:
              schedctl history
              schedctl history --limit 100 --json
              schedctl history 12               one deployment, with the debug dump of its end
            """)
    @Argument(help: "Only this deployment, whole.") var id: UInt64?
    @Option(name: .shortAndLong, help: "How many.") var limit: UInt32 = 20
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            var request = WireHistoryRequest()
            request.limit = limit
            request.id = id ?? 0
            let result = try await client.call(.history(request))
            guard case .history(let list) = result else { throw SchedClient.unexpected(result) }
            if options.json { return options.printJSON(list) }
            print(id == nil ? Text.history(list.deployments) : list.deployments.map(Text.whole).joined())
        }
    }
}

struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What happened to the machine's scheduler since schedcpd started.",
        discussion: """
            EXAMPLES:
              schedctl events
              schedctl events --follow
              schedctl events --follow --json | jq -c '{kind, message}'
            """)
    @Flag(name: .shortAndLong, help: "Wait for more, until interrupted.") var follow = false
    @OptionGroup var options: CommonOptions

    func run() async throws {
        try await options.run { client throws(Failure) in
            ThisProcess.bufferOutputByLine()
            let stream = try await client.events(follow: follow)
            do {
                for try await event in stream {
                    if options.json { options.printJSON(event) } else { print(Text.event(event)) }
                }
            } catch { throw error as? Failure ?? Failure(.internal, "\(error)") }
        }
    }
}

/// Names for the shell's completion, asked of the daemon where it can be reached.
enum RepositoryCompletion {
    @Sendable static func names(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
        InstalledNames.read()
    }
}
