// Exchange: an entry of the policy repository as an OCI artifact: a manifest and blobs by their digests, in a folder (an OCI
// image layout) or in a registry. It knows the form and touches no network; who may trust what is inside is the daemon's to
// decide. Everything that is read is taken as hostile: bounded before it is read, checked by digest before it is used.

/// The media types of an entry's artifact. docs/exchange.md has them with what each holds.
package enum MediaType {
    /// What the whole is: `artifactType` of the manifest.
    package static let artifact = "application/vnd.schedcp.policy.v1"
    /// The entry with its evidence, as the repository writes it.
    package static let policy = "application/vnd.schedcp.policy.v1+json"
    /// The compiled object, ELF.
    package static let object = "application/vnd.schedcp.object.v1"
    /// The source, text.
    package static let source = "application/vnd.schedcp.source.v1"
    /// A signed statement.
    package static let attestation = "application/vnd.dsse.envelope.v1+json"

    package static let manifest = "application/vnd.oci.image.manifest.v1+json"
    package static let index = "application/vnd.oci.image.index.v1+json"
    /// The config of an artifact that has none: `{}`.
    static let empty = "application/vnd.oci.empty.v1+json"
    static let emptyBlob = Array("{}".utf8)
}

/// Keys of annotations, as the OCI image specification has them.
enum Annotation {
    static let title = "org.opencontainers.image.title"
    static let version = "org.opencontainers.image.version"
    static let licenses = "org.opencontainers.image.licenses"
    static let created = "org.opencontainers.image.created"
    /// The name of a manifest in the index of a layout.
    static let reference = "org.opencontainers.image.ref.name"
}

/// What is read at most.
package enum ExchangeLimits {
    package static let indexBytes = 1 << 20
    package static let manifestBytes = 256 << 10
    package static let policyBytes = 6 << 20
    package static let objectBytes = 8 << 20
    package static let sourceBytes = 256 << 10
    package static let attestationBytes = 256 << 10
    package static let attestations = 64
    /// Also those of other kinds, which are passed over.
    package static let layers = 128
    package static let manifests = 1024
}
