import Exchange
import Foundation
import Model
import RegistrySupport
import Repository
import SwiftProtobuf
import Synchronization
import TestServer
import TestSupport
import Testing
import Wire

/// `schedctl repo`, against a daemon and a registry that answer as they are told to.
@Suite(.timeLimit(.minutes(10))) struct RepoTests {
    /// What the daemon was asked.
    private final class Asked: Sendable {
        private let all = Mutex<[WireRequest]>([])

        func append(_ request: WireRequest) { all.withLock { $0.append(request) } }
        var requests: [WireRequest] { all.withLock { $0 } }

        var imports: [WireEntryImportRequest] {
            requests.compactMap { if case .entryImport(let request)? = $0.operation { request } else { nil } }
        }
    }

    private static func with(
        _ entries: [SampleEntry], _ body: (_ socket: String, Asked) async throws -> Void
    ) async throws {
        let asked = Asked()
        let bundles = try entries.map { sample in
            try WireEntryBundle.with {
                $0.policy = Data(try sample.bundle.json())
                $0.object = Data(sample.object)
            }
        }
        let keys = entries.map(\.bundle.entry.key)
        let summaries = entries.map { summary($0.bundle.entry) }
        let react = FakeServer.greeting { request in
            asked.append(request)
            switch request.operation {
            case .entries(let page):
                let rest = summaries.filter { $0.id > page.after }
                return answer(
                    request,
                    .entries(
                        WireEntryList.with {
                            // One at a time, so that there are pages.
                            $0.entries = Array(rest.prefix(1))
                            $0.more = rest.count > 1
                        }))
            case .entry(let entry):
                guard let index = keys.firstIndex(where: { "\($0)" == entry.key || $0.name.text == entry.key }) else {
                    return refuse(request, .notFound, "no such entry")
                }
                return answer(request, .entry(reply(entries[index].bundle, summaries[index], source: entry.source)))
            case .entryExport(let export):
                guard let index = keys.lastIndex(where: { "\($0)" == export.key || $0.name.text == export.key }) else {
                    return refuse(request, .notFound, "the repository has no \(export.key)")
                }
                return answer(request, .bundle(bundles[index]))
            case .entryImport(let taken):
                guard let entry = try? PolicyBundle(json: [UInt8](taken.bundle.policy)).entry else {
                    return refuse(request, .malformed, "no bundle")
                }
                if entry.key.name.text == "forged" { return refuse(request, .denied, "the attestation is refused") }
                return answer(request, .changed(changed(entry)))
            case .outcome, .antipattern: return answer(request, .changed(WireChangeReply.with { $0.new = true }))
            case .antipatterns:
                return answer(
                    request,
                    .antipatterns(
                        WireAntipatternList.with {
                            $0.antipatterns = [
                                WireAntipatternView.with {
                                    $0.base = "fifo"; $0.reason = "tasks \u{1B}[31mstarve"
                                }
                            ]
                        }))
            default: return .close
            }
        }
        try await FakeServer.with(react) { server in try await body(server.path, asked) }
    }

    private static func answer(_ request: WireRequest, _ result: WireResponse.OneOf_Result) -> FakeServer.Reaction {
        .answer([FakeServer.response(request.id, result)])
    }

    private static func refuse(_ request: WireRequest, _ code: Failure.Code, _ words: String) -> FakeServer.Reaction {
        answer(request, .failure(WireFailure(Failure(code, words))))
    }

    private static func summary(_ entry: PolicyEntry) -> WireEntrySummary {
        WireEntrySummary.with {
            $0.id = UInt64(entry.key.version.minor) + 1
            ($0.name, $0.version) = (entry.key.name.text, "\(entry.key.version)")
            ($0.kind, $0.status, $0.origin) = (entry.kind.rawValue, "verified", "person")
            $0.summary = entry.summary + "\u{1B}[2J"
        }
    }

    private static func changed(_ entry: PolicyEntry) -> WireChangeReply {
        WireChangeReply.with {
            $0.new = true
            $0.entry = summary(entry)
            $0.entry.status = "candidate"
        }
    }

    private static func reply(_ bundle: PolicyBundle, _ summary: WireEntrySummary, source: Bool) -> WireEntryReply {
        WireEntryReply.with { reply in
            reply.entry = summary
            reply.description_p = bundle.entry.description
            reply.maker = "ann"
            reply.outcomes = [
                WireOutcome.with {
                    ($0.metric, $0.better, $0.baseline) = ("makespan", "lower", "default")
                    ($0.ratio, $0.low, $0.high, $0.runs) = (0.7, 0.65, 0.75, 10)
                    $0.workload.workloadClass = "batch"
                }
            ]
            guard source else { return }
            reply.source.name = bundle.entry.source?.file ?? ""
            reply.source.code = Data((bundle.entry.source?.text ?? "").utf8)
        }
    }

    static let samples: [SampleEntry] = ["fifo@1.0.0", "fifo@1.1.0", "ljf@1.2.0"].enumerated().compactMap {
        try? SampleEntry($1, seed: UInt64($0) + 1)
    }

    @Test func whatIsThereIsListedAndShown() async throws {
        try await Self.with(Self.samples) { socket, _ in
            let list = try await CommandLine.run(["repo", "list"], socket: socket)
            #expect(list.status == 0 && list.controls.isEmpty)
            for key in ["fifo@1.0.0", "fifo@1.1.0", "ljf@1.2.0"] { #expect(list.output.contains(key)) }
            let two = try await CommandLine.run(["repo", "list", "--limit", "2", "--json"], socket: socket)
            #expect((two.json?["entries"] as? [Any])?.count == 2 && two.json?["more"] as? Bool == true)
            let show = try await CommandLine.run(["repo", "show", "ljf"], socket: socket)
            #expect(show.status == 0 && show.controls.isEmpty)
            #expect(show.output.contains("ljf@1.2.0") && show.output.contains("makespan -30 %"))
            let source = try await CommandLine.run(["repo", "show", "ljf@1.2.0", "--source"], socket: socket)
            #expect(source.output == Self.samples[2].bundle.entry.source?.text)
            let outcomes = try await CommandLine.run(["repo", "outcomes", "fifo", "--json"], socket: socket)
            #expect((outcomes.json?["outcomes"] as? [Any])?.count == 1)
            let none = try await CommandLine.run(["repo", "show", "none"], socket: socket)
            #expect(none.status == 1 && none.errors.contains("no such entry"))
        }
    }

    @Test func anExportIsImported() async throws {
        let folder = try TemporaryFolder()
        let place = folder.path("policies")
        try await Self.with(Self.samples) { socket, asked in
            let first = try await CommandLine.run(["repo", "export", "ljf", "fifo@1.0.0", "-o", place], socket: socket)
            #expect(first.status == 0, "\(first.errors)")
            #expect(first.output.contains("ljf@1.2.0  sha256:"))
            let all = try await CommandLine.run(["repo", "export", "--all", "-o", place, "--json"], socket: socket)
            #expect((all.json?["entries"] as? [Any])?.count == 3)
            let one = try await CommandLine.run(["repo", "import", place, "fifo"], socket: socket)
            #expect(one.status == 0, "\(one.errors)")
            #expect(one.output.contains("fifo@1.1.0 is in the repository as a candidate"))
            let rest = try await CommandLine.run(["repo", "import", place], socket: socket)
            #expect(rest.status == 0)
            // Byte for byte what the daemon gave, older versions first.
            let samples = [1, 0, 1, 2].map { Self.samples[$0] }
            #expect(asked.imports.map { [UInt8]($0.bundle.policy) } == (try samples.map { try $0.bundle.json() }))
            #expect(asked.imports.map { [UInt8]($0.bundle.object) } == samples.map(\.object))
            #expect(asked.imports.allSatisfy { $0.source == "the folder policies" })
        }
    }

    @Test func whatIsDamagedIsNotSent() async throws {
        let folder = try TemporaryFolder()
        try await Self.with(Self.samples) { socket, asked in
            let export = ["repo", "export", "--all", "-o", folder.path("p")]
            #expect(try await CommandLine.run(export, socket: socket).status == 0)
            for name in folder.names("p/blobs/sha256") {
                let file = "p/blobs/sha256/" + name
                let whole = folder.bytes(file)
                if whole.count < 3 { continue }
                try folder.write([UInt8](whole.dropLast()) + [whole[whole.count - 1] ^ 1], to: file)
                let result = try await CommandLine.run(["repo", "import", folder.path("p")], socket: socket)
                #expect(result.status == 1)
                #expect(result.errors.contains("damaged"), "\(result.errors)")
                try folder.write(whole, to: file)
            }
            #expect(asked.imports.isEmpty)
            for bad in ["none", "p/blobs"] {
                let result = try await CommandLine.run(["repo", "import", folder.path(bad), "--json"], socket: socket)
                #expect(result.status == 1 && result.json?["message"] != nil)
            }
            let unknown = try await CommandLine.run(["repo", "import", folder.path("p"), "none"], socket: socket)
            #expect(unknown.status == 1 && unknown.errors.contains("fifo@1.0.0, fifo@1.1.0"))
        }
    }

    @Test func whatTheDaemonRefusesIsSaid() async throws {
        let folder = try TemporaryFolder()
        let samples = [try SampleEntry("a@1.0.0"), try SampleEntry("forged@1.1.0"), try SampleEntry("z@1.2.0")]
        try await Self.with(samples) { socket, asked in
            _ = try await CommandLine.run(["repo", "export", "--all", "-o", folder.path("p")], socket: socket)
            let result = try await CommandLine.run(["repo", "import", folder.path("p")], socket: socket)
            #expect(result.status == 4)
            #expect(result.errors.contains("forged@1.1.0 was not taken in: the attestation is refused"))
            #expect(result.errors.contains("in are a@1.0.0"))
            #expect(asked.imports.count == 2)
        }
    }

    @Test func whatIsPushedIsPulled() async throws {
        let folder = try TemporaryFolder()
        try folder.write("s3:cr et\n", to: "password")
        try await FakeRegistry.with(.token(user: "ann", password: "s3:cr et")) { registry in
            try await Self.with(Self.samples) { socket, asked in
                let place = "\(registry.name)/team/fifo"
                let home = ["HOME": folder.path, "XDG_RUNTIME_DIR": folder.path]
                let stranger = try await CommandLine.run(
                    ["repo", "push", "fifo", place], socket: socket, environment: home)
                #expect(stranger.status == 4 && stranger.errors.contains("--username"))
                let auth = Data("ann:s3:cr et".utf8).base64EncodedString()
                try folder.write(
                    "{\"auths\":{\"\(registry.name)\":{\"auth\":\"\(auth)\"}}}", to: "containers/auth.json")
                let push = try await CommandLine.run(
                    ["repo", "push", "fifo", place, "--json"], socket: socket, environment: home)
                #expect(push.status == 0, "\(push.errors)\(push.output)")
                #expect(push.json?["reference"] as? String == place + ":1.1.0")
                let digest = try #require(push.json?["digest"] as? String)
                let older = try await CommandLine.run(
                    ["repo", "push", "fifo@1.0.0", place + ":old"], socket: socket, environment: home)
                #expect(older.output.contains(place + ":old"))
                for (rest, sample) in [("", 1), (":old", 0), ("@\(digest)", 1)] {
                    let pull = try await CommandLine.run(
                        ["repo", "pull", place + rest], socket: socket, environment: home)
                    #expect(pull.status == 0, "\(pull.errors)")
                    #expect(
                        asked.imports.last.map { [UInt8]($0.bundle.policy) } == (try Self.samples[sample].bundle.json())
                    )
                    #expect(asked.imports.last?.source.hasPrefix(place + "@sha256:") == true)
                }
                // Without a daemon, into a folder.
                let kept = try await CommandLine.run(
                    ["repo", "pull", place, "-o", folder.path("kept")], socket: "/nonexistent", environment: home)
                #expect(kept.status == 0 && kept.output.contains(digest), "\(kept.errors)")
                let none = try await CommandLine.run(
                    ["repo", "pull", place + ":none"], socket: socket, environment: home)
                #expect(none.status == 1 && none.errors.contains("404"))
            }
        }
    }

    @Test func aServiceRanksTheEntries() async throws {
        let folder = try TemporaryFolder()
        struct Question: Decodable { var input: [String] }
        try await FakeRegistry.with { service in
            // As if it understood one word.
            service.react { request in
                let texts = (try? JSONDecoder().decode(Question.self, from: Data(request.body)))?.input ?? []
                let vectors = texts.enumerated().map {
                    "{\"index\":\($0),\"embedding\":[\($1.contains("ljf") ? "1,0" : "0,1")]}"
                }
                return .answer(.init(200, body: Array("{\"data\":[\(vectors.joined(separator: ","))]}".utf8)))
            }
            var environment = ["XDG_CACHE_HOME": folder.path, "SCHEDCP_EMBEDDINGS_URL": "http://\(service.name)/v1"]
            try await Self.with(Self.samples) { socket, _ in
                let search = ["search", "--embeddings", "the ljf of all", "--json"]
                let unnamed = try await CommandLine.run(search, socket: socket, environment: environment)
                #expect(unnamed.status == 1 && unnamed.json?["message"] != nil)
                environment["SCHEDCP_EMBEDDINGS_MODEL"] = "small"
                let found = try await CommandLine.run(search, socket: socket, environment: environment)
                #expect(found.status == 0, "\(found.errors)\(found.output)")
                let hits = found.json?["hits"] as? [[String: Any]]
                #expect(hits?.first?["name"] as? String == "ljf" && hits?.count == 3)
                #expect(folder.names("schedcp/embeddings").count == 3)
                // The second time only the question is sent, beside the one that tells how long vectors are.
                service.forgetRequests()
                let again = try await CommandLine.run(search, socket: socket, environment: environment)
                #expect(again.output == found.output && service.requests.count == 2)
            }
        }
    }

    @Test func evidenceIsReported() async throws {
        let folder = try TemporaryFolder()
        let good = try folder.write(
            #"{"id":"x","entry":"fifo@1.0.0","metric":"makespan","better":"lower","ratio":0.7,"workload":{"workload_class":"batch"}}"#,
            to: "outcome.json")
        let source = try folder.write("int x;", to: "mine.bpf.c")
        try await Self.with(Self.samples) { socket, asked in
            #expect(try await CommandLine.run(["repo", "record", good], socket: socket).output.contains("recorded"))
            let failed = [
                "repo", "failed", "--source", source, "--param", "a=1", "--stage", "dynamic", "--reason", "starves",
            ]
            #expect(try await CommandLine.run(failed, socket: socket).status == 0)
            let known = try await CommandLine.run(["repo", "antipatterns", "--source", source], socket: socket)
            #expect(known.status == 0 && known.output.contains("starve") && known.controls.isEmpty)
            guard case .outcome(let outcome)? = asked.requests[0].operation,
                case .antipattern(let report)? = asked.requests[1].operation
            else {
                Issue.record("something else was asked")
                return
            }
            #expect(outcome.outcome.ratio == 0.7 && outcome.outcome.workload.workloadClass == "batch")
            #expect(
                report.source.name == "mine.bpf.c" && report.parameters.first?.value == "1" && report.stage == "dynamic"
            )
        }
    }

    static let wrong: [[String]] = [
        ["search", "--embeddings", "--class", "batch"], ["repo", "frobnicate"], ["repo", "show"],
        ["repo", "export", "-o", "/tmp/x"], ["repo", "export", "fifo"],
        ["repo", "export", "fifo", "--all", "-o", "/tmp/x"], ["repo", "push", "fifo", "fifo"],
        ["repo", "push", "fifo", "registry.example/Fifo"], ["repo", "pull", "https://registry.example/fifo"],
        ["repo", "push", "fifo", "registry.example/x@sha256:" + String(repeating: "a", count: 64)],
        ["repo", "list", "--limit", "0"], ["repo", "list", "--kind", "x"], ["repo", "record", "/nonexistent"],
        ["repo", "record", "/etc/passwd"], ["repo", "failed", "--stage", "x", "--reason", "y"],
        ["repo", "antipatterns", "--param", "a=1"], ["repo", "antipatterns", "--base", "x", "--source", "/etc/passwd"],
    ]

    @Test(arguments: wrong) func wrongUsageIsSixtyFour(_ arguments: [String]) async throws {
        let result = try await CommandLine.run(arguments, socket: "/nonexistent/schedcp.sock")
        #expect(result.status == 64, "\(result.errors)")
        #expect(!result.errors.isEmpty && result.controls.isEmpty)
    }

    @Test(arguments: [
        "", "list", "show", "outcomes", "export", "import", "push", "pull", "record", "antipatterns", "failed",
    ])
    func helpHasAnExample(_ command: String) async throws {
        let words = ["repo", command].filter { !$0.isEmpty }
        let result = try await CommandLine.run(words + ["--help"])
        #expect(result.status == 0 && result.output.contains("EXAMPLE"))
        #expect(result.output.contains("schedctl " + words.joined(separator: " ")))
    }
}
