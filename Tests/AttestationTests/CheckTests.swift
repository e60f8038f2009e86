import Model
import TestSupport
import Testing

@testable import Attestation

/// What a good attestation does not permit.
@Suite struct CheckTests {
    @Test func theSampleIsAccepted() throws {
        let sample = try Sample()
        #expect(try sample.check.verify(sample.envelope()) == sample.claims)
    }

    struct Change: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let refusal: Refusal?
        let apply: @Sendable (inout Sample) throws -> Void
    }

    static let now = Sample.now
    static let changes: [Change] = [
        Change(testDescription: "other artifact", refusal: .otherArtifact(attested: Sample.digestA)) {
            $0.check.artifact = Sample.digestB
        },
        Change(testDescription: "other release", refusal: .otherKernel([.release])) {
            $0.check.kernel.release = "7.3.5"
        },
        Change(testDescription: "other build", refusal: .otherKernel([.buildID])) {
            $0.check.kernel.buildID = "0badcaff"
        },
        Change(testDescription: "other BTF", refusal: .otherKernel([.btf])) {
            $0.check.kernel.btfDigest = Sample.digestA
        },
        Change(testDescription: "other everything", refusal: .otherKernel([.release, .buildID, .btf])) {
            $0.check.kernel = KernelIdentity(release: "8", buildID: "00", btfDigest: Sample.digestA)
        },
        Change(testDescription: "other spelling of the release", refusal: .otherKernel([.release])) {
            $0.claims.kernel.release = "7-\u{E9}"
            $0.check.kernel.release = "7-e\u{301}"
        },
        Change(testDescription: "other user", refusal: .otherHolder("ann")) { $0.check.userID = 1001 },
        Change(testDescription: "other user with the right", refusal: nil) {
            $0.check.userID = 1001
            $0.check.mayUseOthers = true
        },
        Change(testDescription: "no holder", refusal: nil) {
            $0.claims.holder = nil
            $0.check.userID = 5
        },
        Change(testDescription: "60 s early", refusal: nil) { $0.check.now = now - 60 },
        Change(testDescription: "61 s early", refusal: .notYetValid(issuedAt: now)) { $0.check.now = now - 61 },
        Change(testDescription: "before time", refusal: .notYetValid(issuedAt: now)) { $0.check.now = .min },
        Change(testDescription: "last second", refusal: nil) { $0.check.now = now + 3599 },
        Change(testDescription: "expired", refusal: .expired(at: now + 3600)) { $0.check.now = now + 3600 },
        Change(testDescription: "after time", refusal: .expired(at: now + 3600)) { $0.check.now = .max },
        Change(testDescription: "longest lifetime", refusal: nil) { $0.check.maxLifetimeSeconds = 3600 },
        Change(testDescription: "too long", refusal: .lifetimeTooLong(seconds: 3600)) {
            $0.check.maxLifetimeSeconds = 3599
        },
        Change(testDescription: "missing stage", refusal: .missingStage("dynamic")) {
            $0.check.requiredStages.append("dynamic")
        },
        Change(testDescription: "skipped stage", refusal: .missingStage("kernel")) {
            $0.claims.stages[2].verdict = .skipped
        },
        Change(testDescription: "skipped stage that is not demanded", refusal: nil) {
            $0.claims.stages[1].verdict = .skipped
        },
        Change(testDescription: "failed stage that is not demanded", refusal: .failedStage("static")) {
            $0.claims.stages[1].verdict = .failed
        },
        Change(testDescription: "revoked", refusal: .revoked) { $0.check.revokedNonces = [$0.claims.nonce] },
        Change(testDescription: "another revoked", refusal: nil) {
            $0.check.revokedNonces = ["ff0102030405060708090a0b0c0d0e0f"]
        },
        Change(testDescription: "no keys", refusal: .unknownKey) { $0.check.keys = [] },
        Change(testDescription: "key of another", refusal: .unknownKey) { $0.key = SigningKey() },
    ]

    @Test(arguments: changes) func eachChangeHasItsRefusal(_ change: Change) throws {
        var sample = try Sample()
        try change.apply(&sample)
        #expect(try sample.refusal() == change.refusal)
    }

    @Test func keysThatWereRetiredOrRevoked() throws {
        var sample = try Sample()
        let key = sample.key
        func listed(_ notAfter: Int64?, revoked: Bool = false) throws -> VerifierKey {
            try VerifierKey(name: "k", publicKey: key.publicKey, notAfter: notAfter, revoked: revoked)
        }
        sample.check.keys = [try listed(Sample.now)]
        #expect(try sample.refusal() == nil)
        sample.check.keys = [try listed(Sample.now - 1)]
        #expect(try sample.refusal() == .keyRetired(keyID: key.keyID))
        sample.check.keys = [try listed(nil, revoked: true)]
        #expect(try sample.refusal() == .revokedKey(keyID: key.keyID))
        // Listed twice, revoked once, in both orders.
        sample.check.keys = [try listed(nil), try listed(nil, revoked: true)]
        #expect(try sample.refusal() == .revokedKey(keyID: key.keyID))
        sample.check.keys.reverse()
        #expect(try sample.refusal() == .revokedKey(keyID: key.keyID))
    }

    struct Arguments: Sendable {
        var parameters: [Setting]
        var hints: [Hint]
    }

    @Test func everyChangeOfTheArgumentsIsSeenAndNoOrderIs() throws {
        var sample = try Sample()
        let original = Arguments(
            parameters: sample.check.arguments.parameters, hints: sample.check.arguments.hints)
        let changes: [(inout Arguments) throws -> Void] = [
            { $0.parameters[0].value += "0" }, { $0.parameters[0].name += "x" }, { $0.parameters.removeLast() },
            { $0.parameters.append(Setting(name: "x", value: "")) }, { $0.parameters = [] }, { $0.hints = [] },
            { $0.hints.removeFirst() },
            { $0.hints[0] = try Hint(kind: $0.hints[0].kind, key: $0.hints[0].key, nanoseconds: 8) },
            { $0.hints[0] = try Hint(kind: .process, key: "a/b", nanoseconds: $0.hints[0].nanoseconds) },
            { $0.hints[0] = try Hint(kind: $0.hints[0].kind, key: "a/c", nanoseconds: $0.hints[0].nanoseconds) },
            { $0.hints.append(try Hint(kind: .process, key: "z", nanoseconds: 0)) },
            // What moves from one text into the next.
            {
                $0.parameters[0].value = String($0.parameters[0].name.suffix(1)) + $0.parameters[0].value
                $0.parameters[0].name.removeLast()
            },
        ]
        for (index, change) in changes.enumerated() {
            var changed = original
            try change(&changed)
            sample.check.arguments = try AttestedArguments(parameters: changed.parameters, hints: changed.hints)
            #expect(try sample.refusal() == .otherArguments, "change \(index)")
        }
        sample.check.arguments = try AttestedArguments(
            parameters: original.parameters.reversed(), hints: original.hints.reversed())
        #expect(try sample.refusal() == nil)
    }

    @Test(arguments: 0..<50 as Range<UInt64>) func theOrderOfArgumentsDoesNotMatter(seed: UInt64) throws {
        var random = Seeded(seed)
        let arguments = try random.claims().arguments
        let shuffled = try AttestedArguments(
            parameters: arguments.parameters.shuffled(using: &random), hints: arguments.hints.shuffled(using: &random))
        #expect(shuffled == arguments)
        #expect(shuffled.digest == arguments.digest)
    }

    @Test func argumentsAreBoundedAndGivenOnce() throws {
        let twice = [Setting(name: "a", value: "1"), Setting(name: "a", value: "2")]
        let hint = try Hint(kind: .process, key: "a", nanoseconds: 1)
        let other = try Hint(kind: .process, key: "a", nanoseconds: 2)
        let many = (0...256).map { Setting(name: "\($0)", value: "") }
        let long = [Setting(name: String(repeating: "a", count: 129), value: "")]
        #expect(throws: Failure.self) { try AttestedArguments(parameters: twice) }
        #expect(throws: Failure.self) { try AttestedArguments(hints: [hint, other]) }
        #expect(throws: Failure.self) { try AttestedArguments(parameters: many) }
        #expect(throws: Failure.self) { try AttestedArguments(parameters: long) }
        #expect(throws: Failure.self) { try AttestedArguments(parameters: [Setting(name: "", value: "")]) }
        // Two spellings of one letter are two names.
        let spellings = [Setting(name: "\u{E9}", value: "1"), Setting(name: "e\u{301}", value: "1")]
        #expect(try AttestedArguments(parameters: spellings).parameters.count == 2)
    }

    @Test func codesAreUniqueAndSentencesEscape() {
        let evil = "\u{1B}[2J\n"
        let all: [Refusal] = [
            .tooLarge(bytes: 1), .nestedTooDeep, .malformed("x"), .duplicateKey(evil), .wrongPayloadType(evil),
            .noSignature, .tooManySignatures(9), .unknownKey, .revokedKey(keyID: "k"), .badSignature,
            .keyRetired(keyID: "k"), .wrongStatementType(evil), .wrongPredicateType(evil), .noSubject, .manySubjects(2),
            .unknownField(evil), .badField("f"), .otherArtifact(attested: "a"), .otherArguments,
            .otherKernel([.btf]), .otherHolder(evil), .notYetValid(issuedAt: 0), .expired(at: 0),
            .lifetimeTooLong(seconds: 1), .missingStage(evil), .failedStage(evil), .revoked, .spent,
        ]
        #expect(Set(all.map(\.code)).count == all.count)
        #expect(Set(all.map(\.sentence)).count == all.count)
        for refusal in all {
            let failure = refusal.asFailure
            #expect(failure.code == .denied)
            #expect(failure.detail == refusal.code)
            #expect(!failure.hint.isEmpty)
            #expect(!failure.message.contains("\u{1B}") && !failure.message.contains("\n"))
            #expect(refusal.code.allSatisfy { ("a"..."z").contains($0) || $0 == "-" })
        }
    }
}
