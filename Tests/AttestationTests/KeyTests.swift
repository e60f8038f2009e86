import FoundationEssentials
import Model
import TestSupport
import Testing

@testable import Attestation

/// Keys, their texts, and the keyring.
@Suite(.timeLimit(.minutes(10))) struct KeyTests {
    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// RFC 8032, section 7.1, test 1: the empty message.
    @Test func ed25519IsRFC8032s() throws {
        let key = try SigningKey(seed: Self.bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
        #expect(Hex.text(key.publicKey) == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        let signature = Self.bytes(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        )
        let verifier = try VerifierKey(name: "", publicKey: key.publicKey)
        #expect(verifier.isValid(signature, of: []))
        #expect(!verifier.isValid(signature, of: [0]))
        #expect(verifier.isValid(try key.sign([1, 2]), of: [1, 2]))
        #expect(verifier.keyID == key.keyID)
        #expect(!"\(key)".contains("9d61") && !String(reflecting: key).contains("9d61"))
        var dumped = ""
        dump(key, to: &dumped)
        #expect(!dumped.contains("PrivateKey") && dumped.contains(key.keyID))
    }

    @Test func aPublicKeyIsReadInBothForms() throws {
        for _ in 0..<50 {
            let key = try VerifierKey(name: "a", publicKey: SigningKey().publicKey)
            for text in [key.text, " \(key.text)\n", key.pem, key.pem.split(separator: "\n").joined(separator: "\r\n")]
            {
                #expect(try VerifierKey(name: "a", text: text) == key)
            }
        }
        let key = try VerifierKey(name: "a", publicKey: SigningKey().publicKey)
        for text in [
            "", "ed25519", "ed25519 AAAA", "rsa " + key.text.dropFirst(8), key.text + " x", String(key.text.dropLast()),
            String(key.pem.dropLast(4)), key.pem.replacing("MCow", with: "MCox"), key.pem + key.pem,
            "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----",
            String(repeating: " ", count: 5000),
        ] {
            let failure = #expect(throws: Failure.self, "\(text)") { try VerifierKey(name: "a", text: text) }
            #expect(failure?.code == .malformed)
        }
        #expect(throws: Failure.self) { try VerifierKey(name: "a", publicKey: []) }
        #expect(throws: Failure.self) { try SigningKey(seed: [1]) }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
    func opensslAgrees() async throws {
        let folder = try TemporaryFolder()
        let sample = try Sample()
        let envelope = try Envelope.parse(sample.envelope())
        let signature = try #require(envelope.signatures.first).bytes
        let pem = try folder.write(try #require(sample.check.keys.first).pem, to: "key.pem")
        let message = try folder.write(envelope.signedBytes, to: "message")
        let file = try folder.write(signature, to: "signature")
        let arguments = ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", pem, "-sigfile", file, "-in", message]
        let good = try await Command.run("/usr/bin/openssl", arguments)
        #expect(good.status == 0, "\(good.errors)")
        try folder.write(envelope.signedBytes + [0], to: "message")
        #expect(try await Command.run("/usr/bin/openssl", arguments).status != 0)

        // And the other way round: its key, its signature.
        let secret = folder.path("secret.pem")
        #expect(
            try await Command.run("/usr/bin/openssl", ["genpkey", "-algorithm", "ed25519", "-out", secret]).status == 0)
        let exported = try await Command.run("/usr/bin/openssl", ["pkey", "-in", secret, "-pubout"])
        let key = try VerifierKey(name: "openssl", text: exported.output)
        #expect(key.pem == exported.output)
        let signing = ["pkeyutl", "-sign", "-rawin", "-inkey", secret, "-in", message, "-out", folder.path("theirs")]
        #expect(try await Command.run("/usr/bin/openssl", signing).status == 0)
        #expect(key.isValid(folder.bytes("theirs"), of: envelope.signedBytes + [0]))
        #expect(!key.isValid(folder.bytes("theirs"), of: envelope.signedBytes))
    }

    @Test func rotationHasAnOverlapAndForgetsThePrivateKey() throws {
        var sample = try Sample()
        var keyring = Keyring(signingKey: sample.key, created: 0)
        let old = sample.key
        let now = Sample.now + 5
        let before = try sample.envelope()
        try keyring.rotate(now: now, overlapSeconds: 100)
        #expect(keyring.signingKey.keyID != old.keyID)
        let json = String(decoding: keyring.json(), as: UTF8.self)
        #expect(!json.contains(Base64.encode(old.seed)))
        #expect(json.contains(Base64.encode(old.publicKey)))

        sample.check.keys = keyring.verifierKeys(now: now + 100)
        #expect(sample.refusal(before) == nil)
        sample.claims.issuedAt = now + 1
        #expect(try sample.refusal() == .keyRetired(keyID: old.keyID))
        sample.key = keyring.signingKey
        #expect(try sample.refusal() == nil)
        sample.check.keys = keyring.verifierKeys(now: now + 101)
        #expect(sample.refusal(before) == .unknownKey)
        keyring.prune(now: now + 100)
        #expect(keyring.retired.count == 1)
        keyring.prune(now: now + 101)
        #expect(keyring.retired.isEmpty)
    }

    @Test func revocationCoversEveryKindOfKey() throws {
        var sample = try Sample()
        let first = sample.key
        var keyring = Keyring(signingKey: first, created: 0)
        let bytes = try sample.envelope()
        #expect(try keyring.revoke(first.keyID, reason: "lost", now: Sample.now))
        #expect(keyring.signingKey.keyID != first.keyID)
        #expect(!String(decoding: keyring.json(), as: UTF8.self).contains(Base64.encode(first.seed)))
        sample.check.keys = keyring.verifierKeys(now: Sample.now)
        #expect(sample.refusal(bytes) == .revokedKey(keyID: first.keyID))
        // Again: nothing changes.
        let json = keyring.json()
        #expect(try !keyring.revoke(first.keyID, reason: "again", now: Sample.now + 1))
        #expect(keyring.json() == json)

        // A retired one.
        let second = keyring.signingKey
        try keyring.rotate(now: Sample.now, overlapSeconds: 1000)
        #expect(try !keyring.revoke(second.keyID, reason: "", now: Sample.now))
        #expect(keyring.retired.isEmpty)
        sample.key = second
        sample.check.keys = keyring.verifierKeys(now: Sample.now)
        #expect(try sample.refusal() == .revokedKey(keyID: second.keyID))

        // One of another computer.
        let other = SigningKey()
        let trusted = [try VerifierKey(name: "farm", publicKey: other.publicKey)]
        sample.key = other
        sample.check.keys = keyring.verifierKeys(now: Sample.now, trusted: trusted)
        #expect(try sample.refusal() == nil)
        #expect(try !keyring.revoke(other.keyID, reason: "farm was stolen", now: Sample.now))
        sample.check.keys = keyring.verifierKeys(now: Sample.now, trusted: trusted)
        #expect(try sample.refusal() == .revokedKey(keyID: other.keyID))
        #expect(try Keyring(json: keyring.json()).json() == keyring.json())
    }

    @Test(arguments: 0..<50 as Range<UInt64>) func aKeyringComesBackAsItWas(seed: UInt64) throws {
        var random = Seeded(seed)
        var now = Int64.random(in: 0...4_000_000_000, using: &random)
        var keyring = try Keyring.new(now: now)
        for _ in 0..<random.below(12) {
            now += Int64(random.below(100_000))
            switch random.below(4) {
            case 0: try keyring.rotate(now: now, overlapSeconds: Int64(random.below(200_000)))
            case 1: try keyring.revoke(keyring.signingKey.keyID, reason: random.text(40), now: now)
            case 2: try keyring.revoke(random.hex(32), reason: random.text(40), now: now)
            default: keyring.prune(now: now)
            }
            let read = try Keyring(json: keyring.json())
            #expect(read.json() == keyring.json())
            #expect(read.signingKey.keyID == keyring.signingKey.keyID)
            #expect(read.retired == keyring.retired && read.revoked == keyring.revoked)
            #expect(read.verifierKeys(now: now) == keyring.verifierKeys(now: now))
            let current = keyring.signingKey.keyID
            #expect(!keyring.revoked.contains { $0.keyID == current })
        }
    }

    @Test func aDamagedKeyringIsRefused() throws {
        var keyring = try Keyring.new(now: 1)
        try keyring.rotate(now: 2, overlapSeconds: 5)
        try keyring.revoke(keyring.signingKey.keyID, reason: "x", now: 3)
        let bytes = keyring.json()
        for count in 0..<bytes.count - 1 {
            let failure = #expect(throws: Failure.self) { try Keyring(json: Array(bytes.prefix(count))) }
            #expect(failure?.code == .storage)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        for (old, new) in [
            ("\"version\":1", "\"version\":2"), ("\"revoked\":", "\"revokd\":"), ("\"seed\":\"", "\"seed\":\"AAAA"),
            ("\"retired\":", "\"x\":1,\"retired\":"), ("\"keyId\":\"", "\"keyId\":\"0"),
            ("\"acceptedUntil\":\"1970-01-01T00:00:07Z\"", "\"acceptedUntil\":\"1970-01-01T00:00:01Z\""),
            ("\"publicKey\":\"", "\"publicKey\":\"AAAA"),
        ] {
            let range = try #require(text.firstRange(of: old), "\(old)")
            #expect(throws: Failure.self, "\(old)") {
                try Keyring(json: Array(text.replacingCharacters(in: range, with: new).utf8))
            }
        }
        #expect(throws: Failure.self) { try Keyring(json: [UInt8](repeating: 0x20, count: Keyring.maxBytes + 1)) }
    }

    @Test func theKeyringIsBounded() throws {
        var keyring = try Keyring.new(now: 0)
        for time in 0..<64 { try keyring.rotate(now: Int64(time), overlapSeconds: 1000) }
        let full = keyring
        #expect(throws: Failure.self) { try keyring.rotate(now: 64, overlapSeconds: 1000) }
        #expect(keyring.json() == full.json())
        try keyring.rotate(now: 2000, overlapSeconds: 0)
        #expect(keyring.retired.count == 1)
        for overlap in [-1, Keyring.maxOverlapSeconds + 1, .max] {
            #expect(throws: Failure.self) { try keyring.rotate(now: 2000, overlapSeconds: overlap) }
        }
        for now in [-1, Int64.max] { #expect(throws: Failure.self) { try keyring.rotate(now: now, overlapSeconds: 0) } }
        #expect(throws: Failure.self) { try keyring.revoke("x", reason: "", now: 0) }
        let id = Sample.digestA
        #expect(throws: Failure.self) { try keyring.revoke(id, reason: String(repeating: "r", count: 201), now: 0) }
        // The largest keyring can be read again.
        let reason = String(repeating: "\u{1}", count: 200)
        for number in 0..<Keyring.maxRevoked {
            try keyring.revoke(Hex.sha256(Array("\(number)".utf8)), reason: reason, now: 0)
        }
        #expect(throws: Failure.self) { try keyring.revoke(id, reason: "", now: 0) }
        #expect(try Keyring(json: keyring.json()).revoked.count == Keyring.maxRevoked)
    }
}
