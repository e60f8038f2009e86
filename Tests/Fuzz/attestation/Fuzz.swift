import Attestation

private let kernel = KernelIdentity(
    release: "7.3.4", buildID: String(repeating: "ab", count: 20), btfDigest: String(repeating: "cd", count: 32))
private let key = try? SigningKey(seed: [UInt8](repeating: 7, count: 32))

// An envelope from anywhere; and a payload that was signed, so that the parser behind the signature is reached as well.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    guard let key, let verifier = try? VerifierKey(name: "fuzz", publicKey: key.publicKey),
        let arguments = try? AttestedArguments()
    else { preconditionFailure("no key") }
    let check = AttestationCheck(
        artifact: String(repeating: "0", count: 64), arguments: arguments, kernel: kernel, now: 1_700_000_000,
        keys: [verifier], requiredStages: ["kernel"], maxLifetimeSeconds: 86_400, userID: 1)
    // Nobody but the holder of the key makes one that is good.
    precondition((try? check.verify(bytes)) == nil)
    if let envelope = try? Envelope.parse(bytes) { _ = try? envelope.unverifiedClaims() }
    _ = try? Keyring(json: bytes)
    _ = try? Envelope.claims(inPayload: bytes)
    return 0
}
