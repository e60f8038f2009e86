import Embedding
import Model

/// The vectors of an entry's passages, as they are stored: how many of them are wanted (1 byte), then all, compactly.
struct SentenceVectors: Hashable, Sendable {
    let wanted: Int
    let vectors: CompactVectors

    static func stored(_ passages: [Passage], _ vectors: [[Float]]) -> [UInt8] {
        let wanted = passages.prefix { $0.role != .antiTarget }.count
        return [UInt8(clamping: wanted)] + CompactVector.encode(vectors)
    }

    init(stored bytes: [UInt8], dimensions: Int) throws(Failure) {
        guard let first = bytes.first else { throw Failure(.storage, "stored vectors are empty") }
        vectors = try CompactVectors(stored: bytes.dropFirst(), dimensions: dimensions)
        wanted = Int(first)
        guard wanted <= vectors.count else {
            throw Failure(.storage, "of \(vectors.count) stored vectors \(wanted) are said to be wanted")
        }
    }

    /// The sum of the wanted sentences; of length 1 it is the vector of the entry.
    var sum: [Float] {
        var sum = [Float](repeating: 0, count: vectors.dimensions)
        for vector in 0..<wanted {
            for (index, value) in vectors[vector].enumerated() { sum[index] += value }
        }
        return sum
    }

    func nearness(to question: Question) -> Nearness {
        let plain = vectors.products(with: question.vector)
        let apart = question.apart(plain, vectors)
        return Nearness(
            wanted: Array(apart.prefix(wanted)), unwanted: Array(apart.dropFirst(wanted)),
            cosines: Array(plain.prefix(wanted)))
    }
}

/// The vector of a question, and what is left of it beside what all entries have in common.
struct Question: Hashable, Sendable {
    let vector: [Float]
    /// What is taken away from every vector, and its product with itself and with the question.
    private let common: [Float]
    private let square: Float
    private let product: Float
    /// The length of what is left of the question.
    private let length: Float

    init(_ vector: [Float], beside common: [Float]) {
        self.vector = vector
        self.common = common.count == vector.count ? common : []
        square = self.common.dot(self.common)
        product = self.common.dot(vector)
        length = max(0, vector.dot(vector) - 2 * product + square).squareRoot()
    }

    /// The cosine of what is left of each vector with what is left of the question, from products alone:
    /// (v − c)·(q − c) = v·q − v·c − c·q + c·c, and the vectors are of length 1.
    func apart(_ plain: [Float], _ vectors: CompactVectors) -> [Float] {
        guard !common.isEmpty, length > 0 else { return plain }
        return zip(plain, vectors.products(with: common)).map { withQuestion, withCommon in
            let left = max(1e-6, 1 - 2 * withCommon + square).squareRoot()
            return (withQuestion - withCommon - product + square) / (left * length)
        }
    }
}

/// How near the sentences of an entry are to a question.
struct Nearness: Hashable, Sendable {
    /// Cosines of what is left when what all entries have in common is taken away.
    let wanted: [Float]
    let unwanted: [Float]
    /// Plain ones, of the wanted sentences.
    let cosines: [Float]
}

/// What the sentences of all entries have in common: that they are about tasks and CPUs. Without it, a question is nearest to
/// the entries that it has something particular in common with.
struct Centre: Hashable, Sendable {
    private var sum: [Float]
    private var sentences: Float = 0
    private var entries = 0
    private let part: Float
    /// Of fewer entries the mean is not what is common to all.
    static let fewest = 8

    /// - Parameter part: how much of the mean is taken away, from 0 to 1.
    init(dimensions: Int, part: Float) {
        sum = [Float](repeating: 0, count: dimensions)
        self.part = part
    }

    mutating func add(_ sum: [Float], of sentences: Int) {
        guard sum.count == self.sum.count else { return }
        for index in sum.indices { self.sum[index] += sum[index] }
        self.sentences += Float(sentences)
        entries += 1
    }

    /// What is to be taken away from every vector; empty where it is not known yet.
    var common: [Float] {
        guard entries >= Self.fewest, sentences > 0 else { return [] }
        return sum.map { $0 * part / sentences }
    }
}
