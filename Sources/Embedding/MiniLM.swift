import Crypto
package import Model

/// all-MiniLM-L6-v2, evaluated here: 384 dimensions, English, some 256 words of a text. About 45 MB of the file are
/// touched; the pages are shared with every process that has it mapped.
package struct MiniLM: Embedder {
    package static let weightsFile = "model.safetensors"
    package static let vocabularyFile = "vocab.txt"
    /// The files of the model as they were published; scripts/fetch-model checks the same digests.
    package static let weightsDigest = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    package static let vocabularyDigest = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
    static let maxWeightsBytes = 256 << 20

    package let identity: EmbeddingIdentity
    let tokenizer: WordPiece
    let transformer: Transformer

    /// Maps the model in a folder and compares it with the pinned digests, which takes some tenths of a second.
    package init(folder: String) throws(Failure) {
        try self.init(folder: folder, weightsDigest: Self.weightsDigest, vocabularyDigest: Self.vocabularyDigest)
    }

    init(folder: String, weightsDigest: String, vocabularyDigest: String) throws(Failure) {
        let vocabulary = try Self.map(folder, Self.vocabularyFile, vocabularyDigest, WordPiece.maxVocabularyBytes)
        let weights = try Self.map(folder, Self.weightsFile, weightsDigest, Self.maxWeightsBytes)
        tokenizer = try WordPiece(vocabulary: vocabulary.withBytes { [UInt8]($0) })
        transformer = try Transformer(try Safetensors(weights), vocabulary: tokenizer.count)
        // How text is read and pooled is part of what a vector means.
        let all = "\(weightsDigest) \(vocabularyDigest) wordpiece-uncased mean l2 \(Transformer.maxPieces)"
        identity = EmbeddingIdentity(
            name: "all-MiniLM-L6-v2", digest: Hex.text(SHA256.hash(data: [UInt8](all.utf8))),
            dimensions: Transformer.width)
    }

    package func vectors(for texts: [String]) async throws(Failure) -> [[Float]] {
        var vectors: [[Float]] = []
        for text in texts {
            guard !Task.isCancelled else { throw Failure(.cancelled, "the search was given up") }
            vectors.append(transformer.vector(of: tokenizer.ids(of: text, limit: Transformer.maxPieces)))
        }
        return vectors
    }

    private static func map(
        _ folder: String, _ name: String, _ digest: String, _ limit: Int
    ) throws(Failure) -> MappedFile {
        let path = folder + "/" + name
        let file: MappedFile
        do throws(Failure) { file = try MappedFile(path, limit: limit) } catch {
            guard error.code == .notFound else { throw error }
            throw Failure(
                .notFound, "there is no model for sentences: \(path) is not there",
                hint: "scripts/fetch-model fetches it; without it, search goes by words alone")
        }
        let found = file.digest()
        guard found == digest else {
            throw Failure(
                .storage, "\(path) is not the model that it should be: its SHA-256 is \(found), expected is \(digest)",
                hint: "fetch it again with scripts/fetch-model")
        }
        return file
    }
}
