import Crypto
import FoundationEssentials
package import Model

/// Objects that were deployed, each in a file named by its SHA-256, so that a restarted daemon still knows the very bytes
/// that the kernel runs.
package struct ArtifactStore: ArtifactKeeper {
    private let folder: String
    /// Older artifacts beyond this many are removed.
    private let most: Int
    static let maxArtifacts = 256

    /// Makes the folder where it is missing.
    package init(folder: String, most: Int = Self.maxArtifacts) throws(Failure) {
        self.folder = folder
        self.most = most
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch { throw Self.storage("make \(folder)", error) }
    }

    package static func digest(_ bytes: [UInt8]) -> String {
        Hex.text(SHA256.hash(data: bytes))
    }

    /// Stores the bytes and gives their digest. The file appears whole or not at all.
    package func put(_ bytes: [UInt8]) throws(Failure) -> String {
        let digest = Self.digest(bytes)
        do {
            if (try? get(digest)) == bytes {
                // Its age is that of its last use, so that what runs is not what is pruned first.
                try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: path(digest))
                return digest
            }
            try Data(bytes).write(to: URL(filePath: path(digest)), options: .atomic)
        } catch { throw Self.storage("store an artifact", error) }
        prune(keeping: digest)
        return digest
    }

    /// The bytes of an artifact; refused when they are not those that its name says.
    package func get(_ digest: String) throws(Failure) -> [UInt8] {
        guard digest.utf8.count == 64, digest.utf8.allSatisfy(Self.isHexDigit) else {
            throw Failure(.invalidArgument, "\(digest.quotedForDisplay()) is not a SHA-256")
        }
        guard let data = try? Data(contentsOf: URL(filePath: path(digest))) else {
            throw Failure(.notFound, "the artifact \(digest.prefix(12))… is not stored here")
        }
        let bytes = [UInt8](data)
        guard Self.digest(bytes) == digest else {
            throw Failure(.storage, "the artifact \(digest.prefix(12))… was changed on disk", hint: "deploy it again")
        }
        return bytes
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) || (97...102).contains(byte) }

    private func path(_ digest: String) -> String { "\(folder)/\(digest).bpf.o" }

    private func prune(keeping digest: String) {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return }
        let dated = names.filter { $0.hasSuffix(".bpf.o") && !$0.hasPrefix(digest) }.map { name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            return (name, attributes?[.modificationDate] as? Date ?? .distantPast)
        }
        for (name, _) in dated.sorted(by: { $0.1 > $1.1 }).dropFirst(most) {
            try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
    }

    private static func storage(_ what: String, _ error: any Error) -> Failure {
        Failure(
            .storage, "could not \(what): \(error)",
            hint: "is the disk full or read-only? see `df` for its state folder")
    }
}
