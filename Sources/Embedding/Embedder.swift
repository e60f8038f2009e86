// Embedding: sentences as vectors, computed in this process by a small transformer whose weights are mapped from a file.
// It runs inside schedcpd and in tools; it reads the two files of the model, once, and keeps no other state, so that any
// number of threads may use one model at a time. Pointers are used for the mapped weights and the inner loops only.

package import Model

/// What makes vectors of sentences: the model on this machine, or a service that a client was told of.
///
/// The daemon has the first kind only. A service speaks HTTP, which no privileged program links, so its implementation
/// belongs to the programs of the agents.
package protocol Embedder: Sendable {
    var identity: EmbeddingIdentity { get }

    /// One vector of length 1 and `identity.dimensions` components for each text, in the same order. A text that is longer
    /// than the model reads is cut.
    func vectors(for texts: [String]) async throws(Failure) -> [[Float]]
}

extension Embedder {
    package func vector(for text: String) async throws(Failure) -> [Float] {
        guard let vector = try await vectors(for: [text]).first else {
            throw Failure(.internal, "the model '\(identity.name)' made no vector")
        }
        return vector
    }
}

/// Which model made a vector. Vectors of different models cannot be compared.
package struct EmbeddingIdentity: Hashable, Sendable {
    package let name: String
    /// SHA-256, lower-case hex, of everything that determines a vector: the weights, the vocabulary and the pooling; for a
    /// service, of its address and the model's name there.
    package let digest: String
    package let dimensions: Int

    package init(name: String, digest: String, dimensions: Int) {
        self.name = name
        self.digest = digest
        self.dimensions = dimensions
    }
}
