package import Model

/// A DSSE v1 envelope: a payload, its type, and signatures over both.
package struct Envelope: Hashable, Sendable {
    package static let payloadType = "application/vnd.in-toto+json"
    /// Of a whole envelope.
    package static let maxBytes = 256 * 1024
    package static let maxSignatures = 8
    static let maxKeyIDBytes = 128

    package struct Signature: Hashable, Sendable {
        /// A hint by whose key to check it; empty where the signer gave none.
        package let keyID: String
        package let bytes: [UInt8]
    }

    package let payload: [UInt8]
    package let signatures: [Signature]

    /// What is signed: the type and the payload, each with its length, so that neither can pass for part of the other.
    /// DSSE calls it the pre-authentication encoding (PAE).
    package static func signedBytes(type: String, payload: [UInt8]) -> [UInt8] {
        Array("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload
    }

    package var signedBytes: [UInt8] { Self.signedBytes(type: Self.payloadType, payload: payload) }

    /// The envelope of a statement with these claims, as JSON. Signs nothing that the check could not read.
    package static func sign(_ claims: AttestationClaims, with key: SigningKey) throws(Failure) -> [UInt8] {
        let payload = Statement.encode(claims)
        do { _ = try Statement.decode(payload) } catch {
            throw Failure(
                .invalidArgument, "this attestation could not be read again: \(error.sentence)",
                hint: "the limits of its fields are in docs/attestations.md", detail: error.code)
        }
        let signature = try key.sign(signedBytes(type: payloadType, payload: payload))
        let bytes = encode(payload: payload, signatures: [Signature(keyID: key.keyID, bytes: signature)])
        guard bytes.count <= maxBytes else {
            throw Failure(
                .tooMany, "this attestation has \(bytes.count) bytes, more than the \(maxBytes) that are read",
                hint: "verify with fewer hints")
        }
        return bytes
    }

    static func encode(payload: [UInt8], signatures: [Signature], type: String = payloadType) -> [UInt8] {
        JSON.object([
            "payload": .string(Base64.encode(payload)),
            "payloadType": .string(type),
            "signatures": .array(
                signatures.map { .object(["keyid": .string($0.keyID), "sig": .string(Base64.encode($0.bytes))]) }),
        ]).encoded
    }

    /// Reads the envelope and nothing of its payload. Nothing in it is to be believed before a signature was checked.
    /// Fields that DSSE does not know are passed over, as it demands: they are not signed, so they can say nothing.
    package static func parse(_ bytes: [UInt8]) throws(Refusal) -> Envelope {
        guard bytes.count <= maxBytes else { throw .tooLarge(bytes: bytes.count) }
        var fields = try Fields(try JSONReader.parse(bytes), at: "")
        let type = try fields.text("payloadType", 0...1024)
        guard type.utf8.elementsEqual(payloadType.utf8) else { throw .wrongPayloadType(type) }
        let payload = try fields.base64("payload")
        let elements = try fields.array("signatures")
        guard !elements.isEmpty else { throw .noSignature }
        guard elements.count <= maxSignatures else { throw .tooManySignatures(elements.count) }
        var signatures: [Signature] = []
        for element in elements {
            var fields = try Fields(element, at: "signatures")
            let keyID = fields.has("keyid") ? try fields.text("keyid", 0...maxKeyIDBytes) : ""
            signatures.append(Signature(keyID: keyID, bytes: try fields.base64("sig")))
        }
        return Envelope(payload: payload, signatures: signatures)
    }

    /// What the payload says, for display only: no signature was checked.
    package func unverifiedClaims() throws(Refusal) -> AttestationClaims { try Statement.decode(payload) }

    /// The keys that signed it, at least one, and none that is revoked. Says nothing of `notAfter`.
    package func signers(among keys: [VerifierKey]) throws(Refusal) -> [VerifierKey] {
        let signed = signedBytes
        // A key that is listed twice is revoked when one of its entries says so.
        let revoked = Set(keys.lazy.filter(\.revoked).map(\.keyID))
        var good: [VerifierKey] = []
        var revokedKey: String?
        var isAnyKnown = false
        for signature in signatures {
            // The id is only a hint: an absent one means every key that could be good, a wrong one no key.
            let candidates = keys.filter {
                signature.keyID.isEmpty ? !revoked.contains($0.keyID) : $0.keyID == signature.keyID
            }
            isAnyKnown = isAnyKnown || (!signature.keyID.isEmpty && !candidates.isEmpty)
            for key in candidates where key.isValid(signature.bytes, of: signed) {
                if revoked.contains(key.keyID) { revokedKey = key.keyID } else { good.append(key) }
            }
        }
        if !good.isEmpty { return good }
        if let revokedKey { throw .revokedKey(keyID: revokedKey) }
        throw isAnyKnown ? .badSignature : .unknownKey
    }
}
