import FoundationEssentials
import Model
import TestSupport
import Testing

@testable import Attestation

/// Claims, statements and envelopes there and back, and every field of the form.
@Suite struct StatementTests {
    @Test(arguments: 0..<200 as Range<UInt64>) func claimsComeBackAsTheyWere(seed: UInt64) throws {
        var random = Seeded(seed)
        let claims = try random.claims()
        let payload = Statement.encode(claims)
        #expect(try Statement.decode(payload) == claims)
        #expect(Statement.encode(try Statement.decode(payload)) == payload)
        let bytes = try Envelope.sign(claims, with: SigningKey())
        #expect(try Envelope.parse(bytes).unverifiedClaims() == claims)
    }

    @Test func theStatementIsWhatInTotoSays() throws {
        struct Document: Decodable {
            struct Subject: Decodable {
                let name: String
                let digest: [String: String]
            }
            let _type: String
            let subject: [Subject]
            let predicateType: String
        }
        let sample = try Sample()
        let document = try JSONDecoder().decode(Document.self, from: Data(Statement.encode(sample.claims)))
        #expect(document._type == "https://in-toto.io/Statement/v1")
        #expect(document.predicateType == "https://schedcp.dev/attestation/verification/v1")
        #expect(document.subject.first?.digest == ["sha256": Sample.digestA])
        #expect(document.subject.first?.name == "fifo")
    }

    /// A piece of the statement's text, what stands there instead, and why that is refused.
    struct Alteration: Sendable, CustomTestStringConvertible {
        let old: String
        let new: String
        let refusal: Refusal

        init(_ old: String, _ new: String, _ refusal: Refusal) {
            self.old = old
            self.new = new
            self.refusal = refusal
        }

        var testDescription: String { "\(old.prefix(40)) -> \(new.prefix(40))" }
    }

    static let long = String(repeating: "n", count: 129)
    static let digest = Sample.digestB

    static let alterations: [Alteration] = [
        Alteration("\"_type\":\"https://in-toto.io/Statement/v1\"", "\"_type\":\"s\"", .wrongStatementType("s")),
        Alteration("\"_type\"", "\"type\"", .badField("_type")),
        Alteration(
            "verification/v1", "verification/v2", .wrongPredicateType("https://schedcp.dev/attestation/verification/v2")
        ),
        Alteration("\"predicateType\"", "\"predicatetype\"", .badField("predicateType")),
        Alteration("\"predicate\":{", "\"predicates\":{", .badField("predicate")),
        Alteration("\"predicate\":{", "\"predicate\":{\"canaryOnly\":true,", .unknownField("predicate.canaryOnly")),
        Alteration("\"subject\":[", "\"more\":1,\"subject\":[", .unknownField("more")),
        Alteration("\"sha256\":", "\"md5\":\"0\",\"sha256\":", .unknownField("subject.digest.md5")),
        Alteration("\"sha256\":", "\"sha1\":", .badField("subject.digest.sha256")),
        Alteration("\"name\":\"fifo\"", "\"name\":\"fifo\",\"uri\":\"\"", .unknownField("subject.uri")),
        Alteration("\"name\":\"fifo\"", "\"name\":\"\"", .badField("subject.name")),
        Alteration("\"name\":\"fifo\"", "\"name\":\"\(long)\"", .badField("subject.name")),
        Alteration(Sample.digestA, String(repeating: "A1", count: 32), .badField("subject.digest.sha256")),
        Alteration(Sample.digestA, String(repeating: "a1", count: 31), .badField("subject.digest.sha256")),
        Alteration("\"kernel\":{", "\"kernel\":[{", .malformed("an array is not closed, at byte ")),
        Alteration("\"release\":\"7.3.4\"", "\"release\":7", .badField("predicate.kernel.release")),
        Alteration("\"release\":\"7.3.4\"", "\"release\":\"\(long)\"", .badField("predicate.kernel.release")),
        Alteration("0badcafe", "0badcaf", .badField("predicate.kernel.buildId")),
        Alteration("0badcafe", "", .badField("predicate.kernel.buildId")),
        Alteration("0badcafe", "0BADCAFE", .badField("predicate.kernel.buildId")),
        Alteration("\"btfDigest\":\"", "\"btfDigest\":\"0", .badField("predicate.kernel.btfDigest")),
        Alteration("\"rulesDigest\":\"", "\"rulesDigest\":\"0", .badField("predicate.rulesDigest")),
        Alteration("000102030405060708090a0b0c0d0e0f", "000102", .badField("predicate.nonce")),
        Alteration(
            "000102030405060708090a0b0c0d0e0f", "000102030405060708090a0b0c0d0e0g", .badField("predicate.nonce")),
        Alteration("\"userId\":1000", "\"userId\":-1", .badField("predicate.holder.userId")),
        Alteration("\"userId\":1000", "\"userId\":4294967296", .badField("predicate.holder.userId")),
        Alteration("\"userId\":1000", "\"userId\":\"1000\"", .badField("predicate.holder.userId")),
        Alteration("\"holder\":{\"name\":\"ann\",\"userId\":1000}", "\"holder\":null", .badField("predicate.holder")),
        Alteration("\"id\":\"schedcp-verify\"", "\"id\":\"\"", .badField("predicate.verifier.id")),
        Alteration("\"version\":\"1.2\"", "\"version\":\"\(long)\"", .badField("predicate.verifier.version")),
        Alteration("\"version\":\"1.2\"", "\"version\":\"1.2\",\"x\":0", .unknownField("predicate.verifier.x")),
        Alteration("\"name\":\"static\"", "\"name\":\"kernel\"", .badField("predicate.stages.name")),
        Alteration("\"verdict\":\"passed\"", "\"verdict\":\"Passed\"", .badField("predicate.stages.verdict")),
        Alteration("\"evidence\":\"", "\"evidence\":\"0", .badField("predicate.stages.evidence")),
        Alteration("\"kind\":\"process\"", "\"kind\":\"thread\"", .badField("predicate.arguments.hints.kind")),
        Alteration("\"key\":\"a/b\"", "\"key\":\"a/../b\"", .badField("predicate.arguments.hints.key")),
        Alteration("\"nanoseconds\":\"7\"", "\"nanoseconds\":7", .badField("predicate.arguments.hints.nanoseconds")),
        Alteration(
            "\"nanoseconds\":\"7\"", "\"nanoseconds\":\"07\"", .badField("predicate.arguments.hints.nanoseconds")),
        Alteration("\"name\":\"prefer_idle\"", "\"name\":\"slice_us\"", .badField("predicate.arguments")),
        Alteration("\"value\":\"5000\"", "\"value\":5000", .badField("predicate.arguments.parameters.value")),
        Alteration("\"issuedAt\":\"2030", "\"issuedAt\":\"2o30", .badField("predicate.issuedAt")),
        Alteration("\"expiresAt\":\"2030", "\"expiresAt\":\"2029", .badField("predicate.expiresAt")),
        Alteration("\"nonce\":", "\"nonce\":\"\",\"nonce\":", .duplicateKey("nonce")),
        Alteration("\"nonce\":", "\"n\\u006fnce\":\"\",\"nonce\":", .duplicateKey("nonce")),
        Alteration("\"stages\":[", "\"stages\":{},\"x\":[", .badField("predicate.stages")),
    ]

