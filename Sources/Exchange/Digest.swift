import Attestation
package import Model

/// The digest by which a blob is known. Of the algorithms that OCI has, sha256 is read: each of them would have to be as good.
package struct Digest: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Lower-case, 64 digits.
    package let hex: String

    package init(of bytes: [UInt8]) { hex = ArtifactDigest.of(bytes) }

    /// From `sha256:…`. What passes this check is no path.
    package init(_ text: String) throws(Failure) {
        let prefix = "sha256:"
        guard text.hasPrefix(prefix), Hex.isHex(String(text.dropFirst(prefix.count)), digits: 64) else {
            throw Failure(
                .malformed, "\(text.quotedForDisplay(limit: 100)) is not a digest that is read here",
                hint: "as sha256: with 64 hexadecimal digits in lower case")
        }
        hex = String(text.dropFirst(prefix.count))
    }

    package var description: String { "sha256:" + hex }

    package static func < (a: Self, b: Self) -> Bool { a.hex < b.hex }
}

/// A blob as others refer to it.
package struct BlobDescriptor: Hashable, Sendable {
    package let mediaType: String
    package let digest: Digest
    /// Bytes.
    package let size: Int
    package var artifactType: String?
    package var annotations: [String: String]

    package init(
        _ mediaType: String, of bytes: [UInt8], artifactType: String? = nil, annotations: [String: String] = [:]
    ) {
        self.init(
            mediaType, digest: Digest(of: bytes), size: bytes.count, artifactType: artifactType,
            annotations: annotations
        )
    }

    package init(
        _ mediaType: String, digest: Digest, size: Int, artifactType: String? = nil, annotations: [String: String] = [:]
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.artifactType = artifactType
        self.annotations = annotations
    }

    /// Refuses bytes that are not the ones that were announced.
    package func check(_ bytes: [UInt8], _ what: String) throws(Failure) {
        guard bytes.count == size else {
            throw Failure(
                .malformed, "\(what) has \(bytes.count) bytes where \(size) were announced (\(digest))",
                hint: "fetch or export it again")
        }
        guard Digest(of: bytes) == digest else {
            throw Failure(
                .malformed, "\(what) is damaged or was replaced: its bytes are not those of \(digest)",
                hint: "fetch or export it again")
        }
    }
}
