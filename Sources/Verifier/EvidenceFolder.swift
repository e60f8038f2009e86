import Crypto
import Linux
import Model

/// Blobs known by their SHA-256, and short names ("keys") that lead to one of them. A blob whose content does not fit its
/// name is taken for one that is not there. Several processes may use one folder: files appear whole or not at all, and
/// whoever removes holds the folder's lock.
struct EvidenceFolder: Sendable {
    static let maxBlobBytes = 64 << 20

    let path: String

    /// Makes the folder where there is none.
    init(_ path: String) throws(SystemError) {
        self.path = path
        try HostFile.makeFolders("\(path)/blobs")
        try HostFile.makeFolders("\(path)/keys")
    }

    static func digest(_ bytes: some Sequence<UInt8>) -> String {
        var hash = SHA256()
        hash.update(data: Array(bytes))
        return Hex.text(hash.finalize())
    }

    static func isDigest(_ text: String) -> Bool { Hex.isHex(text, digits: 64) }

    /// Writes what is not there yet, each file durably.
    func put(_ blobs: [String: [UInt8]]) throws(SystemError) {
        for (digest, bytes) in blobs.sorted(by: { $0.key < $1.key }) where blob(digest) == nil {
            try DurableFile.write("\(path)/blobs/\(digest)", bytes, mode: 0o600)
        }
    }

    /// Nil where there is none, or where it is damaged.
    func blob(_ digest: String) -> [UInt8]? {
        guard Self.isDigest(digest),
            let bytes = try? DurableFile.read("\(path)/blobs/\(digest)", limit: Self.maxBlobBytes),
            Self.digest(bytes) == digest
        else { return nil }
        return bytes
    }

    /// Points a key at a run, and makes that run the youngest.
    func setKey(_ key: String, to run: String) throws(SystemError) {
        try DurableFile.write("\(path)/keys/\(key)", Array(run.utf8), mode: 0o600)
    }

    func run(forKey key: String) -> String? {
        guard Self.isDigest(key), let bytes = try? DurableFile.read("\(path)/keys/\(key)", limit: 256) else {
            return nil
        }
        let text = String(decoding: bytes, as: UTF8.self)
        return Self.isDigest(text) ? text : nil
    }
}
