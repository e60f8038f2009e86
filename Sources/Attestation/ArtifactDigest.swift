import Model

/// The digest by which an artifact is known.
package enum ArtifactDigest {
    /// SHA-256, lower-case hex.
    package static func of(_ bytes: [UInt8]) -> String { Hex.sha256(bytes) }
}
