import Attestation
import Foundation
import Linux
import Model
import Repository
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// Looking into the policy repository over the socket.
@Suite(.timeLimit(.minutes(10))) struct PolicyTests {
    @Test func whatIsInstalledIsFoundByItsWords() async throws {
        let backend = try Embedded.Backend(schedulers: try PolicySamples.installed())
        let search = WireRequest.OneOf_Operation.search(.with { $0.text = "first in, first out" })
        let reply = try await Embedded.answer(Embedded.ordinary, backend, search).search
        #expect(reply.hits.contains { $0.name == "fifo" && $0.kind == "scheduler" && $0.status == "candidate" })
        #expect(reply.wordsOnly.contains("model.safetensors") || reply.wordsOnly.contains("vocab.txt"))
        #expect(reply.hits.allSatisfy { !$0.why.isEmpty && !$0.terms.isEmpty && !$0.summary.isEmpty })
        let sentences = WireRequest.OneOf_Operation.search(
            .with {
                $0.text = "batches"; $0.means = "sentences"
            })
        #expect(try await Embedded.refusal(Embedded.ordinary, backend, sentences).code == .notFound)
    }

    static let badSearches: [(String, WireSearchRequest)] = [
        ("nothing", .init()), ("spaces", .with { $0.text = "   " }), ("no word", .with { $0.text = "?!; --" }),
        ("a limit", .with { ($0.text, $0.limit) = ("batch", 101) }),
        ("means", .with { ($0.text, $0.means) = ("batch", "magic") }),
        (
            "both",
            .with {
                $0.text = "batch"; $0.profile.workloadClass = "batch"
            }
        ),
        ("no class", .with { $0.profile.goal = "soon" }),
        (
            "a negative feature",
            .with {
                $0.profile.workloadClass = "batch"
                $0.profile.features = [.with { ($0.name, $0.value) = ("tasks", -1) }]
            }
        ),
        (
            "a feature that is no number",
            .with {
                $0.profile.workloadClass = "batch"
                $0.profile.features = [.with { ($0.name, $0.value) = ("tasks", .nan) }]
            }
        ),
        (
            "many features",
            .with {
                $0.profile.workloadClass = "batch"
                $0.profile.features = (0..<65).map { number in .with { $0.name = "f\(number)" } }
            }
        ),
        ("a kind", .with { ($0.text, $0.filter.kinds) = ("batch", ["virus"]) }),
        ("a status", .with { ($0.text, $0.filter.statuses) = ("batch", ["good"]) }),
        ("a feature's name", .with { ($0.text, $0.filter.features) = ("batch", ["a' OR 1=1"]) }),
        ("a kernel", .with { ($0.text, $0.filter.kernel) = ("batch", "new") }),
        ("100 kB", .with { $0.text = String(repeating: "latency ", count: 12_800) }),
    ]

    @Test func badQuestionsAreRefusedWithAReason() async throws {
        let backend = try Embedded.Backend(schedulers: try PolicySamples.installed(["fifo"]))
        for (name, request) in Self.badSearches {
            let failure = try await Embedded.refusal(Embedded.agent, backend, .search(request))
            #expect(
                [.invalidArgument, .tooMany].contains(failure.code) && !failure.message.isEmpty, "\(name): \(failure)")
        }
        // Who may send nothing large is stopped before anything of it is read.
        let long = WireRequest.OneOf_Operation.search(.with { $0.text = String(repeating: "latency ", count: 12_800) })
        #expect(try await Embedded.refusal(Embedded.ordinary, backend, long).code == .frameTooLarge)
    }

    @Test func entriesAreListedInPartsAndShownWhole() async throws {
        let backend = try Embedded.Backend(schedulers: try PolicySamples.installed())
        let all = try await Embedded.entries(backend)
        #expect(all.contains { $0.hasPrefix("fifo@") } && all.count > 5)
        var (listed, after, more) = ([String](), UInt64(0), true)
        while more {
            let request = WireRequest.OneOf_Operation.entries(
                .with {
                    $0.after = after; $0.limit = 2; $0.filter.allVersions = true
                })
            let part = try await Embedded.answer(Embedded.ordinary, backend, request).entries
            listed += part.entries.map { "\($0.name)@\($0.version)" }
            (after, more) = (part.entries.last?.id ?? 0, part.more)
            #expect(part.entries.count == 2 || !more)
        }
        #expect(listed == all)
        let kinds = WireRequest.OneOf_Operation.entries(.with { $0.filter.kinds = ["primitive"] })
        let primitives = try await Embedded.answer(Embedded.ordinary, backend, kinds).entries.entries
        #expect(!primitives.isEmpty && primitives.allSatisfy { $0.kind == "primitive" })
        let request = WireRequest.OneOf_Operation.entry(
            .with {
                $0.key = "fifo"; $0.source = true
            })
        let fifo = try await Embedded.answer(Embedded.ordinary, backend, request).entry
        #expect(fifo.entry.artifactSha256 == ArtifactDigest.of(PolicySamples.object("fifo")))
        #expect(fifo.entry.origin == "shipped" && fifo.maker == "SchedCP" && !fifo.source.code.isEmpty)
        #expect(fifo.parameters.map(\.name).contains("slice_us") && !fifo.targetWorkloads.isEmpty)
        #expect(fifo.queues.map(\.name) == ["llc"] && fifo.queues.map(\.count) == ["llc"])
        #expect(try await Embedded.entry("fifo@\(fifo.entry.version)", backend).source.code.isEmpty)
        for key in ["none", "fifo@9.9.9"] {
            let failure = try await Embedded.refusal(Embedded.ordinary, backend, .entry(.with { $0.key = key }))
            #expect(failure.code == .notFound, "\(key): \(failure)")
        }
        for key in ["", "../fifo", "fifo@", "fifo@1", "FIFO", String(repeating: "a", count: 5000)] {
            let failure = try await Embedded.refusal(Embedded.ordinary, backend, .entry(.with { $0.key = key }))
            #expect(failure.code == .invalidArgument, "\(key.prefix(20)): \(failure)")
        }
    }

    /// What is topology-aware, asked for by what the entries say of themselves.
    @Test func featuresFilter() async throws {
        let backend = try Embedded.Backend()
        let with = PolicyBundle(entry: try PolicySamples.entry("wide@1.0.0"), attestations: [], outcomes: [])
        let without = PolicyBundle(
            entry: try PolicySamples.entry("plain@1.0.0") { $0.features = [] }, attestations: [], outcomes: [])
        for bundle in [with, without] {
            _ = try await Embedded.answer(Embedded.agent, backend, try PolicySamples.importing(bundle))
        }
        func found(_ change: (inout WireEntryFilter) -> Void) async throws -> [String] {
            var filter = WireEntryFilter()
            change(&filter)
            let request = WireRequest.OneOf_Operation.search(
                .with {
                    $0.text = "a scheduler for batches"; $0.filter = filter
                })
            return try await Embedded.answer(Embedded.ordinary, backend, request).search.hits.map(\.name).sorted()
        }
        #expect(try await found { _ in } == ["plain", "wide"])
        #expect(try await found { $0.features = ["topology.llc"] } == ["wide"])
        #expect(try await found { $0.withoutFeatures = ["topology.llc"] } == ["plain"])
        #expect(try await found { $0.kernel = "6.11" }.isEmpty)
        #expect(try await found { $0.statuses = ["proven"] }.isEmpty)
    }

    @Test func aProfileFindsWhatIsMeasured() async throws {
        let backend = try Embedded.Backend(schedulers: try PolicySamples.installed(["fifo"]))
        let request = WireRequest.OneOf_Operation.search(
            .with {
                $0.profile.workloadClass = "batch"
                $0.profile.features = [.with { ($0.name, $0.value) = ("tasks", 40) }]
            })
        // Nothing is measured yet, and what a client reports is no evidence.
        #expect(try await Embedded.answer(Embedded.ordinary, backend, request).search.hits.isEmpty)
        let fifo = try await Embedded.entry("fifo", backend)
        let report = try ContributionTests.report("r1", of: fifo)
        _ = try await Embedded.answer(Embedded.agent, backend, report)
        #expect(try await Embedded.answer(Embedded.ordinary, backend, request).search.hits.isEmpty)
    }
}
