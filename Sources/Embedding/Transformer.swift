import Model

/// BERT as all-MiniLM-L6-v2 has it, forward only: embeddings of pieces and positions, six layers of attention and two
/// connected layers, the mean over all pieces, length 1.
/// Source: Devlin et al., arXiv 1810.04805; the names of the tensors are those of Hugging Face's BertModel.
struct Transformer: Sendable {
    static let width = 384
    static let inner = 1536
    static let heads = 12
    static let layerCount = 6
    static let positions = 512
    static let epsilon: Float = 1e-12
    /// Pieces that it reads of one text, marks included; what the model was made for.
    static let maxPieces = 256

    /// A layer with its bias, by the places of the tensors.
    struct Connected: Sendable {
        let weights: Int
        let bias: Int

        init(_ tensors: Safetensors, _ name: String, _ width: Int, to outputs: Int) throws(Failure) {
            weights = try tensors.tensor(name + ".weight", outputs, width)
            bias = try tensors.tensor(name + ".bias", outputs)
        }
    }

    struct Norm: Sendable {
        let weight: Int
        let bias: Int

        init(_ tensors: Safetensors, _ name: String) throws(Failure) {
            weight = try tensors.tensor(name + ".weight", width)
            bias = try tensors.tensor(name + ".bias", width)
        }
    }

    struct Layer: Sendable {
        let query: Connected
        let key: Connected
        let value: Connected
        let attended: Connected
        let attendedNorm: Norm
        let up: Connected
        let down: Connected
        let norm: Norm

        init(_ tensors: Safetensors, _ number: Int) throws(Failure) {
            let name = "encoder.layer.\(number)."
            query = try Connected(tensors, name + "attention.self.query", width, to: width)
            key = try Connected(tensors, name + "attention.self.key", width, to: width)
            value = try Connected(tensors, name + "attention.self.value", width, to: width)
            attended = try Connected(tensors, name + "attention.output.dense", width, to: width)
            attendedNorm = try Norm(tensors, name + "attention.output.LayerNorm")
            up = try Connected(tensors, name + "intermediate.dense", width, to: inner)
            down = try Connected(tensors, name + "output.dense", inner, to: width)
            norm = try Norm(tensors, name + "output.LayerNorm")
        }
    }

    let file: MappedFile
    let vocabulary: Int
    let words: Int
    let places: Int
    let types: Int
    let norm: Norm
    let layers: [Layer]

    /// - Parameter vocabulary: how many pieces the tokenizer knows, as many as the model has to have.
    init(_ tensors: Safetensors, vocabulary: Int) throws(Failure) {
        file = tensors.file
        self.vocabulary = vocabulary
        words = try tensors.tensor("embeddings.word_embeddings.weight", vocabulary, Self.width)
        places = try tensors.tensor("embeddings.position_embeddings.weight", Self.positions, Self.width)
        types = try tensors.tensor("embeddings.token_type_embeddings.weight", 2, Self.width)
        norm = try Norm(tensors, "embeddings.LayerNorm")
        var layers: [Layer] = []
        for number in 0..<Self.layerCount { layers.append(try Layer(tensors, number)) }
        self.layers = layers
    }

    /// The vector of a text, given as pieces, of which the first `maxPieces` count.
    func vector(of pieces: [Int32]) -> [Float] {
        let ids = pieces.prefix(Self.maxPieces).map { min(max(0, Int($0)), vocabulary - 1) }
        guard !ids.isEmpty else { return [Float](repeating: 0, count: Self.width) }
        var memory = [Float](repeating: 0, count: Rows.size(ids.count))
        return file.withBytes { bytes in
            memory.withUnsafeMutableBufferPointer { buffer in
                // SAFETY: the mapping is aligned to a page, and every place in it was checked against its size. Rows
                // shares out the buffer, which has the size that it asked for and, as ids is not empty, an address.
                guard let start = buffer.baseAddress, let file = bytes.baseAddress else { return [] }
                let pass = Pass(
                    weights: file.assumingMemoryBound(to: Float.self), rows: Rows(start, count: ids.count))
                pass.embed(ids, self)
                for layer in layers { pass.run(layer) }
                return pass.mean()
            }
        }
    }
}

/// The memory of one pass: rows of floats, one for each piece.
struct Rows {
    let count: Int
    let state: Arithmetic.Output
    let query: Arithmetic.Output
    let key: Arithmetic.Output
    let value: Arithmetic.Output
    let mixed: Arithmetic.Output
    let inner: Arithmetic.Output
    /// One row of attention.
    let scores: Arithmetic.Output

    static func size(_ count: Int) -> Int { count * (5 * Transformer.width + Transformer.inner + 1) }

    init(_ start: Arithmetic.Output, count: Int) {
        // SAFETY: consecutive parts of a buffer of size(count) floats.
        self.count = count
        let length = count * Transformer.width
        state = start
        query = start + length
        key = start + 2 * length
        value = start + 3 * length
        mixed = start + 4 * length
        inner = start + 5 * length
        scores = inner + count * Transformer.inner
    }
}
