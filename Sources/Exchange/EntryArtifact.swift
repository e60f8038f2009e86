import Attestation
package import Model

/// An entry as it is put down: a manifest and the blobs that it names. The same entry gives the same bytes, so that its digest
/// is the same wherever it was exported.
package struct EntryArtifact: Hashable, Sendable {
    package struct Blob: Hashable, Sendable {
        package let descriptor: BlobDescriptor
        package let bytes: [UInt8]
    }

    package let entry: TravellingEntry
    /// JSON.
    package let manifest: [UInt8]
    /// Of the manifest, with what the index of a layout says of it.
    package let descriptor: BlobDescriptor
    /// What the manifest names, its config first. A blob that it names twice is here once.
    package let blobs: [Blob]

    package init(_ entry: TravellingEntry) throws(Failure) {
        self.entry = entry
        let facts = entry.facts
        let config = Blob(
            descriptor: BlobDescriptor(MediaType.empty, of: MediaType.emptyBlob), bytes: MediaType.emptyBlob)
        let layers = Self.layers(entry)
        let form = ManifestForm(
            schemaVersion: 2, mediaType: MediaType.manifest, artifactType: MediaType.artifact,
            config: DescriptorForm(config.descriptor), layers: layers.map { DescriptorForm($0.descriptor) },
            annotations: Self.annotations(facts))
        manifest = try OCIForm.bytes(form)
        descriptor = BlobDescriptor(
            MediaType.manifest, of: manifest, artifactType: MediaType.artifact,
            annotations: [Annotation.reference: facts.key.description])
        var seen: Set<Digest> = []
        blobs = ([config] + layers).filter { seen.insert($0.descriptor.digest).inserted }
    }

    /// The files have the names under which other tools unpack them.
    private static func layers(_ entry: TravellingEntry) -> [Blob] {
        let facts = entry.facts
        func blob(_ type: String, _ bytes: [UInt8], _ title: String) -> Blob {
            Blob(descriptor: BlobDescriptor(type, of: bytes, annotations: [Annotation.title: title]), bytes: bytes)
        }
        var layers = [blob(MediaType.policy, entry.policy, "\(facts.key.name).policy.json")]
        if !entry.object.isEmpty { layers.append(blob(MediaType.object, entry.object, "\(facts.key.name).bpf.o")) }
        if let source = facts.source { layers.append(blob(MediaType.source, Array(source.text.utf8), source.file)) }
        for (number, envelope) in facts.envelopes.enumerated() {
            layers.append(blob(MediaType.attestation, envelope, "\(facts.key.name).\(number + 1).intoto.json"))
        }
        return layers
    }

    private static func annotations(_ facts: PolicyFacts) -> [String: String] {
        var annotations = [
            Annotation.title: facts.key.name.text, Annotation.version: facts.key.version.description,
            Annotation.licenses: facts.license,
        ]
        // Of the entry itself nobody recorded the time: what was shown of it has one.
        if let seconds = facts.newestEvidence, let time = UTC.text(seconds) { annotations[Annotation.created] = time }
        return annotations
    }
}