    @Test(arguments: alterations) func eachFieldIsChecked(_ alteration: Alteration) throws {
        let sample = try Sample()
        let bytes = try #require(try sample.signed(replacing: alteration.old, with: alteration.new))
        let refusal = sample.refusal(bytes)
        if case .malformed = alteration.refusal {
            #expect(refusal?.code == "malformed")
        } else {
            #expect(refusal == alteration.refusal)
        }
    }

    @Test func oneSubjectExactly() throws {
        let sample = try Sample()
        let text = String(decoding: Statement.encode(sample.claims), as: UTF8.self)
        let start = try #require(text.firstRange(of: "\"subject\":[")).upperBound
        let end = try #require(text[start...].firstRange(of: "]")).lowerBound
        let subject = text[start..<end]
        let none = text.replacingCharacters(in: start..<end, with: "")
        let two = text.replacingCharacters(in: start..<end, with: "\(subject),\(subject)")
        #expect(sample.refusal(try sample.signed(Array(none.utf8))) == .noSubject)
        #expect(sample.refusal(try sample.signed(Array(two.utf8))) == .manySubjects(2))
    }

    @Test func whatCouldNotBeReadIsNotSigned() throws {
        let changes: [(inout AttestationClaims) -> Void] = [
            { $0.artifact = "x" }, { $0.artifactName = "" }, { $0.artifactName = Self.long }, { $0.nonce = "1" },
            { $0.expiresAt = $0.issuedAt }, { $0.issuedAt = -1 }, { $0.expiresAt = UTC.last + 1 },
            { $0.kernel.buildID = "abc" }, { $0.rulesDigest = "" }, { $0.stages.append($0.stages[0]) },
            {
                $0.stages = (0...64).map { AttestedStage(name: "\($0)", verdict: .passed, evidence: Self.digest) }
            },
        ]
        for (index, change) in changes.enumerated() {
            var sample = try Sample()
            change(&sample.claims)
            let failure = #expect(throws: Failure.self, "change \(index)") { try sample.envelope() }
            #expect(failure?.code == .invalidArgument)
        }
    }

    @Test func noncesDiffer() {
        let nonces = Set((0..<1000).map { _ in AttestationClaims.newNonce() })
        #expect(nonces.count == 1000)
        #expect(nonces.allSatisfy { Hex.isHex($0, digits: 32) })
    }

    @Test func theDescriptionNamesEachClaimAndEscapes() throws {
        var sample = try Sample()
        sample.claims.artifactName = "evil\u{1B}[2J\nverdict passed"
        let envelope = try Envelope.parse(sample.envelope())
        let description = AttestationDescription(
            sample.claims, signatures: envelope.signatures, keys: sample.check.keys)
        #expect(!description.text.contains("\u{1B}"))
        #expect(description.lines.first?.value == "evil\\u{1b}[2J\\nverdict passed")
        for word in ["sha256", "stage static", "parameter slice_us", "hint cgroup a/b", "build id", "BTF", "nonce"] {
            #expect(description.lines.contains { $0.label == word }, "\(word)")
        }
        #expect(description.lines.last?.value == "\(sample.key.keyID.prefix(16))… (here)")
        #expect(description.text.split(separator: "\n").count == description.lines.count)
    }
}
