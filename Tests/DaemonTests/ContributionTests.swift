import Attestation
import Audit
import Daemon
import Foundation
import Linux
import Model
import Repository
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// What clients add to the repository: checked whole, bounded, and in the audit.
@Suite(.timeLimit(.minutes(10))) struct ContributionTests {
    static func report(
        _ id: String, of entry: WireEntryReply, change: (inout WireOutcome) -> Void = { _ in }
    ) throws -> WireRequest.OneOf_Operation {
        var outcome = WireOutcome()
        outcome.id = id
        outcome.entry = "\(entry.entry.name)@\(entry.entry.version)"
        outcome.workload.workloadClass = "batch"
        outcome.workload.features = [.with { ($0.name, $0.value) = ("tasks", 40) }]
        (outcome.metric, outcome.better) = ("makespan", "lower")
        (outcome.ratio, outcome.low, outcome.high, outcome.runs) = (0.7, 0.65, 0.75, 10)
        change(&outcome)
        return .outcome(.with { $0.outcome = outcome })
    }

    private static func trusting(_ key: SigningKey) throws -> String {
        try Embedded.rules() + "trust elsewhere \(try VerifierKey(name: "", publicKey: key.publicKey).text)\n"
    }

    @Test func anEntryFromElsewhereIsACandidateWithItsEvidence() async throws {
        let key = SigningKey()
        let backend = try Embedded.Backend(rules: try Self.trusting(key))
        let entry = try PolicySamples.entry("far@1.2.0")
        let bundle = PolicyBundle(
            entry: entry, attestations: [try PolicySamples.attestation(of: entry, by: key)],
            outcomes: (0..<4).map { PolicySamples.outcome("o\($0)", of: entry, trial: "t\($0)") })
        let change = try await Embedded.answer(Embedded.agent, backend, try PolicySamples.importing(bundle)).changed
        #expect(change.new && change.entry.name == "far" && change.entry.status == "candidate")
        let there = try await Embedded.entry("far", backend)
        #expect(there.entry.origin == "imported" && there.maker.contains("a file") && there.maker.contains("carol"))
        #expect(there.attestations.map(\.local) == [false] && there.attestations.first?.keyID == key.keyID)
        #expect(there.outcomes.count == 4 && there.outcomes.allSatisfy { $0.origin == "imported" })
        // By its version it is not looked for among what is installed, and whoever leaves that out is told.
        let failure = try await Embedded.refusal(Embedded.admin, backend, .deploy(.with { $0.name = "far" }))
        #expect(failure.code == .notFound && failure.hint.contains("far@1.2.0"), "\(failure)")
        // The same again changes nothing, and the way back is whole.
        let again = try await Embedded.answer(Embedded.agent, backend, try PolicySamples.importing(bundle)).changed
        #expect(!again.new)
        let export = WireRequest.OneOf_Operation.entryExport(.with { $0.key = "far@1.2.0" })
        let out = try await Embedded.answer(Embedded.ordinary, backend, export).bundle
        #expect([UInt8](out.object) == PolicySamples.object("far@1.2.0"))
        let read = try PolicyBundle(json: [UInt8](out.policy))
        #expect(read.attestations.map(\.envelope) == bundle.attestations.map(\.envelope))
        #expect(read.entry.key == entry.key && read.outcomes.count == 4)
        let other = try Embedded.Backend(rules: try Self.trusting(key))
        let moved = PolicySamples.importing([UInt8](out.policy), object: [UInt8](out.object))
        #expect(try await Embedded.answer(Embedded.agent, other, moved).changed.new)
        let audited = try backend.daemon.audit.tail(20).filter { $0.entry.operation == "entry-import" }
        #expect(audited.map(\.entry.kind) == [.operation, .outcome, .operation, .outcome])
        #expect(audited.first?.entry.detail["object"] == entry.artifact && audited.first?.entry.subject == "a file")
    }

    /// Each is refused as a whole: no entry, no object, no evidence.
    @Test func forgedBundlesChangeNothing() async throws {
        let (key, stranger) = (SigningKey(), SigningKey())
        let backend = try Embedded.Backend(rules: try Self.trusting(key))
        let entry = try PolicySamples.entry("far@1.2.0")
        let good = try PolicySamples.attestation(of: entry, by: key)
        func bundle(_ attestation: EntryAttestation) throws -> WireRequest.OneOf_Operation {
            try PolicySamples.importing(
                PolicyBundle(entry: entry, attestations: [good, attestation], outcomes: []))
        }
        var altered = good
        let text = String(decoding: good.envelope, as: UTF8.self)
        let signature = try #require(text.range(of: "\"sig\":\""))
        let first = text[signature.upperBound]
        altered.envelope = Array(
            text.replacingCharacters(
                in: signature.upperBound..<text.index(after: signature.upperBound), with: first == "A" ? "B" : "A"
            ).utf8)
        altered.digest = ArtifactDigest.of(altered.envelope)
        var otherDigest = good
        otherDigest.digest = ArtifactDigest.of([1])
        var lie = good
        lie.passedStages.append("simulate")
        var time = good
        time.issuedAt += 1_000_000
        let other = try PolicySamples.entry("other@1.0.0")
        let attacks: [(String, WireRequest.OneOf_Operation, String)] = [
            ("an unknown key", try bundle(try PolicySamples.attestation(of: entry, by: stranger)), "no key"),
            ("an altered signature", try bundle(altered), "signature"),
            ("another digest", try bundle(otherDigest), "digest"), ("a stage more", try bundle(lie), "something else"),
            ("another time", try bundle(time), "something else"),
            (
                "another artifact",
                try bundle(try PolicySamples.attestation(of: entry, by: key) { $0.artifact = other.artifact }),
                "another artifact"
            ),
            (
                "another object",
                try PolicySamples.importing(
                    PolicyBundle(entry: entry, attestations: [good], outcomes: []), object: [1, 2, 3]), "SHA-256"
            ),
            (
                "no object",
                try PolicySamples.importing(PolicyBundle(entry: entry, attestations: [good], outcomes: []), object: []),
                "no object"
            ),
            ("no bundle", PolicySamples.importing([], object: [1]), "empty"),
            ("garbage", PolicySamples.importing(Array("{\"entry\":[]}".utf8), object: [1]), "cannot be read"),
            ("depth", PolicySamples.importing(Array(repeating: 91, count: 100_000), object: [1]), "cannot be read"),
            (
                "an outcome with a parameter that is not there",
                try PolicySamples.importing(
                    PolicyBundle(
                        entry: entry, attestations: [good],
                        outcomes: [
                            PolicySamples.outcome("fine", of: entry),
                            {
                                var outcome = PolicySamples.outcome("bad", of: entry)
                                outcome.settings = [Setting(name: "speed", value: "1")]
                                return outcome
                            }(),
                        ])), "no parameter"
            ),
        ]
        for (name, attack, why) in attacks {
            let failure = try await Embedded.refusal(Embedded.agent, backend, attack)
            #expect(failure.message.contains(why), "\(name): \(failure)")
            #expect(try await Embedded.entries(backend).isEmpty, "\(name)")
        }
        Attacks.report("bundles", tried: attacks.count, refused: attacks.count)
        _ = try await Embedded.answer(Embedded.agent, backend, try bundle(good))
        #expect(try await Embedded.entries(backend) == ["far@1.2.0"])
    }

    @Test func versionsOnlyGoUpAndNothingIsReplaced() async throws {
        let backend = try Embedded.Backend()
        func importing(_ key: String, _ change: (inout PolicyEntry) -> Void = { _ in }) throws
            -> WireRequest.OneOf_Operation
        {
            try PolicySamples.importing(
                PolicyBundle(entry: try PolicySamples.entry(key, change: change), attestations: [], outcomes: []))
        }
        _ = try await Embedded.answer(Embedded.agent, backend, try importing("far@2.0.0"))
        let back = try await Embedded.refusal(Embedded.agent, backend, try importing("far@1.9.9"))
        #expect(back.code == .invalidArgument && back.message.contains("goes back"), "\(back)")
        let twice = try await Embedded.refusal(
            Embedded.agent, backend, try importing("far@2.0.0") { $0.summary = "something else" })
        #expect(twice.code == .invalidArgument && twice.message.contains("another content"), "\(twice)")
        _ = try await Embedded.answer(Embedded.agent, backend, try importing("far@2.0.1"))
        #expect(try await Embedded.entries(backend) == ["far@2.0.0", "far@2.0.1"])
        #expect(try await Embedded.entry("far", backend).versions == ["2.0.0"])
    }

    @Test func outcomesOfClientsAreReported() async throws {
        let backend = try Embedded.Backend(schedulers: try PolicySamples.installed(["fifo"]))
        let fifo = try await Embedded.entry("fifo", backend)
        let report = try Self.report("mine-1", of: fifo) {
            ($0.origin, $0.measuredBy) = ("lab", "my loop")
        }
        let change = try await Embedded.answer(Embedded.agent, backend, report).changed
        #expect(change.new && change.entry.status == "candidate")
        let kept = try #require(try await Embedded.entry("fifo", backend).outcomes.first)
        #expect(kept.origin == "reported" && kept.measuredBy == "carol (uid 1003): my loop" && kept.trial == "mine-1")
        #expect(kept.artifactSha256 == fifo.entry.artifactSha256 && kept.machine.cpus > 0 && kept.measuredAt > 0)
        #expect(try await !Embedded.answer(Embedded.agent, backend, report).changed.new)
        let bad: [(String, Failure.Code, (inout WireOutcome) -> Void)] = [
            ("another entry", .notFound, { $0.entry = "none@1.0.0" }),
            ("no version", .invalidArgument, { $0.entry = "fifo" }),
            ("another artifact", .invalidArgument, { $0.artifactSha256 = ArtifactDigest.of([1]) }),
            ("the same id", .invalidArgument, { ($0.id, $0.ratio) = ("mine-1", 0.71) }),
            ("no interval", .invalidArgument, { $0.low = 0.9 }), ("one run", .invalidArgument, { $0.runs = 1 }),
            ("no number", .invalidArgument, { $0.ratio = .nan }), ("a word", .invalidArgument, { $0.better = "more" }),
            ("no workload", .invalidArgument, { $0.clearWorkload() }), ("an id", .invalidArgument, { $0.id = "../x" }),
            (
                "a parameter", .invalidArgument,
                { $0.parameters = [.with { ($0.name, $0.value) = ("speed", "1") }] }
            ),
            ("no machine", .invalidArgument, { $0.machine.architecture = "x86_64" }),
        ]
        for (name, code, change) in bad {
            let failure = try await Embedded.refusal(
                Embedded.agent, backend, try Self.report("bad", of: fifo, change: change))
            #expect(failure.code == code && !failure.message.isEmpty, "\(name): \(failure)")
        }
        #expect(try await Embedded.entry("fifo", backend).outcomes.count == 1)
    }

    @Test func whatFailedIsRemembered() async throws {
        let backend = try Embedded.Backend(schedulers: try PolicySamples.installed(["fifo"]))
        var report = WireFailureReport()
        report.source = .with { ($0.name, $0.code) = ("mine.bpf.c", Data("int x; // a try".utf8)) }
        report.parameters = [.with { ($0.name, $0.value) = ("slice_us", "1") }]
        (report.stage, report.attempt, report.reason) = ("canary", "no queue at all", "tasks starve")
        #expect(try await Embedded.answer(Embedded.agent, backend, .antipattern(report)).changed.new)
        #expect(try await !Embedded.answer(Embedded.agent, backend, .antipattern(report)).changed.new)
        // The same code, written in another way.
        var request = WireAntipatternsRequest()
        request.source = .with { ($0.name, $0.code) = ("other.bpf.c", Data("int   x;\n".utf8)) }
        request.parameters = report.parameters
        let known = try await Embedded.answer(Embedded.ordinary, backend, .antipatterns(request)).antipatterns
            .antipatterns
        #expect(known.map(\.times) == [2] && known.first?.base == "mine" && known.first?.triedBy == "carol (uid 1003)")
        request.parameters = []
        #expect(
            try await Embedded.answer(Embedded.ordinary, backend, .antipatterns(request)).antipatterns.antipatterns
                .isEmpty)
        report.entry = "fifo"
        let reply = try await Embedded.answer(Embedded.agent, backend, .antipattern(report)).changed
        #expect(reply.new && reply.entry.name == "fifo")
        let all = try await Embedded.answer(Embedded.ordinary, backend, .antipatterns(.init())).antipatterns
            .antipatterns
        #expect(all.map(\.base) == ["fifo", "mine"])
        for change in [
            { $0.stage = "luck" }, { $0.reason = "" }, { $0.attempt = String(repeating: "a", count: 9000) },
            { $0.what = nil }, { $0.entry = "none" }, { $0.source = .with { $0.name = "x.c" } },
            { $0.workloadClass = "Batch!" },
        ] as [(inout WireFailureReport) -> Void] {
            var bad = report
            change(&bad)
            let failure = try await Embedded.refusal(Embedded.agent, backend, .antipattern(bad))
            #expect([.invalidArgument, .notFound].contains(failure.code), "\(failure)")
        }
    }

    @Test func eachUserHasSoManyChangesAnHour() async throws {
        let rules = try Embedded.rules().replacingOccurrences(
            of: "changes-per-hour 200\n", with: "changes-per-hour 2\n")
        let backend = try Embedded.Backend(schedulers: try PolicySamples.installed(["fifo"]), rules: rules)
        let fifo = try await Embedded.entry("fifo", backend)
        for id in ["a", "b"] { _ = try await Embedded.answer(Embedded.agent, backend, try Self.report(id, of: fifo)) }
        // What is there already is no change.
        let refused = try await Embedded.refusal(Embedded.agent, backend, try Self.report("c", of: fifo))
        #expect(refused.code == .tooMany && refused.message.contains("2 changes"), "\(refused)")
        _ = try await Embedded.answer(Embedded.admin, backend, try Self.report("c", of: fifo))
        #expect(try await Embedded.entry("fifo", backend).outcomes.count == 3)
        // Who may not contribute is told so, and by which right.
        let denied = try await Embedded.refusal(Embedded.ordinary, backend, try Self.report("d", of: fifo))
        #expect(denied.code == .denied && denied.message.contains("contribute"), "\(denied)")
    }
}
