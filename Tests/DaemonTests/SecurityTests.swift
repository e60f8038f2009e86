import Access
import Attestation
import Audit
import Daemon
import Deployment
import Foundation
import Linux
import Model
import NIOCore
import SwiftProtobuf
import TestSupport
import Testing
import Wire

/// Every operation × every role × every phase, through the real handler: what the table denies has no effect and is audited.
@Suite(.timeLimit(.minutes(10))) struct SecurityRulesTests {
    typealias Operation = Access.Operation

    static let actors: [(Role, Model.Actor)] = [
        (.observer, Embedded.ordinary), (.agent, Embedded.agent), (.operator_, Embedded.admin),
        (.verifier, Embedded.verifier), (.admin, Embedded.root),
    ]

    static let requests: [(Operation, WireRequest.OneOf_Operation)] = [
        (.hello, .hello(RawClient.hello)), (.cancel, .cancel(.init())), (.status, .status(.init())),
        (.list, .list(.init())),
        (.show, .show(.with { $0.name = "fifo" })), (.history, .history(.init())), (.events, .events(.init())),
        (.doctor, .doctor(.init())), (.whoami, .whoami(.init())),
        (.explain, .explain(.with { $0.operation = "deploy" })), (.attest, .attest(.with { $0.name = "fifo" })),
        (.verify, .verify(.with { $0.name = "fifo" })),
        (.deploy, .deploy(.with { $0.name = "fifo" })),
        (
            .deployUnverified,
            .deploy(
                .with {
                    $0.name = "fifo"; $0.unverified = true; $0.reason = "r"
                })
        ),
        (
            .takeover,
            .deploy(
                .with {
                    $0.name = "fifo"; $0.takeover = true
                })
        ), (.rollback, .rollback(.init())),
        (.audit, .audit(.init())), (.quarantine, .quarantine(.init())),
        (.quarantineRelease, .quarantineRelease(.with { $0.artifactSha256 = "0123456789" })),
        (.rulesReload, .rulesReload(.init())), (.keys, .keys(.init())), (.keyRotate, .keyRotate(.init())),
        (
            .keyRevoke,
            .keyRevoke(
                .with {
                    $0.keyID = String(repeating: "0", count: 64); $0.reason = "r"
                })
        ),
        (
            .attestRevoke,
            .attestRevoke(
                .with {
                    $0.nonce = String(repeating: "0", count: 32); $0.reason = "r"
                })
        ),
        (.search, .search(.with { $0.text = "batch" })), (.entries, .entries(.init())),
        (.entry, .entry(.with { $0.key = "fifo" })), (.entryExport, .entryExport(.with { $0.key = "fifo" })),
        (.entryImport, .entryImport(.with { $0.source = "elsewhere" })), (.outcome, .outcome(.init())),
        (.antipattern, .antipattern(.init())), (.antipatterns, .antipatterns(.init())),
        (.tuning, .tuning(.init())), (.tune, .tune(.init())), (.view, .view(.init())),
    ]

    @Test func everyOperationIsAskedAboutByItsOwnName() {
        #expect(Set(Self.requests.map(\.0)) == Set(Operation.allCases))
    }

    @Test func theHandlerDecidesAsTheTableDoes() async throws {
        let folder = try TemporaryFolder()
        try await Checkout.install(into: folder)
        let backend = try Embedded.Backend(schedulers: folder)
        let report = AccessRules.read(Array(try Embedded.rules().utf8)) { $0 == .user("root") ? 0 : nil }
        let rules = try #require(report.rules)
        var (denied, refused) = (0, 0)
        for (role, actor) in Self.actors {
            let assignment = rules.assignment(of: actor)
            #expect(assignment?.role == role)
            for (operation, request) in Self.requests where operation != .hello {
                let isAllowed = rules.decide(assignment, operation, in: .serving).isAllowed
                let answer = try await Embedded.ask(actor, backend, request)
                let isDenied: Bool
                if case .failure(let failure) = answer.result {
                    // A denial by the table names the right that is lacking; one by a service says something else.
                    isDenied = failure.asFailure.code == .denied && failure.message.contains("may not")
                } else {
                    isDenied = false
                }
                #expect(isDenied == !isAllowed, "\(role) \(operation): \(answer)")
                if !isAllowed { (denied, refused) = (denied + 1, refused + (isDenied ? 1 : 0)) }
            }
            // Before hello nothing is answered, whoever asks.
            for (operation, request) in Self.requests where operation != .hello {
                let connection = try Embedded(actor, backend)
                try connection.send(7, request)
                let answer = try connection.answers().first
                let isRefused = answer?.failure.asFailure.code == .outOfPhase
                #expect(isRefused, "\(role) \(operation)")
                (denied, refused) = (denied + 1, refused + (isRefused ? 1 : 0))
            }
            let connection = try Embedded(actor, backend)
            try connection.greet()
            try connection.send(7, .hello(RawClient.hello))
            let isRefused = try connection.answers().first?.failure.asFailure.code == .outOfPhase
            #expect(isRefused)
            (denied, refused) = (denied + 1, refused + (isRefused ? 1 : 0))
        }
        Attacks.report("rules", tried: denied, refused: refused)
        // The audit has each of them, by user and operation.
        let records = try backend.daemon.audit.tail(1000)
        for (role, actor) in Self.actors {
            for (operation, _) in Self.requests where operation != .hello {
                guard !rules.decide(rules.assignment(of: actor), operation, in: .serving).isAllowed else { continue }
                // Who may not deploy at all is refused that, before taking over is looked at.
                let names =
                    operation == .takeover ? [operation.rawValue, Operation.deploy.rawValue] : [operation.rawValue]
                let isThere = records.contains {
                    $0.entry.decision == .denied && names.contains($0.entry.operation)
                        && $0.entry.actor?.uid == actor.uid
                }
                #expect(isThere, "\(role) \(operation)")
            }
        }
    }

    /// What is privileged and permitted is in the audit before it was done, with its outcome after it.
    @Test func privilegedOperationsLeaveTwoRecords() async throws {
        let folder = try TemporaryFolder()
        try await Checkout.install(into: folder)
        let backend = try Embedded.Backend(schedulers: folder)
        for (operation, request) in Self.requests
        where [.rollback, .keyRotate, .attestRevoke, .quarantineRelease].contains(operation) {
            _ = try await Embedded.ask(Embedded.root, backend, request)
            let last = try backend.daemon.audit.tail(10).filter { $0.entry.operation == operation.rawValue }
            #expect(last.map(\.entry.kind) == [.operation, .outcome], "\(operation)")
            #expect(last.last?.entry.ref == last.first?.seq)
            #expect(last.first?.entry.rule.hasPrefix("rules.conf:") == true)
        }
    }
}

