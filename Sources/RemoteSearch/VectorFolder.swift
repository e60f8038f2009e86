import Crypto
import FoundationEssentials
import Linux
import Model

/// Vectors in a folder of the user, one file for each entry's words and model. A cache: what cannot be read or written is made
/// again.
package struct VectorFolder: Sendable {
    private static let maxBytes = 2 << 20

    private let path: String

    /// `$XDG_CACHE_HOME/schedcp/embeddings`, or below `~/.cache`; nil where there is no home.
    package init?(environment: [String: String]) {
        let base = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        guard let cache = base ?? environment["HOME"].flatMap({ $0.hasPrefix("/") ? $0 + "/.cache" : nil }) else {
            return nil
        }
        path = cache + "/schedcp/embeddings"
    }

    func find(document: String, model: String) -> [UInt8]? {
        guard let folder = try? OpenFolder(path),
            let bytes = try? folder.read(Self.name(document, model), limit: Self.maxBytes), bytes.count > 32
        else { return nil }
        let content = Array(bytes.dropFirst(32))
        return Array(SHA256.hash(data: content)) == Array(bytes.prefix(32)) ? content : nil
    }

    func keep(_ vectors: [UInt8], document: String, model: String) {
        guard vectors.count + 32 <= Self.maxBytes, let folder = try? OpenFolder.making(path) else { return }
        try? folder.write(Self.name(document, model), Array(SHA256.hash(data: vectors)) + vectors)
    }

    private static func name(_ document: String, _ model: String) -> String {
        Hex.text(SHA256.hash(data: Data("\(model)\n\(document)".utf8)))
    }
}
