import Model
import TestSupport
import Testing

@testable import Attestation

/// Envelopes that somebody tampered with.
@Suite(.timeLimit(.minutes(10))) struct EnvelopeTests {
    /// The example of DSSE's own specification.
    @Test func theSignedBytesAreDSSEs() {
        let bytes = Envelope.signedBytes(type: "http://example.com/HelloWorld", payload: Array("hello world".utf8))
        #expect(String(decoding: bytes, as: UTF8.self) == "DSSEv1 29 http://example.com/HelloWorld 11 hello world")
        #expect(Envelope.signedBytes(type: "é", payload: []) == Array("DSSEv1 2 é 0 ".utf8))
    }

    @Test func truncatedAtEveryByte() throws {
        let sample = try Sample()
        let bytes = try sample.envelope()
        for count in 0..<bytes.count {
            #expect(sample.refusal(Array(bytes.prefix(count)))?.code == "malformed", "\(count) bytes")
        }
        // The payload cut at every byte, with its old signature and with a good one.
        let envelope = try Envelope.parse(bytes)
        for count in 0..<envelope.payload.count {
            let payload = Array(envelope.payload.prefix(count))
            let old = Envelope.encode(payload: payload, signatures: envelope.signatures)
            #expect(sample.refusal(old) == .badSignature, "\(count) bytes")
            #expect(sample.refusal(try sample.signed(payload))?.code == "malformed", "\(count) bytes")
        }
    }

    @Test func nestedTooDeep() throws {
        let sample = try Sample()
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for depth in [17, 10_000] {
                let text = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
                #expect(sample.refusal(Array(text.utf8)) == .nestedTooDeep)
                #expect(sample.refusal(Array(String(repeating: open, count: depth).utf8)) == .nestedTooDeep)
                #expect(sample.refusal(try sample.signed(Array(text.utf8))) == .nestedTooDeep)
            }
            let text = String(repeating: open, count: 16) + "1" + String(repeating: close, count: 16)
            #expect(try JSONReader.parse(Array(text.utf8)).encoded == Array(text.utf8))
        }
    }

    @Test func tooLargeIsRefusedBeforeItIsRead() throws {
        let sample = try Sample()
        #expect(sample.refusal([UInt8](repeating: 0x5B, count: 10 << 20)) == .tooLarge(bytes: 10 << 20))
        let bytes = try sample.envelope()
        let spaces = [UInt8](repeating: 0x20, count: Envelope.maxBytes - bytes.count)
        #expect(sample.refusal(bytes + spaces) == nil)
        #expect(sample.refusal(bytes + spaces + [0x20]) == .tooLarge(bytes: Envelope.maxBytes + 1))
    }

    @Test func theTypeIsPartOfWhatIsSigned() throws {
        let sample = try Sample()
        let payload = Statement.encode(sample.claims)
        let other = "application/vnd.example+json"
        #expect(sample.refusal(try sample.signed(payload, type: other)) == .wrongPayloadType(other))
        // Signed as something else and presented as a statement.
        for signed in [
            Envelope.signedBytes(type: other, payload: payload), payload, [],
            Array("DSSEv1 \(Envelope.payloadType) ".utf8) + payload,
        ] {
            let signature = Envelope.Signature(keyID: sample.key.keyID, bytes: try sample.key.sign(signed))
            #expect(sample.refusal(Envelope.encode(payload: payload, signatures: [signature])) == .badSignature)
        }
    }

    @Test func aSignatureCountsOnlyWithTheKeyItNames() throws {
        let sample = try Sample()
        let envelope = try Envelope.parse(sample.envelope())
        let good = try #require(envelope.signatures.first)
        let stranger = SigningKey()
        let foreign = Envelope.Signature(keyID: stranger.keyID, bytes: try stranger.sign(envelope.signedBytes))
        let forged = Envelope.Signature(keyID: good.keyID, bytes: foreign.bytes)
        func refusal(_ signatures: [Envelope.Signature]) -> Refusal? {
            sample.refusal(Envelope.encode(payload: envelope.payload, signatures: signatures))
        }
        #expect(refusal([foreign, good]) == nil)
        #expect(refusal([good, foreign]) == nil)
        #expect(refusal([forged, good]) == nil)
        #expect(refusal([foreign]) == .unknownKey)
        #expect(refusal([forged]) == .badSignature)
        #expect(refusal([foreign, forged]) == .badSignature)
        #expect(refusal([Envelope.Signature(keyID: stranger.keyID, bytes: good.bytes)]) == .unknownKey)
        #expect(refusal([Envelope.Signature(keyID: good.keyID, bytes: [])]) == .badSignature)
        #expect(refusal([Envelope.Signature(keyID: good.keyID, bytes: good.bytes + [0])]) == .badSignature)
        #expect(refusal([Envelope.Signature(keyID: "", bytes: good.bytes)]) == nil)
        #expect(refusal([Envelope.Signature(keyID: "", bytes: foreign.bytes)]) == .unknownKey)
        #expect(refusal([]) == .noSignature)
        #expect(refusal(Array(repeating: foreign, count: 7) + [good]) == nil)
        #expect(refusal(Array(repeating: good, count: 9)) == .tooManySignatures(9))
    }

    /// The whole signature, bit by bit.
    @Test func everyBitOfTheSignatureCounts() throws {
        let sample = try Sample()
        let envelope = try Envelope.parse(sample.envelope())
        let good = try #require(envelope.signatures.first)
        for bit in 0..<512 {
            var bytes = good.bytes
            bytes[bit / 8] ^= 1 << (bit % 8)
            let signature = Envelope.Signature(keyID: good.keyID, bytes: bytes)
            #expect(
                sample.refusal(Envelope.encode(payload: envelope.payload, signatures: [signature])) == .badSignature)
        }
    }

    @Test func theEnvelopesFieldsAreChecked() throws {
        let sample = try Sample()
        let text = String(decoding: try sample.envelope(), as: UTF8.self)
        let table: [(String, String, Refusal?)] = [
            ("\"payload\":\"", "\"payload\":\"*", .badField("payload")),
            ("\"payload\":\"", "\"payload\":\" ", .badField("payload")),
            ("\"payload\":\"", "\"payload\":\"A", .badField("payload")),
            ("\"payload\":", "\"payload\":\"\",\"payload\":", .duplicateKey("payload")),
            ("\"payload\":", "\"payloads\":", .badField("payload")),
            ("\"payloadType\":", "\"type\":", .badField("payloadType")),
            ("\"signatures\":[", "\"signatures\":{},\"x\":[", .badField("signatures")),
            ("\"keyid\":\"", "\"keyid\":\"\(String(repeating: "a", count: 65))", .badField("signatures.keyid")),
            ("\"keyid\":", "\"keyid\":7,\"x\":", .badField("signatures.keyid")),
            ("\"sig\":\"", "\"sig\":\"AAAA=", .badField("signatures.sig")),
            ("{", "[{", nil),
            // DSSE: unknown fields are passed over; they are not signed.
            ("{", "{\"more\":[1],", nil),
        ]
        for (old, new, wanted) in table {
            let range = try #require(text.firstRange(of: old))
            let refusal = sample.refusal(Array(text.replacingCharacters(in: range, with: new).utf8))
            if new == "[{" { #expect(refusal?.code == "malformed") } else { #expect(refusal == wanted, "\(new)") }
        }
        #expect(sample.refusal(Array((text + "x").utf8))?.code == "malformed")
    }

    @Test(arguments: 0..<8 as Range<UInt64>) func whateverIsChangedNothingElseIsAccepted(seed: UInt64) throws {
        let sample = try Sample()
        let original = try sample.envelope()
        let payload = try Envelope.parse(original).payload
        var random = Seeded(seed)
        for _ in 0..<1000 {
            var bytes = original
            for _ in 0...random.below(3) { random.mutate(&bytes) }
            // A change outside of what is signed may be harmless; the claims never differ.
            guard let claims = try? sample.check.verify(bytes) else { continue }
            #expect(claims == sample.claims)
            #expect(try Envelope.parse(bytes).payload == payload)
        }
    }

    /// As if the verifier's own key had signed nonsense: the reader behind the signature.
    @Test(arguments: 0..<8 as Range<UInt64>) func aSignedPayloadOfAnyKindDoesNotCrash(seed: UInt64) throws {
        let sample = try Sample()
        let original = Statement.encode(sample.claims)
        var random = Seeded(seed)
        for _ in 0..<1000 {
            var bytes = original
            for _ in 0...random.below(3) { random.mutate(&bytes) }
            // What can be read is understood as written.
            guard let claims = try? Statement.decode(bytes) else { continue }
            #expect(try Statement.decode(Statement.encode(claims)) == claims)
        }
    }
}

extension Seeded {
    mutating func mutate(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let at = below(bytes.count)
        switch below(6) {
        case 0: bytes[at] ^= 1 << UInt8(below(8))
        case 1: bytes[at] = UInt8.random(in: .min ... .max, using: &self)
        case 2: bytes.remove(at: at)
        case 3: bytes.insert(contentsOf: self.bytes(1 + below(4)), at: at)
        case 4: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(64)))
        default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 1 + below(64))], at: below(bytes.count))
        }
    }
}
