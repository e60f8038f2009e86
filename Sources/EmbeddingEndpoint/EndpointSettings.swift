// EmbeddingEndpoint: vectors of sentences from a service that has OpenAI's interface, for programs that run as ordinary users.
// The service is not believed: counts, sizes and figures of what it sends are checked.

import Linux
package import Model
package import Web

/// Which service makes the vectors. Of the environment: SCHEDCP_EMBEDDINGS_URL, SCHEDCP_EMBEDDINGS_MODEL, and for a service that
/// demands one SCHEDCP_EMBEDDINGS_KEY_FILE, a file with the key.
package struct EndpointSettings: Sendable {
    package static let urlVariable = "SCHEDCP_EMBEDDINGS_URL"
    package static let modelVariable = "SCHEDCP_EMBEDDINGS_MODEL"
    package static let keyVariable = "SCHEDCP_EMBEDDINGS_KEY_FILE"
    private static let maxKeyBytes = 4096

    /// Of the operation `embeddings`.
    package let address: WebAddress
    package let model: String
    let key: String?

    /// - Parameter url: as `https://models.example/v1`; `/embeddings` is added where it is not there.
    package init(url: String, model: String, key: String? = nil) throws(Failure) {
        var text = url
        while text.hasSuffix("/") { text.removeLast() }
        if !text.hasSuffix("/embeddings") { text += "/embeddings" }
        address = try WebAddress(text)
        guard (1...256).contains(model.utf8.count) else {
            throw Failure(
                .invalidArgument, "the name of the model for embeddings is missing", hint: "set \(Self.modelVariable)")
        }
        self.model = model
        guard key?.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) ?? true else {
            throw Failure(.invalidArgument, "the key of the service for embeddings has characters that no key has")
        }
        self.key = key
    }

    /// Nil where no service is named.
    package static func read(_ environment: [String: String]) throws(Failure) -> EndpointSettings? {
        guard let url = environment[urlVariable], !url.isEmpty else { return nil }
        var key: String?
        if let path = environment[keyVariable], !path.isEmpty {
            let text: String
            do throws(SystemError) { text = try TextFile.read(path, limit: maxKeyBytes) } catch {
                throw Failure(
                    .notFound, "the key of the service for embeddings cannot be read: \(error)",
                    hint: "\(keyVariable) names its file")
            }
            key = text.split(whereSeparator: \.isNewline).first.map(String.init)
        }
        return try EndpointSettings(url: url, model: environment[modelVariable] ?? "", key: key)
    }
}
