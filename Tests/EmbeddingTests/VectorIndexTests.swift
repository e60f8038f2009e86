import Model
import TestSupport
import Testing

@testable import Embedding

/// Vectors in a quarter of their size, and the scan over them.
@Suite struct VectorIndexTests {
    static func vector(_ dimensions: Int, _ random: inout Seeded) -> [Float] {
        (0..<dimensions).map { _ in Float.random(in: -1...1, using: &random) }.normalised()
    }

    @Test(arguments: [16, 100, 384, 1536]) func aStoredVectorIsNearlyTheSame(_ dimensions: Int) throws {
        var random = Seeded(UInt64(dimensions))
        let vectors = (0..<20).map { _ in Self.vector(dimensions, &random) }
        let bytes = CompactVector.encode(vectors)
        #expect(bytes.count == 20 * CompactVector.bytes(dimensions: dimensions))
        let back = try CompactVectors(stored: bytes[...], dimensions: dimensions)
        #expect(back.count == 20 && back.dimensions == dimensions)
        for (index, vector) in vectors.enumerated() { #expect(vector.dot(back[index].normalised()) > 0.9998) }
        let other = Self.vector(dimensions, &random)
        for (vector, product) in zip(vectors, back.products(with: other)) {
            #expect(abs(vector.dot(other) - product) < 0.003)
        }
        #expect(back.products(with: []) == [Float](repeating: 0, count: 20))
        #expect(back.products(with: other.map { _ in .nan }) == [Float](repeating: 0, count: 20))
    }

    @Test func bytesThatAreNoVectorsAreRefused() throws {
        let bytes = CompactVector.encode([[Float](repeating: 0.25, count: 16)])
        #expect(throws: Failure.self) { try CompactVectors(stored: bytes.dropLast(), dimensions: 16) }
        #expect(throws: Failure.self) { try CompactVectors(stored: bytes[...], dimensions: 0) }
        for scale: Float in [.nan, .infinity, -1, 2] {
            var wrong = bytes
            for byte in 0..<4 { wrong[byte] = UInt8(truncatingIfNeeded: scale.bitPattern >> UInt32(8 * byte)) }
            #expect(throws: Failure.self) { try CompactVectors(stored: wrong[...], dimensions: 16) }
        }
    }

    @Test func oddNumbersBecomeZero() throws {
        let back = try CompactVectors(stored: CompactVector.encode([[.nan, .infinity, 0, 0.5]])[...], dimensions: 4)
        #expect(back.count == 1 && back[0][0] == 0 && abs(back[0][3] - 0.5) < 0.01)
        #expect(CompactVector.encode([[0, 0]]) == [0, 0, 0, 0, 0, 0])
    }

    /// Widths that fill their last block and such that do not.
    @Test(arguments: [(384, UInt64(1)), (384, 2), (100, 3), (1536, 4)])
    func theScanFindsWhatAFullComparisonFinds(_ dimensions: Int, _ seed: UInt64) {
        var random = Seeded(seed)
        var index = VectorIndex(dimensions: dimensions)
        let vectors = (0..<2000).map { _ in Self.vector(dimensions, &random) }
        index.reserve(vectors.count)
        for (id, vector) in vectors.enumerated() { index.append(Int64(id), vector) }
        let query = Self.vector(dimensions, &random)
        let exact = vectors.map { $0.dot(query) }
        let order = exact.indices.sorted { exact[$0] > exact[$1] }
        let found = index.nearest(to: query, limit: 10)
        #expect(found.count == 10 && index.count == 2000)
        for near in found { #expect(abs(near.similarity - exact[Int(near.id)]) < 0.005) }
        #expect(Set(order.prefix(5)).isSubset(of: found.map { Int($0.id) }))
        #expect(zip(found, found.dropFirst()).allSatisfy { $0.similarity >= $1.similarity })
    }

    @Test func aVectorFindsItself() {
        var random = Seeded(7)
        var index = VectorIndex(dimensions: 384)
        let vectors = (0..<500).map { _ in Self.vector(384, &random) }
        for (id, vector) in vectors.enumerated() { index.append(Int64(id), vector) }
        for (id, vector) in vectors.enumerated() {
            #expect(index.nearest(to: vector, limit: 1).first?.id == Int64(id))
        }
    }

    @Test func nothingIsNearNothing() {
        var index = VectorIndex(dimensions: 16)
        #expect(index.nearest(to: [Float](repeating: 1, count: 16), limit: 3).isEmpty)
        index.append(1, [Float](repeating: 0.25, count: 16))
        index.append(2, [])
        #expect(index.nearest(to: [Float](repeating: 0, count: 16), limit: 3).isEmpty)
        #expect(index.nearest(to: [1], limit: 3).isEmpty)
        #expect(index.nearest(to: [Float](repeating: 1, count: 16), limit: 0).isEmpty)
        #expect(index.nearest(to: [Float](repeating: 1, count: 16), limit: 9).map(\.id) == [1, 2])
    }

    /// The largest sums that 32 bits have to hold.
    @Test(arguments: [384, 4096]) func nothingOverflows(_ dimensions: Int) throws {
        var index = VectorIndex(dimensions: dimensions)
        let all = [Float](repeating: 1, count: dimensions).normalised()
        index.append(1, all)
        index.append(2, all.map { -$0 })
        let found = index.nearest(to: all, limit: 2)
        #expect(found.map(\.id) == [1, 2])
        let stored = try CompactVectors(
            stored: CompactVector.encode([all, all.map { -$0 }])[...], dimensions: dimensions)
        let products = stored.products(with: all)
        #expect(abs(products[0] - 1) < 0.01 && abs(products[1] + 1) < 0.01)
        #expect(abs((found.first?.similarity ?? 0) - 1) < 0.01 && abs((found.last?.similarity ?? 0) + 1) < 0.01)
    }
}
