import Model
import TestSupport

@testable import Attestation

/// An attestation that a check accepts, for tests to change in one place.
struct Sample {
    static let now: Int64 = 1_900_000_000
    static let digestA = String(repeating: "a1", count: 32)
    static let digestB = String(repeating: "b2", count: 32)

    var key: SigningKey
    var claims: AttestationClaims
    var check: AttestationCheck

    init(seed: UInt64 = 1) throws {
        var random = Seeded(seed)
        key = try SigningKey(seed: random.bytes(32))
        let arguments = try AttestedArguments(
            parameters: [Setting(name: "slice_us", value: "5000"), Setting(name: "prefer_idle", value: "true")],
            hints: [
                try Hint(kind: .process, key: "make", nanoseconds: 5),
                try Hint(kind: .cgroup, key: "a/b", nanoseconds: 7),
            ])
        let kernel = KernelIdentity(release: "7.3.4", buildID: "0badcafe", btfDigest: Self.digestB)
        claims = AttestationClaims(
            artifactName: "fifo", artifact: Self.digestA,
            stages: ["compile", "static", "kernel"].map {
                AttestedStage(name: $0, verdict: .passed, evidence: Self.digestB)
            }, arguments: arguments, kernel: kernel, rulesDigest: Self.digestB,
            verifier: VerifierIdentity(id: "schedcp-verify", version: "1.2"),
            holder: AttestationHolder(userID: 1000, name: "ann"), issuedAt: Self.now, expiresAt: Self.now + 3600,
            nonce: "000102030405060708090a0b0c0d0e0f")
        check = AttestationCheck(
            artifact: Self.digestA, arguments: arguments, kernel: kernel, now: Self.now + 10,
            keys: [try VerifierKey(name: "here", publicKey: key.publicKey)], requiredStages: ["compile", "kernel"],
            maxLifetimeSeconds: 86_400, userID: 1000)
    }

    func envelope() throws -> [UInt8] { try Envelope.sign(claims, with: key) }

    func refusal() throws -> Refusal? { try refusal(envelope()) }

    /// Nil when it is accepted.
    func refusal(_ bytes: [UInt8]) -> Refusal? {
        do {
            _ = try check.verify(bytes)
            return nil
        } catch { return error }
    }

    /// An envelope around any payload, correctly signed.
    func signed(_ payload: [UInt8], type: String = Envelope.payloadType) throws -> [UInt8] {
        let signature = try key.sign(Envelope.signedBytes(type: type, payload: payload))
        return Envelope.encode(
            payload: payload, signatures: [Envelope.Signature(keyID: key.keyID, bytes: signature)], type: type)
    }

    /// The statement with one piece of its text exchanged, correctly signed.
    func signed(replacing old: String, with new: String) throws -> [UInt8]? {
        let text = String(decoding: Statement.encode(claims), as: UTF8.self)
        guard let range = text.firstRange(of: old) else { return nil }
        return try signed(Array(text.replacingCharacters(in: range, with: new).utf8))
    }
}

extension String {
    func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}

extension Seeded {
    /// Text within a field's limit.
    mutating func field(_ bytes: Int) -> String {
        var text = self.text(bytes / 4)
        while text.utf8.count > bytes { text.removeLast() }
        return text.isEmpty ? "x" : text
    }

    mutating func hex(_ bytes: Int) -> String { Hex.text(self.bytes(bytes)) }

    mutating func claims() throws -> AttestationClaims {
        let parameters = (0..<below(6)).map { Setting(name: "p\($0)" + field(40), value: self.text(20)) }
        var hints: [Hint] = []
        for index in 0..<below(4) {
            hints.append(
                try Hint(kind: .process, key: "h\(index)", nanoseconds: UInt64.random(in: 0 ... .max, using: &self)))
        }
        let issued = Int64.random(in: 0...UTC.last - 1, using: &self)
        let stages = (0..<below(6)).map {
            AttestedStage(
                name: "s\($0)" + field(40), verdict: [.passed, .failed, .skipped][below(3)], evidence: hex(32))
        }
        return AttestationClaims(
            artifactName: field(128), artifact: hex(32), stages: stages,
            arguments: try AttestedArguments(parameters: parameters, hints: hints),
            kernel: KernelIdentity(release: field(128), buildID: hex(1 + below(64)), btfDigest: hex(32)),
            rulesDigest: hex(32), verifier: VerifierIdentity(id: field(128), version: field(128)),
            holder: chance(2)
                ? nil : AttestationHolder(userID: UInt32.random(in: 0 ... .max, using: &self), name: field(128)),
            issuedAt: issued, expiresAt: Int64.random(in: issued + 1...UTC.last, using: &self), nonce: hex(16))
    }
}
