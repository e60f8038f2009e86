import Attestation
import FoundationEssentials
import Linux
import Model
import Verifier
import Wire

enum Greeting {
    static func make(_ hello: WireVerifierHello, key: SigningKey?) throws(Failure) -> WireVerifierGreeting {
        guard hello.session.utf8.count <= 64 else { throw Failure(.malformed, "the session's name is too long") }
        var greeting = WireVerifierGreeting()
        greeting.protocol = try ProtocolVersion.agreed(clientMin: hello.protocolMin, clientMax: hello.protocolMax)
        greeting.version = Verifier.version
        greeting.session = hello.session
        if let key { greeting.publicKey = Data(key.publicKey) }
        return greeting
    }
}

/// The key that a verifier for other machines signs with: 32 bytes in a file that only its user can read.
enum KeyFile {
    /// Reads it, or makes a new one.
    static func open(_ path: String) throws(Failure) -> SigningKey {
        do {
            let bytes = try DurableFile.read(path, limit: Keyring.maxBytes)
            return try Keyring(json: bytes).signingKey
        } catch let error as SystemError {
            guard error.isNoSuchFile else { throw error.asFailure(.storage) }
        } catch let failure as Failure { throw failure } catch { throw Failure(.storage, "\(error)") }
        let ring = try Keyring.new(now: Clock.realtime() / 1_000_000_000)
        do {
            let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            try FileManager.default.createDirectory(
                atPath: folder.isEmpty ? "." : folder, withIntermediateDirectories: true)
            try DurableFile.write(path, ring.json(), mode: 0o600)
        } catch { throw Failure(.storage, "the key cannot be written to \(path): \(error)") }
        return ring.signingKey
    }
}
