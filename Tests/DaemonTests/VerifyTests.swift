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

/// The way of a candidate through the daemon, with a verifier that says what the test wants.
@Suite(.timeLimit(.minutes(10))) struct VerifyTests {
    static let source = Array("int x;\n".utf8)

    static func code(_ name: String = "mine.bpf.c", _ bytes: [UInt8] = source) -> WireRequest.OneOf_Operation {
        .verify(
            .with {
                $0.code.name = name; $0.code.code = Data(bytes)
            })
    }

    private static func backend(
        _ verifier: FakeVerifier, key: SigningKey? = nil, limits: VerifierLimits = VerifierLimits(),
        schedulers: TemporaryFolder? = nil
    ) throws -> Embedded.Backend {
        try Embedded.Backend(schedulers: schedulers, rules: try verifier.rules(key: key), verifier: limits)
    }

    /// What the daemon has stored of verified objects.
    static func stored(_ backend: Embedded.Backend) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: backend.folder.path("verified"))) ?? []
    }

    @Test func anAgentsSourceThatPassesIsAttestedAndMayBeDeployed() async throws {
        let verifier = try FakeVerifier { submit, to in
            to.event(submit.job) { $0.stage = "compile" }
            to.event(submit.job) {
                $0.finding = WireFinding(Finding(stage: .static, check: "x", severity: .note, message: "m"))
            }
            to.finish(FakeVerifier.passed(submit))
        }
        let backend = try Self.backend(verifier)
        var told: [WireVerifyProgress] = []
        let answer = try await Embedded.ask(Embedded.agent, backend, Self.code()) { told.append($0) }
        guard case .verified(let reply) = answer.result else { throw Lacking("\(answer)") }
        #expect(reply.passed && reply.artifactSha256 == ArtifactDigest.of(FakeVerifier.object))
        #expect(told.count == 2 && told.first?.stage == "compile" && told.last?.finding.check == "x")
        let claims = try Envelope.parse([UInt8](reply.envelope)).unverifiedClaims()
        #expect(claims.stages.map(\.name) == ["compile", "static", "kernel", "dynamic"])
        #expect(claims.stages.allSatisfy { $0.verdict == .passed })
        #expect(claims.stages[1].evidence == ArtifactDigest.of(Array("static".utf8)))
        #expect(claims.effort == .full && claims.verifier.id == "fake" && claims.holder?.userID == Embedded.agent.uid)
        #expect(claims.artifact == reply.artifactSha256 && claims.artifactName == "mine.bpf.c")
        // The object is here, and the attestation gets it as far as the kernel.
        let deploy = WireRequest.OneOf_Operation.deploy(
            .with {
                $0.artifactSha256 = reply.artifactSha256; $0.attestation = reply.envelope
            })
        let failure = try await Embedded.ask(Embedded.agent, backend, deploy).failure.asFailure
        #expect(failure.code != .denied && failure.code != .notFound, "\(failure)")
        let spent = try await backend.journal.spent(by: Embedded.agent.uid, at: Clock.realtime())
        #expect(spent.cpu >= 2_000_000_000 && spent.cpu < 3_000_000_000)
        let outcome = try backend.daemon.audit.tail(10).last { $0.entry.operation == "verify" }
        let stages = outcome?.entry.detail["stages"] ?? ""
        #expect(stages.contains("dynamic=passed"))
    }

    @Test func aNameGoesTheSameWayWithItsOrigin() async throws {
        let folder = try TemporaryFolder()
        try await Checkout.install(into: folder)
        let verifier = try FakeVerifier { submit, to in to.finish(FakeVerifier.passed(submit)) }
        let backend = try Self.backend(verifier, schedulers: folder)
        let attest = WireRequest.OneOf_Operation.attest(
            .with {
                $0.name = "fifo"; $0.parameters = [WireSetting(Setting(name: "slice_us", value: "3000"))]
            })
        let reply = try await Embedded.ask(Embedded.agent, backend, attest).attestation
        let claims = try Envelope.parse([UInt8](reply.envelope)).unverifiedClaims()
        #expect(claims.stages.map(\.name) == ["origin", "compile", "static", "kernel", "dynamic"])
        #expect(claims.stages[1].verdict == .skipped)
        guard case .submit(let submit) = verifier.requests.last?.message else { throw Lacking("no job came") }
        let object = Data(try await Checkout.object("fifo"))
        #expect(submit.object.code == object && submit.uid == Embedded.agent.uid)
        #expect(submit.parameters.first?.value == "3000" && submit.effort == "full")
        #expect(!submit.capabilities.kernelFunctions.isEmpty && !submit.capabilities.userMemory)
    }

    @Test func aRefusalCarriesItsFindingAndChangesNothing() async throws {
        let verifier = try FakeVerifier { submit, to in
            to.finish(
                FakeVerifier.passed(submit) { report in
                    let finding = Finding(
                        stage: .static, check: "lost-task", message: "a task is lost",
                        location: SourceLocation(file: "mine.bpf.c", line: 7), remedy: "insert it")
                    let evidence = ArtifactDigest.of([])
                    report.stages[1] = WireStageResult(
                        StageReport(.static, .failed, findings: [finding]), evidence: evidence)
                    for index in 2...3 { report.stages[index].verdict = "skipped" }
                })
        }
        let backend = try Self.backend(verifier)
        let reply = try await Embedded.ask(Embedded.agent, backend, Self.code()).verified
        #expect(!reply.passed && reply.envelope.isEmpty && Self.stored(backend).isEmpty)
        #expect(reply.stages[1].findings.first?.place.line == 7)
        let attest = WireRequest.OneOf_Operation.attest(
            .with {
                $0.object = Data(FakeVerifier.object); $0.reason = "r"
            })
        let failure = try await Embedded.ask(Embedded.root, backend, attest).failure.asFailure
        #expect(failure.code == .verifierRefused && failure.message.contains("mine.bpf.c:7"), "\(failure)")
        #expect(failure.hint == "insert it")
    }

    @Test func withoutAVerifierNothingIsVerified() async throws {
        let backend = try Embedded.Backend()
        let failure = try await Embedded.ask(Embedded.agent, backend, Self.code()).failure.asFailure
        #expect(failure.code == .noVerifier && failure.hint.contains("schedcp-verify.socket"), "\(failure)")
        let none = try Embedded.rules().replacingOccurrences(of: "verifier local", with: "# verifier local")
        let without = try Embedded.Backend(rules: none)
        let other = try await Embedded.ask(Embedded.agent, without, Self.code()).failure.asFailure
        #expect(other.code == .noVerifier && other.hint.contains("rules.conf"))
        // And so nothing is deployed.
        let deploy = try await Embedded.ask(Embedded.agent, backend, .deploy(.with { $0.name = "fifo" }))
        #expect(deploy.failure.asFailure.code == .denied || deploy.failure.asFailure.code == .notFound)
    }

    @Test func theNextVerifierIsAskedWhereTheFirstDoesNotAnswer() async throws {
        let verifier = try FakeVerifier { submit, to in to.finish(FakeVerifier.passed(submit)) }
        let rules = try verifier.rules().replacingOccurrences(
            of: "verifier fake", with: "verifier gone socket /nonexistent/v.sock\nverifier fake")
        let backend = try Embedded.Backend(rules: rules)
        let reply = try await Embedded.ask(Embedded.agent, backend, Self.code()).verified
        #expect(reply.passed && reply.verifier == "fake")
    }

    static let badNames = [
        "", "x", "../x.c", "a/b.c", "-x.c", ".x.c", "x y.c", "x\0.c", String(repeating: "a", count: 200) + ".c",
    ]

    @Test(arguments: badNames) func sourcesHavePlainNames(_ name: String) async throws {
        let verifier = try FakeVerifier { submit, to in to.finish(FakeVerifier.passed(submit)) }
        let backend = try Self.backend(verifier)
        let answer = try await Embedded.ask(Embedded.agent, backend, Self.code(name))
        #expect(answer.failure.asFailure.code == .invalidArgument)
        #expect(verifier.requests.isEmpty)
    }

    @Test func theLimitsOfTheRoleBind() async throws {
        let verifier = try FakeVerifier { submit, to in to.finish(FakeVerifier.passed(submit)) }
        let backend = try Self.backend(verifier)
        let large = [UInt8](repeating: 32, count: 262_145)
        let tooLarge = try await Embedded.ask(Embedded.agent, backend, Self.code("x.c", large)).failure.asFailure
        #expect(tooLarge.code == .tooMany && tooLarge.hint.contains("source-bytes"))
        let observer = try await Embedded.ask(Embedded.ordinary, backend, Self.code()).failure.asFailure
        #expect(observer.code == .denied)
        // A raw object is for those who may deploy one unverified.
        let raw = WireRequest.OneOf_Operation.verify(
            .with {
                $0.object = Data(FakeVerifier.object); $0.reason = "r"
            })
        #expect(try await Embedded.ask(Embedded.agent, backend, raw).failure.asFailure.code == .denied)
        #expect(verifier.requests.isEmpty)
        #expect(try await Embedded.ask(Embedded.root, backend, raw).verified.passed)
    }

    @Test func aQuickAttestationIsTooLittleForAnAgent() async throws {
        let verifier = try FakeVerifier { submit, to in to.finish(FakeVerifier.passed(submit)) }
        let backend = try Self.backend(verifier)
        let quick = WireRequest.OneOf_Operation.verify(
            .with {
                $0.code.name = "x.c"; $0.code.code = Data(Self.source); $0.effort = "quick"
            })
        let reply = try await Embedded.ask(Embedded.agent, backend, quick).verified
        #expect(reply.passed && reply.effort == "quick")
        let deploy = WireRequest.OneOf_Operation.deploy(
            .with {
                $0.artifactSha256 = reply.artifactSha256; $0.attestation = reply.envelope
            })
        #expect(try await Embedded.ask(Embedded.agent, backend, deploy).failure.asFailure.detail == "too-little-effort")
    }
}
