import ArgumentParser
import Client
import Foundation
import Linux
import Model
import Wire

struct Top: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Watch the machine and its scheduler: load, queues, waits, counters, layers, events.",
        discussion: """
            Shows, and keeps showing: how busy each CPU is, by last-level cache; how many tasks wait in which queue; how long
            they waited for a CPU; the scheduler's own counters and layers; the last events. The keys stand in the last
            line, and h explains them. Where it is no terminal that it writes to, one view is printed, as with --once.

            EXAMPLES:
              schedctl top
              schedctl top --interval 5s
              schedctl top --once
              schedctl top --once --json | jq .waits.p99_nanoseconds
              schedctl top --json --interval 10s >> views.jsonl
            """)

    @Option(help: ArgumentHelp("The time between two views, at least 200ms.", valueName: "time")) var interval = "1s"
    @Flag(help: "Print one view as text, or with --json as an object, and end.") var once = false
    @OptionGroup var options: CommonOptions

    func run() async throws {
        let interval = try options.reading { () throws(Failure) in try Self.interval(self.interval) }
        let isInteractive = !once && !options.json && Self.hasTerminal
        try await options.run { client throws(Failure) in
            // Whoever is refused is told so before the screen is taken.
            if isInteractive || once || !options.json {
                let view = try await Self.one(client)
                guard isInteractive else { return show(view) }
                await client.close()
                try await TopSession.run(first: view, interval: interval, socket: options.socket)
            } else {
                try await follow(client, interval)
            }
        }
    }

    static func interval(_ text: String) throws(Failure) -> TopInterval {
        let milliseconds = try DurationText.parse(text) / 1_000_000
        guard TopInterval.allowed.contains(milliseconds) else {
            throw Failure(
                .invalidArgument, "--interval \(text.quotedForDisplay()) is not between 200ms and 1h")
        }
        return TopInterval(milliseconds: UInt32(milliseconds))
    }

    private static var hasTerminal: Bool {
        ThisProcess.isTerminal(.input) && ThisProcess.isTerminal(.output) && HostFile.environment("TERM") != "dumb"
    }

    /// A view of half a second.
    static func one(_ client: SchedClient) async throws(Failure) -> WireView {
        let result = try await client.call(.view(WireViewRequest()))
        guard case .view(let view) = result else { throw SchedClient.unexpected(result) }
        return view
    }

    private func show(_ view: WireView) {
        if options.json { return options.printJSON(view) }
        let columns = HostTerminal.size(of: 1).map { Int($0.columns) } ?? 100
        print(TopReport.text(view, columns: columns, glyphs: .of(environment: ProcessInfo.processInfo.environment)))
    }

    private func follow(_ client: SchedClient, _ interval: TopInterval) async throws(Failure) {
        ThisProcess.bufferOutputByLine()
        let views = try await client.views(every: interval.milliseconds)
        do { for try await view in views { show(view) } } catch {
            throw error as? Failure ?? Failure(.internal, "\(error)")
        }
        throw Failure(.internal, "schedcpd ended the views", hint: "see its log: journalctl -u schedcpd")
    }
}
