import Attestation
import Daemon
import Foundation
import Linux
import Model
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// A verifier that lies, hangs, floods or dies: the job fails, nothing changes, and the daemon goes on.
@Suite(.timeLimit(.minutes(10))) struct SecurityVerifierTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let behaviour: FakeVerifier.Behaviour

        init(_ name: String, _ behaviour: @escaping FakeVerifier.Behaviour) {
            (testDescription, self.behaviour) = (name, behaviour)
        }

        /// A report that is a lie in one place.
        static func lie(_ name: String, _ change: @escaping @Sendable (inout WireVerificationReport) -> Void) -> Attack
        {
            Attack(name) { submit, to in to.finish(FakeVerifier.passed(submit, change)) }
        }
    }

    static let lies: [Attack] = [
        .lie("wrong digest") { $0.artifactSha256 = String(repeating: "0", count: 64) },
        .lie("other object") { $0.object = Data([1, 2, 3]) },
        .lie("no object") { report in
            report.object = Data()
            report.artifactSha256 = ""
        },
        .lie("other release") { $0.kernel.release = "9.9.9" },
        .lie("other build") { $0.kernel.buildID = String(repeating: "ab", count: 20) },
        .lie("other BTF") { $0.kernel.btfSha256 = String(repeating: "0", count: 64) },
        .lie("no kernel") { $0.clearKernel() },
        .lie("other nonce") { $0.nonce = String(repeating: "0", count: 32) },
        .lie("other parameters") { $0.parameters = [WireSetting(Setting(name: "a", value: "1"))] },
        .lie("less effort") { $0.effort = "quick" },
        .lie("no effort") { $0.effort = "" },
        .lie("unknown stage") { $0.stages[1].stage = "magic" },
        .lie("unknown verdict") { $0.stages[1].verdict = "fine" },
        .lie("stage twice") { $0.stages[2] = $0.stages[1] },
        .lie("stages in another order") { $0.stages.swapAt(1, 2) },
        .lie("no evidence") { $0.stages[1].evidenceSha256 = "" },
        .lie("evidence that is no digest") { $0.stages[1].evidenceSha256 = "../../etc/passwd" },
        .lie("passed with an error") {
            $0.stages[1].findings = [WireFinding(Finding(stage: .static, check: "x", message: "m"))]
        },
        .lie("an object of 7 MiB") { report in
            report.object = Data(repeating: 1, count: 7 << 20)
            report.artifactSha256 = ArtifactDigest.of([UInt8](report.object))
        },
        Attack("no outcome") { submit, to in
            var finished = WireJobFinished()
            finished.job = submit.job
            to.finish(finished)
        },
        Attack("a denial that is not its to make") { submit, to in
            var finished = WireJobFinished()
            finished.job = submit.job
            finished.failure = WireFailure(Failure(.denied, "no\u{1B}[2J"))
            to.finish(finished)
        },
        Attack("another job's verdict") { submit, to in
            var finished = FakeVerifier.passed(submit)
            finished.job += 1
            to.finish(finished)
            to.close()
        },
        Attack("garbage") { _, to in to.send([0, 0, 0, 4, 0xFF, 0xFF, 0xFF, 0xFF]) },
        Attack("a frame of 4 GiB") { _, to in to.send([0xFF, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 0, count: 1000)) },
        Attack("a frame cut off") { _, to in
            to.send([0, 0, 1, 0, 1, 2, 3])
            to.close()
        },
        Attack("dies at once") { _, to in to.close() },
        Attack("dies after an event") { submit, to in
            to.event(submit.job) { $0.stage = "compile" }
            to.close()
        },
        Attack("a failure of the session") { _, to in
            var response = WireVerifierResponse()
            response.failure = WireFailure(Failure(.internal, "broken"))
            to.send(response)
        },
        Attack("endless events") { submit, to in
            for _ in 0..<1000 { to.event(submit.job) { $0.stage = "static" } }
        },
        Attack("endless events of nobody's job") { submit, to in
            for _ in 0..<1000 { to.event(submit.job + 1) { $0.stage = "static" } }
        },
        Attack("large events") { submit, to in
            for _ in 0..<20 {
                to.event(submit.job) {
                    $0.finding.detail = String(repeating: "x", count: 100_000)
                }
            }
        },
        Attack("a bomb of empty messages") { _, to in
            // One finished report with 200,000 empty stages, in 400 kB.
            let stages = [UInt8](repeating: 0, count: 400_000).enumerated().map { $0.offset % 2 == 0 ? UInt8(0x22) : 0 }
            func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
                var length = bytes.count
                var varint: [UInt8] = []
                while length >= 0x80 {
                    varint.append(UInt8(length & 0x7F) | 0x80)
                    length >>= 7
                }
                return [number << 3 | 2] + varint + [UInt8(length)] + bytes
            }
            let payload = field(3, field(3, stages))
            to.send(RawClient.frame(payload))
        },
        Attack("says nothing") { _, _ in },
    ]

    private static var limits: VerifierLimits {
        var limits = VerifierLimits()
        limits.silenceMilliseconds = 6000
        limits.events = 200
        limits.eventBytes = 1 << 20
        return limits
    }

    @Test(arguments: lies) func itIsNotBelievedAndNothingChanges(_ attack: Attack) async throws {
        let verifier = try FakeVerifier(attack.behaviour)
        let backend = try Embedded.Backend(rules: try verifier.rules(), verifier: Self.limits)
        let answer = try await Embedded.ask(Embedded.agent, backend, VerifyTests.code())
        let failure = answer.failure.asFailure
        #expect([.noVerifier, .kernelUnsupported].contains(failure.code), "\(answer)")
        #expect(!failure.message.contains("\u{1B}"))
        #expect(VerifyTests.stored(backend).isEmpty)
        // The user's place is free again, and others were never kept from anything.
        let again = try await Embedded.ask(Embedded.agent, backend, .status(.init()))
        #expect(again.result != nil)
        Attacks.report("verifier", tried: 1, refused: failure.code == .internal ? 0 : 1)
    }

    @Test func oneThatDoesNotGreetIsPassedOver() async throws {
        let silent = try FakeVerifier(greets: false) { _, _ in }
        let good = try FakeVerifier { submit, to in to.finish(FakeVerifier.passed(submit)) }
        var limits = Self.limits
        limits.helloSeconds = 1
        let rules = try silent.rules().replacingOccurrences(
            of: "verifier fake socket \(silent.path)",
            with: "verifier silent socket \(silent.path)\nverifier good socket \(good.path)")
        let backend = try Embedded.Backend(rules: rules, verifier: limits)
        #expect(try await Embedded.ask(Embedded.agent, backend, VerifyTests.code()).verified.verifier == "good")
    }

    /// The verifier never answers; other clients of the daemon do not notice.
    @Test func theDaemonServesOthersMeanwhile() async throws {
        let verifier = try FakeVerifier { _, _ in }
        let backend = try Embedded.Backend(rules: try verifier.rules(), verifier: Self.limits)
        async let hanging = Embedded.ask(Embedded.agent, backend, VerifyTests.code())
        for _ in 0..<1000 where verifier.requests.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(verifier.requests.count == 2)
        for _ in 0..<20 {
            #expect(try await Embedded.ask(Embedded.ordinary, backend, .history(.init())).result != nil)
        }
        #expect(try await hanging.failure.asFailure.code == .noVerifier)
    }

    @Test func verificationsOfAUserAreCounted() async throws {
        let verifier = try FakeVerifier { _, _ in }
        let backend = try Embedded.Backend(rules: try verifier.rules(), verifier: Self.limits)
        async let one = Embedded.ask(Embedded.agent, backend, VerifyTests.code())
        async let two = Embedded.ask(Embedded.agent, backend, VerifyTests.code())
        for _ in 0..<1000 where verifier.requests.count < 4 { try await Task.sleep(for: .milliseconds(5)) }
        let third = try await Embedded.ask(Embedded.agent, backend, VerifyTests.code()).failure.asFailure
        #expect(third.code == .tooMany, "\(third)")
        #expect(try await one.failure.asFailure.code == .noVerifier)
        #expect(try await two.failure.asFailure.code == .noVerifier)
    }

    // MARK: Keys and streams

    static let forgeries:
        [(String, @Sendable (inout WireVerificationReport, WireJobSubmit, SigningKey) throws -> Void)] = [
            ("no statement", { _, _, _ in }), ("garbage", { report, _, _ in report.statement = Data("{}".utf8) }),
            ("another key", { report, submit, _ in try FakeVerifier.sign(&report, submit, with: SigningKey()) }),
            (
                "another nonce",
                { report, submit, key in
                    try FakeVerifier.sign(&report, submit, with: key) { $0.nonce = String(repeating: "0", count: 32) }
                }
            ),
            (
                "another artifact",
                { report, submit, key in
                    try FakeVerifier.sign(&report, submit, with: key) {
                        $0.artifact = String(repeating: "0", count: 64)
                    }
                }
            ),
            (
                "other stages",
                { report, submit, key in
                    try FakeVerifier.sign(&report, submit, with: key) { $0.stages[3].verdict = .failed }
                }
            ),
            (
                "other rules",
                { report, submit, key in
                    try FakeVerifier.sign(&report, submit, with: key) {
                        $0.rulesDigest = String(repeating: "0", count: 64)
                    }
                }
            ),
            (
                "less effort",
                { report, submit, key in try FakeVerifier.sign(&report, submit, with: key) { $0.effort = .quick } }
            ),
        ]

    @Test(arguments: forgeries.indices, [false, true]) func aForgedStatementIsRefused(
        _ index: Int, isStuffed: Bool
    ) async throws {
        let key = SigningKey()
        let forge = Self.forgeries[index].1
        let verifier = try FakeVerifier(isStuffed: isStuffed) { submit, to in
            to.finish(FakeVerifier.passed(submit) { try? forge(&$0, submit, key) })
        }
        let backend = try Embedded.Backend(rules: try verifier.rules(key: key), verifier: Self.limits)
        let failure = try await Embedded.ask(Embedded.agent, backend, VerifyTests.code()).failure.asFailure
        #expect(failure.code == .noVerifier, "\(Self.forgeries[index].0): \(failure)")
        #expect(VerifyTests.stored(backend).isEmpty)
        Attacks.report("verifier-statement", tried: 1, refused: failure.code == .noVerifier ? 1 : 0)
    }

    @Test func overAStreamManyJobsShareOneSession() async throws {
        let key = SigningKey()
        let verifier = try FakeVerifier(isStuffed: true) { submit, to in
            to.event(submit.job) { $0.stage = "static" }
            to.finish(FakeVerifier.passed(submit) { try? FakeVerifier.sign(&$0, submit, with: key) })
        }
        let backend = try Embedded.Backend(rules: try verifier.rules(key: key), verifier: Self.limits)
        for _ in 0..<3 {
            async let one = Embedded.ask(Embedded.agent, backend, VerifyTests.code())
            async let two = Embedded.ask(Embedded.root, backend, VerifyTests.code())
            let replies = [try await one.verified, try await two.verified]
            #expect(replies[0].passed && replies[1].passed)
            let claims = try Envelope.parse([UInt8](replies[0].envelope)).unverifiedClaims()
            #expect(claims.verifier.keyID == key.keyID)
        }
        let hellos = verifier.requests.count { if case .hello = $0.message { true } else { false } }
        #expect(hellos == 1 && verifier.requests.count == 7)
    }

    @Test func aStreamThatBreaksIsOpenedAnew() async throws {
        let key = SigningKey()
        let verifier = try FakeVerifier(isStuffed: true) { submit, to in
            // The first job of each session dies with it.
            if submit.job == 1, submit.code.name == "dies.c" { return to.close() }
            to.finish(FakeVerifier.passed(submit) { try? FakeVerifier.sign(&$0, submit, with: key) })
        }
        let backend = try Embedded.Backend(rules: try verifier.rules(key: key), verifier: Self.limits)
        let dead = try await Embedded.ask(Embedded.agent, backend, VerifyTests.code("dies.c")).failure.asFailure
        #expect(dead.code == .noVerifier)
        #expect(try await Embedded.ask(Embedded.agent, backend, VerifyTests.code()).verified.passed)
    }
}
