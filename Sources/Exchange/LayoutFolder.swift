import Linux
package import Model

/// A folder that holds entries as an OCI image layout: `oci-layout`, `index.json`, and blobs by their digests. Other tools
/// copy it as it is.
package struct LayoutFolder: ~Copyable {
    private let folder: OpenFolder
    private let blobs: OpenFolder

    /// A layout to read.
    package init(reading path: String) throws(Failure) {
        let root = try Self.open(path)
        try Self.checkVersion(root)
        do throws(SystemError) {
            let all = try root.folder("blobs")
            blobs = try all.folder("sha256")
        } catch { throw Self.failure(error) }
        folder = root
    }

    /// A layout to add to: one that is there, or a new one in an empty folder, which is made where it is missing.
    package init(writing path: String) throws(Failure) {
        let root = try Self.open(path, making: true)
        do throws(SystemError) {
            if try root.isEmpty() {
                try root.write("oci-layout", Array("{\"imageLayoutVersion\":\"1.0.0\"}".utf8))
            }
        } catch { throw Self.failure(error) }
        try Self.checkVersion(root)
        do throws(SystemError) {
            let all = try root.makeFolder("blobs")
            blobs = try all.makeFolder("sha256")
        } catch { throw Self.failure(error) }
        folder = root
    }

    private static func open(_ path: String, making: Bool = false) throws(Failure) -> OpenFolder {
        do throws(SystemError) { return try making ? .making(path) : OpenFolder(path) } catch {
            throw Failure(
                .notFound, "\(path.quotedForDisplay(limit: 200)) cannot be opened as a folder: \(error.reason)")
        }
    }

    private static func checkVersion(_ folder: borrowing OpenFolder) throws(Failure) {
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try folder.read("oci-layout", limit: 4096) } catch {
            throw Failure(
                .notFound, "\(folder.path.quotedForDisplay(limit: 200)) is not an OCI image layout: \(error)",
                hint: "a layout has the files oci-layout and index.json; an archive has to be unpacked first")
        }
        let form = try OCIForm.read(LayoutForm.self, bytes, limit: 4096, "the file oci-layout")
        guard form.imageLayoutVersion.hasPrefix("1.") else {
            throw Failure(
                .unsupportedVersion,
                "the layout has version \(form.imageLayoutVersion.quotedForDisplay()), and 1 is read")
        }
    }

    static func failure(_ error: SystemError) -> Failure {
        error.isTooLarge
            ? Failure(.tooMany, "a file of the layout is larger than what is read: \(error)")
            : Failure(.malformed, "the layout cannot be used: \(error)")
    }
}

extension LayoutFolder {
    /// Adds an entry. Of the same name and version the new one takes the place of the old one in the index.
    package func add(_ artifact: EntryArtifact) throws(Failure) {
        for blob in artifact.blobs { try put(blob.descriptor.digest, blob.bytes) }
        try put(artifact.descriptor.digest, artifact.manifest)
        var index = try readIndex(mayBeMissing: true)
        let name = artifact.descriptor.annotations[Annotation.reference]
        guard index.manifests.allSatisfy(\.mayBeEntry) else {
            throw Failure(
                .invalidArgument,
                "the layout \(folder.path.quotedForDisplay(limit: 200)) holds artifacts of another kind",
                hint: "use another folder")
        }
        index.manifests.removeAll { $0.annotations?[Annotation.reference] == name }
        guard index.manifests.count < ExchangeLimits.manifests else {
            throw Failure(
                .tooMany, "the layout holds \(index.manifests.count) manifests already", hint: "use another folder")
        }
        index.manifests.append(DescriptorForm(artifact.descriptor))
        // In one order, whatever the order in which they came.
        index.manifests.sort {
            ($0.annotations?[Annotation.reference] ?? "", $0.digest) < (
                $1.annotations?[Annotation.reference] ?? "", $1.digest
            )
        }
        let bytes = try OCIForm.bytes(index)
        do throws(SystemError) { try folder.write("index.json", bytes) } catch { throw Self.failure(error) }
    }

    /// The entries, by name and version, each with all of its blobs still to be read. Other artifacts are passed over.
    package func entries() throws(Failure) -> [LayoutEntry] {
        let index = try readIndex(mayBeMissing: false)
        var entries: [LayoutEntry] = []
        for form in index.manifests {
            guard form.mayBeEntry else { continue }
            let descriptor = try form.descriptor()
            guard descriptor.size <= ExchangeLimits.manifestBytes else {
                throw Failure(
                    .tooMany, "a manifest of \(descriptor.size) bytes, more than \(ExchangeLimits.manifestBytes)")
            }
            guard let name = descriptor.annotations[Annotation.reference] else {
                throw Failure(
                    .malformed, "an entry of the layout has no name (\(descriptor.digest))",
                    hint: "it is the annotation \(Annotation.reference), as fifo@1.0.0")
            }
            let key = try EntryKey(name)
            if let other = entries.first(where: { $0.key == key }) {
                throw Failure(
                    .malformed,
                    "two manifests of the layout are named \(key): \(other.descriptor.digest) and \(descriptor.digest)",
                    hint: "remove one of them from index.json")
            }
            entries.append(LayoutEntry(key: key, descriptor: descriptor))
        }
        return entries.sorted { $0.key < $1.key }
    }

