package import Exchange
package import Model
import Web

/// What a registry took.
package struct PushReceipt: Hashable, Sendable {
    package let tag: String
    /// Of the manifest: what others pull by.
    package let digest: Digest
    /// Blobs that it did not have yet.
    package let sent: Int
    package let blobs: Int
}

extension RegistryClient {
    /// Puts an entry under a tag: its blobs first, so that nobody finds a manifest without them.
    package func push(_ artifact: EntryArtifact, tag: String) async throws(Failure) -> PushReceipt {
        guard RegistryReference.isTag(tag) else {
            throw Failure(.invalidArgument, "\(tag.quotedForDisplay()) is no tag")
        }
        var sent = 0
        for blob in artifact.blobs where try await !has(blob.descriptor) {
            try await upload(blob)
            sent += 1
        }
        let request = WebRequest(
            .put, try address("manifests/\(tag)"), headers: [.init("content-type", MediaType.manifest)],
            body: artifact.manifest, isRepeatable: true)
        let response = try await ask(request)
        guard response.status == 201 else { throw failure(response, "the manifest was not taken") }
        if let digest = response.header("docker-content-digest"), digest != artifact.descriptor.digest.description {
            throw Failure(
                .malformed,
                "\(reference.registry) keeps another manifest than was sent: \(digest.quotedForDisplay(limit: 100))")
        }
        return PushReceipt(tag: tag, digest: artifact.descriptor.digest, sent: sent, blobs: artifact.blobs.count)
    }

    private func has(_ blob: BlobDescriptor) async throws(Failure) -> Bool {
        let response = try await ask(WebRequest(.head, try address("blobs/\(blob.digest)")))
        switch response.status {
        case 200: return true
        case 404: return false
        default: throw failure(response, "a blob could not be looked for")
        }
    }

    /// In one piece. Sending a blob again changes nothing: it is known by its digest.
    private func upload(_ blob: EntryArtifact.Blob) async throws(Failure) {
        let begun = try await ask(WebRequest(.post, try address("blobs/uploads/"), body: [], isRepeatable: true))
        guard begun.status == 202, let location = begun.header("location") else {
            throw failure(begun, "a blob could not be sent")
        }
        let digest = blob.descriptor.digest
        let place = try begun.address.resolving(location).adding(query: [("digest", digest.description)])
        guard place.isEncrypted || !base.isEncrypted else {
            throw Failure(.denied, "\(reference.registry) wants a blob without encryption, at \(place)")
        }
        let request = WebRequest(
            .put, place, headers: [.init("content-type", "application/octet-stream")], body: blob.bytes,
            isRepeatable: true)
        let ended = try await ask(request)
        if ended.status == 201 { return }
        // The answer to an earlier try may have got lost.
        guard try await has(blob.descriptor) else { throw failure(ended, "a blob was not taken") }
    }
}