/// The manifest of an entry, read from somewhere: which blobs to fetch, and what they make together.
package struct EntryManifest: Hashable, Sendable {
    package let policy: BlobDescriptor
    /// Of a primitive nil.
    package let object: BlobDescriptor?
    package let source: BlobDescriptor?
    package let attestations: [BlobDescriptor]
    /// Media types of layers that somebody added, which are not read.
    package let ignored: [String]

    /// Refuses what is not an entry of a policy repository, or is more than is read.
    package init(_ bytes: [UInt8]) throws(Failure) {
        let form = try OCIForm.read(ManifestForm.self, bytes, limit: ExchangeLimits.manifestBytes, "the manifest")
        guard form.schemaVersion == 2, form.mediaType ?? MediaType.manifest == MediaType.manifest else {
            throw Failure(.malformed, "it is not a manifest of OCI's image specification 1")
        }
        guard form.artifactType == MediaType.artifact else {
            throw Failure(
                .malformed,
                "it is not an entry of a policy repository but \((form.artifactType ?? form.config.mediaType).quotedForDisplay())",
                hint: "an entry has the artifact type \(MediaType.artifact)")
        }
        guard form.config.mediaType == MediaType.empty else {
            throw Failure(
                .malformed,
                "the config of an entry is empty, and this one is \(form.config.mediaType.quotedForDisplay())")
        }
        guard form.layers.count <= ExchangeLimits.layers else {
            throw Failure(.tooMany, "the manifest has \(form.layers.count) layers, more than \(ExchangeLimits.layers)")
        }
        var byType: [String: [BlobDescriptor]] = [:]
        for layer in form.layers { byType[layer.mediaType, default: []].append(try layer.descriptor()) }
        guard let policy = try Self.one(MediaType.policy, &byType, ExchangeLimits.policyBytes) else {
            throw Failure(.malformed, "the manifest names no policy", hint: "its media type is \(MediaType.policy)")
        }
        self.policy = policy
        object = try Self.one(MediaType.object, &byType, ExchangeLimits.objectBytes)
        source = try Self.one(MediaType.source, &byType, ExchangeLimits.sourceBytes)
        attestations = byType.removeValue(forKey: MediaType.attestation) ?? []
        guard attestations.count <= ExchangeLimits.attestations else {
            throw Failure(
                .tooMany,
                "the manifest has \(attestations.count) attestations, more than \(ExchangeLimits.attestations)")
        }
        for attestation in attestations { try Self.check(attestation, ExchangeLimits.attestationBytes) }
        ignored = byType.keys.sorted()
    }

    /// Each once.
    package var blobs: [BlobDescriptor] {
        var seen: Set<Digest> = []
        return ([policy, object, source].compactMap(\.self) + attestations).filter { seen.insert($0.digest).inserted }
    }

    /// The entry, of the blobs that were fetched. Every one is checked, and that the layers are what the policy says.
    package func entry(_ fetched: [Digest: [UInt8]]) throws(Failure) -> TravellingEntry {
        func bytes(_ descriptor: BlobDescriptor, _ what: String) throws(Failure) -> [UInt8] {
            guard let bytes = fetched[descriptor.digest] else {
                throw Failure(.malformed, "\(what) is missing (\(descriptor.digest))")
            }
            try descriptor.check(bytes, what)
            return bytes
        }
        let object: [UInt8]
        if let descriptor = self.object { object = try bytes(descriptor, "the object") } else { object = [] }
        let entry = try TravellingEntry(policy: try bytes(policy, "the policy"), object: object)
        let text: [UInt8]?
        if let source { text = try bytes(source, "the source") } else { text = nil }
        guard text == entry.facts.source.map({ Array($0.text.utf8) }) else {
            throw Failure(.malformed, "the source beside \(entry.facts.key) is not the one in its policy")
        }
        var envelopes: [[UInt8]] = []
        for attestation in attestations { envelopes.append(try bytes(attestation, "an attestation")) }
        guard envelopes == entry.facts.envelopes else {
            throw Failure(.malformed, "the attestations beside \(entry.facts.key) are not those in its policy")
        }
        return entry
    }

    private static func one(
        _ type: String, _ byType: inout [String: [BlobDescriptor]], _ limit: Int
    ) throws(Failure) -> BlobDescriptor? {
        guard let found = byType.removeValue(forKey: type) else { return nil }
        guard found.count == 1, let one = found.first else {
            throw Failure(.malformed, "the manifest names \(found.count) layers of \(type), and one is expected")
        }
        try check(one, limit)
        return one
    }

    private static func check(_ descriptor: BlobDescriptor, _ limit: Int) throws(Failure) {
        guard descriptor.size <= limit else {
            throw Failure(
                .tooMany,
                "a layer of \(descriptor.mediaType) has \(descriptor.size) bytes, more than the \(limit) that are read")
        }
    }
}