    /// Reads one whole, and checks it.
    package func read(_ one: LayoutEntry) throws(Failure) -> TravellingEntry {
        let bytes = try get(one.descriptor, "the manifest of \(one.key)", limit: ExchangeLimits.manifestBytes)
        let manifest = try EntryManifest(bytes)
        var fetched: [Digest: [UInt8]] = [:]
        for blob in manifest.blobs { fetched[blob.digest] = try get(blob, "a layer of \(one.key)", limit: blob.size) }
        let entry = try manifest.entry(fetched)
        guard entry.facts.key == one.key else {
            throw Failure(.malformed, "what the layout names \(one.key) is \(entry.facts.key)")
        }
        return entry
    }

    private func readIndex(mayBeMissing: Bool) throws(Failure) -> IndexForm {
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try folder.read("index.json", limit: ExchangeLimits.indexBytes) } catch {
            if mayBeMissing && error.isNoSuchFile {
                return IndexForm(schemaVersion: 2, mediaType: MediaType.index, manifests: [])
            }
            throw Self.failure(error)
        }
        let index = try OCIForm.read(IndexForm.self, bytes, limit: ExchangeLimits.indexBytes, "index.json")
        guard index.schemaVersion == 2, index.mediaType ?? MediaType.index == MediaType.index else {
            throw Failure(.malformed, "index.json is not an index of OCI's image specification 1")
        }
        guard index.manifests.count <= ExchangeLimits.manifests else {
            throw Failure(
                .tooMany, "index.json has \(index.manifests.count) manifests, more than \(ExchangeLimits.manifests)")
        }
        return index
    }

    private func get(_ descriptor: BlobDescriptor, _ what: String, limit: Int) throws(Failure) -> [UInt8] {
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try blobs.read(descriptor.digest.hex, limit: limit) } catch {
            if error.isTooLarge {
                throw Failure(.malformed, "\(what) is larger than the \(descriptor.size) bytes that were announced")
            }
            throw error.isNoSuchFile
                ? Failure(.malformed, "\(what) is missing from the layout (\(descriptor.digest))")
                : Self.failure(error)
        }
        try descriptor.check(bytes, what)
        return bytes
    }

    /// A blob that is there and whole stays.
    private func put(_ digest: Digest, _ bytes: [UInt8]) throws(Failure) {
        do throws(SystemError) {
            if try blobs.size(digest.hex) == bytes.count,
                Digest(of: try blobs.read(digest.hex, limit: bytes.count)) == digest
            {
                return
            }
        } catch {
            // A link or a folder in its place: what follows replaces it or fails.
        }
        do throws(SystemError) { try blobs.write(digest.hex, bytes) } catch { throw Self.failure(error) }
    }
}

extension DescriptorForm {
    /// By what the index says; a tool that copied it may have left the type of the artifact out.
    fileprivate var mayBeEntry: Bool {
        mediaType == MediaType.manifest && artifactType ?? MediaType.artifact == MediaType.artifact
    }
}

/// An entry that a layout names.
package struct LayoutEntry: Hashable, Sendable {
    package let key: EntryKey
    package let descriptor: BlobDescriptor
}

extension LayoutEntry {
    /// Those that are asked for: `fifo` is the newest one there, `fifo@1.0.0` that one; no names, all of them, the older
    /// versions of a name first.
    package static func select(_ names: [String], of all: [LayoutEntry]) throws(Failure) -> [LayoutEntry] {
        guard !all.isEmpty else {
            throw Failure(.notFound, "the layout holds no entry of a policy repository")
        }
        guard !names.isEmpty else { return all }
        var chosen: Set<LayoutEntry> = []
        for name in names {
            let found = all.filter { $0.key.description == name || $0.key.name.text == name }.max { $0.key < $1.key }
            guard let found else {
                let there = all.map(\.key.description).prefix(20).joined(separator: ", ")
                throw Failure(.notFound, "the layout holds no \(name.quotedForDisplay())", hint: "it holds \(there)")
            }
            chosen.insert(found)
        }
        return chosen.sorted { $0.key < $1.key }
    }
}
