import Crypto
package import Model

/// An Ed25519 private key. Its text and its reflection show the public part only.
package struct SigningKey: Sendable, CustomStringConvertible, CustomReflectable {
    package static let seedBytes = 32

    private let key: Curve25519.Signing.PrivateKey
    package let publicKey: [UInt8]
    /// SHA-256 of the public key's 32 bytes, lower-case hex.
    package let keyID: String

    /// A new key, from the system's random numbers.
    package init() { self.init(Curve25519.Signing.PrivateKey()) }

    package init(seed: [UInt8]) throws(Failure) {
        do { self.init(try Curve25519.Signing.PrivateKey(rawRepresentation: seed)) } catch {
            throw Failure(
                .malformed, "a signing key has \(Self.seedBytes) bytes, not \(seed.count)",
                hint: "restore the file of the keys, or remove it for a new key")
        }
    }

    private init(_ key: Curve25519.Signing.PrivateKey) {
        self.key = key
        publicKey = [UInt8](key.publicKey.rawRepresentation)
        keyID = VerifierKey.keyID(publicKey)
    }

    /// For the keyring's file alone.
    var seed: [UInt8] { [UInt8](key.rawRepresentation) }

    /// 64 bytes.
    package func sign(_ bytes: [UInt8]) throws(Failure) -> [UInt8] {
        do { return [UInt8](try key.signature(for: bytes)) } catch {
            throw Failure(.internal, "signing failed: \(error)")
        }
    }

    package var description: String { "signing key \(keyID)" }
    package var customMirror: Mirror { Mirror(self, children: ["keyID": keyID]) }
}
