import ArgumentParser
import Client
import Foundation
import Linux
import Model
import Wire

struct Tune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "See and change what can be changed of the scheduler while it runs.",
        discussion: """
            Without arguments: what is in force, read back from the running scheduler. Changes take effect at once, and are
            kept until the scheduler is replaced. All changes of one command are made, or none.

            EXAMPLES:
              schedctl tune
              schedctl tune slice_us=2000
              schedctl tune --hint process:encoder=40s --forget-hint process:lint
              schedctl tune --hint cgroup:system.slice/batch.service=10m
              schedctl tune --layers layers.txt
              schedctl tune undo               take back the last change
              schedctl tune reset              back to what it was deployed with
              schedctl tune --json > now.json; $EDITOR now.json; schedctl tune --layers now.json

            FILE has the layers in their order, and the rules; the first rule that fits a task decides:
              layer 0 weight=100
              layer 1 weight=20 cap=30%
              layer 2 weight=100 guarantee=25%
              rule 1 nice=5..19
              rule 2 name=postgres cgroup=/system.slice/db.service threads=4
            It may also be JSON: a LayerTable of schedcp.proto, or what --json prints.
            """)

    @Argument(
        help: ArgumentHelp("A new value; or undo, or reset.", valueName: "name=value"),
        completion: .custom(RepositoryCompletion.tunables))
    var settings: [String] = []
    @Option(
        help: ArgumentHelp(
            "Say how much CPU time a process or cgroup will need; may be repeated.",
            valueName: "process:NAME=TIME|cgroup:PATH=TIME"))
    var hint: [String] = []
    @Option(help: ArgumentHelp("Take a hint away; may be repeated.", valueName: "process:NAME|cgroup:PATH"))
    var forgetHint: [String] = []
    @Option(
        help: ArgumentHelp("All layers and rules anew; - for standard input.", valueName: "file"), completion: .file())
    var layers: String?
    @Option(help: ArgumentHelp("Only where this deployment still runs.", valueName: "number")) var deployment: UInt64?
    @Flag(help: "Take back the last change that was not taken back.") var undo = false
    @Flag(help: "Back to what it was deployed with.") var reset = false
    @OptionGroup var options: CommonOptions

    func run() async throws {
        let request = try options.reading(read)
        try await options.run { client throws(Failure) in
            let before = try await Self.tuning(client)
            if let deployment, before.deployment != deployment {
                throw Failure(
                    .notFound, "deployment \(deployment) does not run: deployment \(before.deployment) does",
                    hint: "see `schedctl history`")
            }
            guard Self.changesSomething(request) else {
                return options.json ? options.printJSON(before) : print(TuneText.tuning(before))
            }
            let result = try await client.call(.tune(request))
            guard case .tuning(let after) = result else { throw SchedClient.unexpected(result) }
            options.json ? options.printJSON(after) : print(TuneText.change(from: before, to: after))
        }
    }

    private static func tuning(_ client: SchedClient) async throws(Failure) -> WireTuning {
        let result = try await client.call(.tuning(WireTuningRequest()))
        guard case .tuning(let tuning) = result else { throw SchedClient.unexpected(result) }
        return tuning
    }

    private static func changesSomething(_ request: WireTuneRequest) -> Bool {
        var rest = request
        rest.deployment = 0
        return rest != WireTuneRequest()
    }
}

extension Tune {
    /// What was asked. Ranges are the daemon's to check: it knows what runs.
    func read() throws(Failure) -> WireTuneRequest {
        var request = WireTuneRequest()
        request.deployment = deployment ?? 0
        request.undo = undo || settings == ["undo"]
        request.reset = reset || settings == ["reset"]
        let words = settings.filter { $0 != "undo" && $0 != "reset" }
        guard words.count == settings.count || settings.count == 1 else {
            throw Failure(.invalidArgument, "undo and reset stand alone")
        }
        for word in words {
            let setting = try SchedulerArguments.setting(word, of: "the setting")
            guard !setting.name.isEmpty, !setting.value.isEmpty else {
                throw Failure(.invalidArgument, "\(word.quotedForDisplay()) is not of the form name=value")
            }
            request.settings.append(WireSetting(setting))
        }
        for text in hint { request.hints.append(WireHint(try SchedulerArguments.hint(text))) }
        for text in forgetHint { request.forgetHints.append(WireHint(try Self.forgotten(text))) }
        if let layers { request.layers = try LayerFile.read(layers) }
        try Self.check(request)
        return request
    }

    private static func forgotten(_ text: String) throws(Failure) -> Hint {
        guard let colon = text.firstIndex(of: ":"), let kind = Hint.Kind(rawValue: String(text[..<colon])) else {
            throw Failure(
                .invalidArgument, "--forget-hint \(text.quotedForDisplay()) is not a hint",
                hint: "write process:NAME or cgroup:PATH")
        }
        return try Hint(kind: kind, key: String(text[text.index(after: colon)...]), nanoseconds: 0)
    }

    private static func check(_ request: WireTuneRequest) throws(Failure) {
        var seen: Set<String> = []
        let names =
            request.settings.map { "the setting '\($0.name.escapedForDisplay(limit: 80))'" }
            + (request.hints + request.forgetHints).map {
                "the hint '\($0.kind):\($0.key.escapedForDisplay(limit: 80))'"
            }
        for name in names where !seen.insert(name).inserted {
            throw Failure(.invalidArgument, "\(name) is there twice")
        }
        guard request.undo || request.reset else { return }
        var alone = WireTuneRequest()
        (alone.deployment, alone.undo, alone.reset) = (request.deployment, request.undo, request.reset)
        guard alone == request, request.undo != request.reset else {
            throw Failure(.invalidArgument, "undo and reset stand alone")
        }
    }
}

extension RepositoryCompletion {
    @Sendable static func tunables(_ words: [String], _ index: Int, _ prefix: String) -> [String] {
        InstalledNames.tunables().map { $0 + "=" } + ["undo", "reset"]
    }
}
