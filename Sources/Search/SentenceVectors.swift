import Embedding
import Model

/// The vectors of an entry's passages, as they are stored: how many of them are wanted (1 byte), then all, compactly.
struct SentenceVectors: Hashable, Sendable {
    let wanted: Int
    let vectors: [[Float]]

    init(passages: [Passage], vectors: [[Float]]) {
        wanted = passages.prefix { $0.role != .antiTarget }.count
        self.vectors = vectors
    }

    init(stored bytes: [UInt8], dimensions: Int) throws(Failure) {
        guard let first = bytes.first else { throw Failure(.storage, "stored vectors are empty") }
        vectors = try CompactVector.decode(Array(bytes.dropFirst()), dimensions: dimensions)
        wanted = Int(first)
        guard wanted <= vectors.count else {
            throw Failure(.storage, "of \(vectors.count) stored vectors \(wanted) are said to be wanted")
        }
    }

    var stored: [UInt8] { [UInt8(clamping: wanted)] + CompactVector.encode(vectors) }

    /// One vector for the entry: the mean of the wanted sentences.
    var middle: [Float] {
        var sum = [Float](repeating: 0, count: vectors.first?.count ?? 0)
        for vector in vectors.prefix(wanted) {
            for index in sum.indices { sum[index] += vector[index] }
        }
        return sum.normalised()
    }

    func nearness(to question: [Float], beside centre: Centre) -> Nearness {
        let apart = centre.away(question)
        let all = vectors.map { centre.away($0).dot(apart) }
        return Nearness(
            wanted: Array(all.prefix(wanted)), unwanted: Array(all.dropFirst(wanted)),
            cosines: vectors.prefix(wanted).map { $0.dot(question) })
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

    mutating func add(_ entry: SentenceVectors) {
        for vector in entry.vectors.prefix(entry.wanted) where vector.count == sum.count {
            for index in sum.indices { sum[index] += vector[index] }
            sentences += 1
        }
        entries += 1
    }

    func away(_ vector: [Float]) -> [Float] {
        guard entries >= Self.fewest, sentences > 0, vector.count == sum.count else { return vector }
        let factor = part / sentences
        return zip(vector, sum).map { $0 - factor * $1 }.normalised()
    }
}
