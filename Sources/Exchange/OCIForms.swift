import FoundationEssentials
import Model

/// The JSON of OCI's image specification 1.1, as far as it is written or read here.
struct DescriptorForm: Codable {
    var mediaType: String
    var digest: String
    var size: Int64
    var artifactType: String?
    var annotations: [String: String]?

    init(_ descriptor: BlobDescriptor) {
        mediaType = descriptor.mediaType
        digest = descriptor.digest.description
        size = Int64(descriptor.size)
        artifactType = descriptor.artifactType
        annotations = descriptor.annotations.isEmpty ? nil : descriptor.annotations
    }

    func descriptor() throws(Failure) -> BlobDescriptor {
        guard let size = Int(exactly: size), size >= 0 else {
            throw Failure(.malformed, "the size of \(digest.quotedForDisplay(limit: 100)) is none")
        }
        return BlobDescriptor(
            mediaType, digest: try Digest(digest), size: size, artifactType: artifactType,
            annotations: annotations ?? [:])
    }
}

struct ManifestForm: Codable {
    var schemaVersion: Int
    var mediaType: String?
    var artifactType: String?
    var config: DescriptorForm
    var layers: [DescriptorForm]
    var annotations: [String: String]?
}

struct IndexForm: Codable {
    var schemaVersion: Int
    var mediaType: String?
    var manifests: [DescriptorForm]
    var annotations: [String: String]?
}

/// The file `oci-layout`.
struct LayoutForm: Codable {
    var imageLayoutVersion: String
}

enum OCIForm {
    /// The same bytes for the same value.
    static func bytes(_ value: some Encodable) throws(Failure) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do { return [UInt8](try encoder.encode(value)) } catch {
            throw Failure(.internal, "a manifest could not be encoded: \(error)")
        }
    }

    static func read<T: Decodable>(_ type: T.Type, _ bytes: [UInt8], limit: Int, _ what: String) throws(Failure) -> T {
        guard bytes.count <= limit else {
            throw Failure(.tooMany, "\(what) has \(bytes.count) bytes, more than the \(limit) that are read")
        }
        do { return try JSONDecoder().decode(type, from: Data(bytes)) } catch {
            throw Failure(.malformed, "\(what) cannot be read: \("\(error)".escapedForDisplay(limit: 200))")
        }
    }
}
