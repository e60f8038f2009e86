package import Exchange
import FoundationEssentials
package import Model
import Web

/// What came of a registry.
package struct PulledEntry: Hashable, Sendable {
    package let entry: TravellingEntry
    /// Of the manifest that the registry has.
    package let digest: Digest
    /// Media types of layers that somebody added, which were not fetched.
    package let ignored: [String]
}

extension RegistryClient {
    /// The entry under the reference's digest or tag; without either, that of the newest version among the tags.
    package func pull() async throws(Failure) -> PulledEntry {
        let name: String
        if let digest = reference.digest {
            name = digest.description
        } else if let tag = reference.tag {
            name = tag
        } else {
            name = try await newestTag()
        }
        let bytes = try await manifest(name)
        let manifest = try EntryManifest(bytes)
        var fetched: [Digest: [UInt8]] = [:]
        for blob in manifest.blobs { fetched[blob.digest] = try await get(blob) }
        return PulledEntry(
            entry: try manifest.entry(fetched), digest: Digest(of: bytes), ignored: manifest.ignored)
    }

    private func manifest(_ name: String) async throws(Failure) -> [UInt8] {
        let accept = [MediaType.manifest, MediaType.index].map { WebRequest.Header("accept", $0) }
        let request = WebRequest(
            .get, try address("manifests/\(name)"), headers: accept, answerLimit: ExchangeLimits.manifestBytes)
        let response = try await ask(request)
        guard response.status == 200 else { throw failure(response, "there is no \(name) of \(reference.repository)") }
        let digest = Digest(of: response.body)
        // Without a digest that was asked for there is only the registry's own word, which has to fit at least.
        let expected = reference.digest?.description ?? response.header("docker-content-digest")
        guard expected == nil || expected == digest.description else {
            throw Failure(
                .malformed,
                "the manifest \(name) is damaged or was replaced: its digest is \(digest), not \((expected ?? "").escapedForDisplay(limit: 100))"
            )
        }
        if response.header("content-type")?.hasPrefix(MediaType.index) == true {
            throw Failure(
                .malformed, "\(name) of \(reference.repository) is an index of several artifacts, not an entry",
                hint: "pull one of them by its digest: \(reference.registry)/\(reference.repository)@sha256:…")
        }
        return response.body
    }

    private func get(_ blob: BlobDescriptor) async throws(Failure) -> [UInt8] {
        // Room for an error's words, where the blob is smaller than those.
        let limit = max(blob.size, 16 << 10)
        let request = WebRequest(.get, try address("blobs/\(blob.digest)"), answerLimit: limit)
        let response = try await ask(request)
        guard response.status == 200 else { throw failure(response, "the blob \(blob.digest) could not be fetched") }
        try blob.check(response.body, "a layer of \(blob.mediaType)")
        return response.body
    }

    /// Tags that are no versions do not count.
    private func newestTag() async throws(Failure) -> String {
        var page: WebAddress? = try address("tags/list").adding(query: [("n", "1000")])
        var newest: SemanticVersion?
        var pages = 0
        while let address = page, pages < 20 {
            let response = try await ask(WebRequest(.get, address, answerLimit: 1 << 20))
            guard response.status == 200 else { throw failure(response, "the tags could not be listed") }
            guard let form = try? JSONDecoder().decode(TagsForm.self, from: Data(response.body)) else {
                throw Failure(.malformed, "\(reference.registry) answered without a list of tags")
            }
            for tag in form.tags ?? [] {
                guard let version = try? SemanticVersion(tag) else { continue }
                newest = max(newest ?? version, version)
            }
            page = try next(response)
            pages += 1
        }
        guard let newest else {
            throw Failure(
                .notFound, "no tag of \(reference.repository) is a version",
                hint: "name a tag: \(reference.repository):TAG")
        }
        return newest.description
    }

    /// Where the list goes on: `Link: </v2/…>; rel="next"`.
    private func next(_ response: WebResponse) throws(Failure) -> WebAddress? {
        guard let link = response.header("link"), link.contains("rel=\"next\""), link.hasPrefix("<"),
            let end = link.firstIndex(of: ">")
        else { return nil }
        let address = try response.address.resolving(String(link[link.index(after: link.startIndex)..<end]))
        return address.hasSameOrigin(as: base) ? address : nil
    }
}

private struct TagsForm: Decodable { var tags: [String]? }
