import Attestation
import Daemon
import Foundation
import Linux
import Model
import Repository
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// What the daemon itself finds out about entries, and a repository that is not in order.
@Suite(.timeLimit(.minutes(10))) struct EvidenceTests {
    private static func attest(_ name: String, _ backend: Embedded.Backend) async throws -> AttestationClaims {
        let attest = WireRequest.OneOf_Operation.attest(.with { $0.name = name })
        let reply = try await Embedded.answer(Embedded.admin, backend, attest).attestation
        return try Envelope.parse([UInt8](reply.envelope)).unverifiedClaims()
    }

    @Test func whatPassesIsVerifiedUntilThatIsRevoked() async throws {
        let verifier = try FakeVerifier { submit, to in to.finish(FakeVerifier.passed(submit)) }
        let backend = try Embedded.Backend(schedulers: try PolicySamples.installed(), rules: try verifier.rules())
        #expect(try await Embedded.entry("fifo", backend).entry.status == "candidate")
        let claims = try await Self.attest("fifo", backend)
        var fifo = try await Embedded.entry("fifo", backend)
        #expect(fifo.entry.status == "verified" && fifo.attestations.map(\.local) == [true])
        #expect(try await Embedded.entry("vtime", backend).entry.status == "candidate")
        // The same kernel again says nothing new.
        _ = try await Self.attest("fifo", backend)
        #expect(try await Embedded.entry("fifo", backend).attestations.count == 1)
        let revoke = WireRequest.OneOf_Operation.attestRevoke(
            .with {
                $0.nonce = claims.nonce; $0.reason = "a test"
            })
        _ = try await Embedded.answer(Embedded.root, backend, revoke)
        fifo = try await Embedded.entry("fifo", backend)
        #expect(fifo.entry.status == "candidate" && fifo.attestations.map(\.revoked) == [true])
        #expect(fifo.incidents.map(\.kind) == ["revoked"])
        // Verified anew it is good again; until the key goes.
        _ = try await Self.attest("fifo", backend)
        fifo = try await Embedded.entry("fifo", backend)
        #expect(fifo.entry.status == "verified" && fifo.history.last?.status == "verified")
        let key = try #require(fifo.attestations.last?.keyID)
        let revokeKey = WireRequest.OneOf_Operation.keyRevoke(
            .with {
                $0.keyID = key; $0.reason = "a test"
            })
        _ = try await Embedded.answer(Embedded.root, backend, revokeKey)
        #expect(try await Embedded.entry("fifo", backend).entry.status == "candidate")
    }

    /// Source that passes makes no entry; source that is refused is remembered, and by whom.
    @Test func whatIsRefusedIsRemembered() async throws {
        let verifier = try FakeVerifier { submit, to in
            to.finish(
                FakeVerifier.passed(submit) { report in
                    guard submit.code.name == "bad.bpf.c" else { return }
                    let finding = Finding(
                        stage: .static, check: "lost-task", severity: .error, message: "a task is lost")
                    report.stages[1] = WireStageResult(
                        StageReport(.static, .failed, findings: [finding]), evidence: ArtifactDigest.of([]))
                    for index in 2...3 { report.stages[index].verdict = "skipped" }
                })
        }
        let backend = try Embedded.Backend(rules: try verifier.rules())
        _ = try await Embedded.answer(Embedded.agent, backend, VerifyTests.code("good.bpf.c"))
        #expect(try await Embedded.entries(backend).isEmpty)
        func known() async throws -> [WireAntipatternView] {
            try await Embedded.answer(Embedded.ordinary, backend, .antipatterns(.init())).antipatterns.antipatterns
        }
        #expect(try await known().isEmpty)
        for _ in 0..<2 { _ = try await Embedded.answer(Embedded.agent, backend, VerifyTests.code("bad.bpf.c")) }
        let only = try #require(try await known().first)
        #expect(only.stage == "static" && only.times == 2 && only.base == "bad" && only.reason.contains("lost-task"))
        #expect(only.triedBy == "carol (uid 1003)" && only.fingerprint == Fingerprint.of(source: "int x;\n"))
    }

    @Test func whatTheKernelThrewOutIsAnIncident() async throws {
        let backend = try Embedded.Backend(schedulers: try PolicySamples.installed())
        let spec = { (name: String) in
            DeploymentSpec(
                scheduler: name, artifact: ArtifactDigest.of(PolicySamples.object(name)), parameters: [], hints: [],
                actor: Embedded.root, authority: .unverified(reason: "a test"))
        }
        var record = try await backend.journal.begin(spec("fifo"), previous: 0, at: 5)
        try record.move(to: .active, reason: "", at: 6)
        try record.move(to: .ejected, reason: "a task starved", at: 7)
        record.blame = .scheduler
        try await backend.journal.update(record)
        var other = try await backend.journal.begin(spec("vtime"), previous: 0, at: 8)
        try other.move(to: .active, reason: "", at: 9)
        try other.move(to: .ejected, reason: "sysrq", at: 10)
        other.blame = .outside
        try await backend.journal.update(other)
        try await backend.journal.quarantine(
            Quarantined(artifact: record.spec.artifact, deployment: record.id, reason: "a task starved", at: 7))
        let fifo = try await Embedded.entry("fifo", backend)
        #expect(fifo.incidents.map(\.kind).sorted() == ["ejected", "quarantined"])
        #expect(fifo.incidents.allSatisfy { $0.subject == "\(record.id)" && $0.reason == "a task starved" })
        #expect(try await Embedded.entry("vtime", backend).incidents.isEmpty)
    }

    // MARK: Not in order

    private static func search(_ backend: Embedded.Backend) async throws -> WireResponse {
        try await Embedded.ask(Embedded.ordinary, backend, .search(.with { $0.text = "batch jobs" }))
    }

    private static func checks(_ backend: Embedded.Backend) async throws -> [String: WireCheck] {
        let reply = try await Embedded.answer(Embedded.ordinary, backend, .doctor(.init())).doctor
        return Dictionary(reply.checks.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    @Test func withoutItsFolderEverythingElseWorksAndAReloadMendsIt() async throws {
        let state = try TemporaryFolder()
        try state.write("in the way", to: "repository")
        let installed = try PolicySamples.installed()
        let backend = try Embedded.Backend(schedulers: installed, state: state)
        let failure = try await Self.search(backend).failure.asFailure
        #expect(
            failure.code == .storage && failure.message.contains("is not open") && !failure.hint.isEmpty, "\(failure)")
        let list = try await Embedded.answer(Embedded.ordinary, backend, .list(.init())).list
        #expect(list.schedulers.map(\.name) == ["fifo", "ljf", "vtime"])
        let check = try await Self.checks(backend)["policy repository"]
        #expect(check?.verdict == .warning && check?.found.contains("is not open") == true)
        try state.remove("repository")
        _ = try await Embedded.answer(Embedded.root, backend, .rulesReload(.init()))
        #expect(try await Embedded.entries(backend).contains { $0.hasPrefix("ljf@") })
        let found = try await Self.search(backend).search
        #expect(found.hits.contains { $0.name == "ljf" }, "\(found)")
        #expect(try await Self.checks(backend)["policy repository"]?.verdict == .found)
        #expect(installed.exists("schedulers/ljf.toml"))
    }

    @Test func aDamagedDatabaseIsMadeAgainAtStart() async throws {
        let made = try Embedded.Backend()
        let bundle = PolicyBundle(
            entry: try PolicySamples.entry("far@1.0.0"), attestations: [], outcomes: [])
        _ = try await Embedded.answer(Embedded.agent, made, try PolicySamples.importing(bundle))
        await made.daemon.close()
        let state = try TemporaryFolder()
        try state.makeFolder("repository")
        for name in made.folder.names("repository") {
            try state.write(made.folder.bytes("repository/\(name)"), to: "repository/\(name)")
        }
        var bytes = state.bytes("repository/policies.sqlite")
        for index in bytes.indices where index > 100 { bytes[index] ^= 0x5A }
        try state.write(bytes, to: "repository/policies.sqlite")
        let backend = try Embedded.Backend(state: state)
        #expect(try await Embedded.entries(backend) == ["far@1.0.0"])
        #expect(state.names("repository").contains { $0.hasPrefix("policies.sqlite.damaged-") })
    }

    /// The search goes on by words, and says what to do.
    @Test func anotherModelIsNotUsed() async throws {
        let model = try TemporaryFolder()
        try model.write("[PAD]\n", to: "vocab.txt")
        try model.write(Array(repeating: 7, count: 1000), to: "model.safetensors")
        let backend = try Embedded.Backend(schedulers: try PolicySamples.installed(), model: model.path)
        let reply = try await Self.search(backend).search
        #expect(!reply.hits.isEmpty && reply.wordsOnly.contains("SHA-256"), "\(reply.wordsOnly)")
        let check = try await Self.checks(backend)["model for search"]
        #expect(check?.verdict == .warning && check?.remedy.contains("fetch-model") == true)
    }
}