/// Attestations through the real handler: each field altered in turn, and everything else that is not good.
@Suite(.timeLimit(.minutes(10))) struct SecurityAttestationTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// What the refusal says.
        let code: String
        let change: @Sendable (inout AttestationClaims) throws -> Void

        init(_ name: String, _ code: String, _ change: @escaping @Sendable (inout AttestationClaims) throws -> Void) {
            (testDescription, self.code, self.change) = (name, code, change)
        }
    }

    static let attacks: [Attack] = [
        Attack("artifact", "other-artifact") { $0.artifact = String(repeating: "0", count: 64) },
        Attack("arguments", "other-arguments") {
            $0.arguments = try AttestedArguments(parameters: [Setting(name: "slice_us", value: "1")])
        },
        Attack("release", "other-kernel") { $0.kernel.release = "9.9.9" },
        Attack("build id", "other-kernel") { $0.kernel.buildID = String(repeating: "ab", count: 20) },
        Attack("BTF", "other-kernel") { $0.kernel.btfDigest = String(repeating: "0", count: 64) },
        Attack("holder", "other-holder") { $0.holder = AttestationHolder(userID: 4711, name: "somebody") },
        Attack("expired", "expired") { ($0.issuedAt, $0.expiresAt) = ($0.issuedAt - 7200, $0.issuedAt - 3600) },
        Attack("not yet valid", "not-yet-valid") {
            ($0.issuedAt, $0.expiresAt) = ($0.issuedAt + 3600, $0.expiresAt + 3600)
        },
        Attack("lifetime", "lifetime-too-long") { $0.expiresAt += 365 * 86_400 },
        Attack("no stages", "missing-stage") { $0.stages = [] },
        Attack("stage skipped", "missing-stage") { $0.stages[1].verdict = .skipped },
        Attack("stage failed", "failed-stage") { $0.stages[1].verdict = .failed },
        Attack("other stages", "missing-stage") { $0.stages[1].name = "kernel2" },
    ]

    private static func backend() async throws -> Embedded.Backend {
        let folder = try TemporaryFolder()
        try await Checkout.install(into: folder)
        return try Embedded.Backend(schedulers: folder)
    }

    private static func deploy(_ envelope: [UInt8], _ name: String = "fifo") -> WireRequest.OneOf_Operation {
        .deploy(
            .with {
                $0.name = name; $0.attestation = Data(envelope)
            })
    }

    private static func refusal(_ envelope: [UInt8], _ backend: Embedded.Backend, name: String = "fifo") async throws
        -> Failure?
    {
        guard
            case .failure(let failure) = try await Embedded.ask(Embedded.agent, backend, deploy(envelope, name)).result
        else { return nil }
        return failure.asFailure
    }

    /// A good one gets as far as the kernel, which this machine may not have: otherwise the refusals would mean nothing.
    @Test func aGoodOneIsNotRefused() async throws {
        let backend = try await Self.backend()
        let good = try backend.daemon.attest("fifo", holder: Embedded.agent)
        let failure = try await Self.refusal(good, backend)
        #expect(failure?.code != .denied, "\(failure?.description ?? "")")
        if !HostProbe.missingForDeployment().isEmpty { #expect(failure?.code == .kernelUnsupported) }
    }

    @Test func everyAlterationHasItsOwnReason() async throws {
        let backend = try await Self.backend()
        var refused = 0
        for attack in Self.attacks {
            var problem: (any Error)?
            let envelope = try backend.daemon.attest("fifo", holder: Embedded.agent) { claims in
                do { try attack.change(&claims) } catch { problem = error }
            }
            #expect(problem == nil)
            let failure = try await Self.refusal(envelope, backend)
            #expect(
                failure?.code == .denied && failure?.detail == attack.code,
                "\(attack): \(failure?.description ?? "accepted")")
            refused += failure?.code == .denied ? 1 : 0
        }
        Attacks.report("attestation-fields", tried: Self.attacks.count, refused: refused)
    }

    @Test func forgedDamagedAndStrangeOnesAreRefused() async throws {
        let backend = try await Self.backend()
        let good = try backend.daemon.attest("fifo", holder: Embedded.agent)
        var attacks: [(String, [UInt8])] = [
            ("other key", try backend.daemon.attest("fifo", holder: Embedded.agent, with: SigningKey())),
            ("empty object", Array("{}".utf8)), ("nested", [UInt8](repeating: 91, count: 100_000)),
            ("nested objects", Array((String(repeating: "{\"a\":", count: 5000)).utf8)),
            ("400 KiB", [UInt8](repeating: 32, count: 400 * 1024) + good),
            ("binary", [UInt8](repeating: 0xFF, count: 1000)),
            ("twice", good + good), ("other scheduler", try backend.daemon.attest("vtime", holder: Embedded.agent)),
        ]
        for length in stride(from: 1, to: good.count - 1, by: max(1, good.count / 40)) {
            attacks.append(("cut at \(length)", Array(good.prefix(length))))
        }
        var random = Seeded(7)
        for number in 0..<60 {
            var bytes = good
            bytes[random.below(bytes.count)] ^= UInt8(1 << random.below(8))
            attacks.append(("bit flip \(number)", bytes))
        }
        var refused = 0
        for (name, bytes) in attacks where bytes != good {
            let failure = try await Self.refusal(bytes, backend)
            // A flipped bit in what no signature covers (spaces, the order of fields) changes nothing that is said.
            let isSame = name.hasPrefix("bit flip") && failure?.code == .kernelUnsupported
            #expect(failure?.code == .denied || isSame, "\(name): \(failure?.description ?? "accepted")")
            refused += failure?.code == .denied || isSame ? 1 : 0
        }
        Attacks.report("attestation-forgeries", tried: attacks.count { $0.1 != good }, refused: refused)
    }

    /// 10 MiB do not even reach the parser: the frame is refused by its length.
    @Test func tenMebibytesAreRefusedByTheFrame() async throws {
        let backend = try await Self.backend()
        let connection = try Embedded(Embedded.agent, backend)
        try connection.greet()
        try connection.send([0x00, 0xA0, 0x00, 0x00])
        #expect(try connection.answers().first?.failure.asFailure.code == .frameTooLarge)
        Attacks.report("attestation-forgeries", tried: 1, refused: 1)
    }

    @Test func aRevokedKeyAndARevokedNonceAreRefused() async throws {
        let backend = try await Self.backend()
        var nonce = ""
        let one = try backend.daemon.attest("fifo", holder: Embedded.agent) { nonce = $0.nonce }
        let revoke = WireAttestRevokeRequest.with {
            $0.nonce = nonce; $0.reason = "test"
        }
        #expect(try await Embedded.ask(Embedded.root, backend, .attestRevoke(revoke)).result == .done(WireDone()))
        #expect(try await Self.refusal(one, backend)?.detail == "revoked")
        let two = try backend.daemon.attest("fifo", holder: Embedded.agent)
        guard case .keys(let keys) = try await Embedded.ask(Embedded.root, backend, .keys(.init())).result,
            let current = keys.keys.first(where: { $0.state == "current" })
        else {
            Issue.record("no keys")
            return
        }
        _ = try await Embedded.ask(Embedded.root, backend, .keyRotate(.init()))
        // The overlap: what the old key has signed before is still good.
        #expect(try await Self.refusal(two, backend)?.code != .denied)
        _ = try await Embedded.ask(
            Embedded.root, backend,
            .keyRevoke(
                .with {
                    $0.keyID = current.keyID; $0.reason = "test"
                }))
        #expect(try await Self.refusal(two, backend)?.detail == "revoked-key")
        Attacks.report("attestation-fields", tried: 2, refused: 2)
    }

    @Test func somebodyElsesIsOnlyForThoseWhoManage() async throws {
        let backend = try await Self.backend()
        let alices = try backend.daemon.attest("fifo", holder: Embedded.admin)
        #expect(try await Self.refusal(alices, backend)?.detail == "other-holder")
        let anybodys = try backend.daemon.attest("fifo", holder: nil)
        #expect(try await Self.refusal(anybodys, backend)?.code != .denied)
        let answer = try await Embedded.ask(Embedded.root, backend, Self.deploy(alices))
        #expect(answer.failure.asFailure.code != .denied)
    }
}
