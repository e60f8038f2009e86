/// Vectors in memory, searched from one end to the other: 1 byte a component, 16 at a time. A hundred thousand of 384
/// components take 40 MB and some 8 ms.
package struct VectorIndex: Sendable {
    package struct Near: Hashable, Sendable {
        package let id: Int64
        /// The cosine, nearly.
        package let similarity: Float

        package init(id: Int64, similarity: Float) {
            self.id = id
            self.similarity = similarity
        }
    }

    package let dimensions: Int
    private let width: Int
    private var ids: [Int64] = []
    private var scales: [Float] = []
    private var cells: [SIMD16<Int8>] = []

    package init(dimensions: Int) {
        self.dimensions = dimensions
        width = (dimensions + 15) / 16
    }

    package var count: Int { ids.count }

    /// Adds a vector; one of another length is cut or filled with zeros.
    package mutating func append(_ id: Int64, _ vector: [Float]) {
        let (scale, components) = CompactVector.quantise(vector)
        ids.append(id)
        scales.append(scale)
        for block in 0..<width {
            var cell = SIMD16<Int8>.zero
            for lane in 0..<16 where block * 16 + lane < min(dimensions, components.count) {
                cell[lane] = components[block * 16 + lane]
            }
            cells.append(cell)
        }
    }

    package mutating func reserve(_ count: Int) {
        ids.reserveCapacity(count)
        scales.reserveCapacity(count)
        cells.reserveCapacity(count * width)
    }

    /// The `limit` nearest, nearest first.
    package func nearest(to query: [Float], limit: Int) -> [Near] {
        guard limit > 0, !ids.isEmpty, query.count == dimensions else { return [] }
        let (unit, cells) = quantised(query)
        guard unit > 0 else { return [] }
        let scores = products(cells)
        var best: [Near] = []
        var least = -Float.infinity
        for (index, score) in scores.enumerated() {
            let similarity = Float(score) * scales[index] * unit
            if similarity <= least { continue }
            best.append(Near(id: ids[index], similarity: similarity))
            if best.count >= 4 * limit {
                best = Self.first(limit, of: best)
                least = best.last?.similarity ?? least
            }
        }
        return Self.first(limit, of: best)
    }

    private static func first(_ limit: Int, of found: [Near]) -> [Near] {
        Array(found.sorted { ($0.similarity, $1.id) > ($1.similarity, $0.id) }.prefix(limit))
    }

    /// The query in 16 bits a component, or as many as its sum with 8-bit components leaves room for in 32.
    private func quantised(_ query: [Float]) -> (unit: Float, cells: [SIMD16<Int16>]) {
        let most = query.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
        guard most > 0 else { return (0, []) }
        let unit = most / Float(min(32_767, Int(Int32.max) / (128 * width * 16)))
        return (
            unit,
            (0..<width).map { block in
                var cell = SIMD16<Int16>.zero
                for lane in 0..<16 where block * 16 + lane < dimensions && query[block * 16 + lane].isFinite {
                    cell[lane] = Int16((query[block * 16 + lane] / unit).rounded(.towardZero))
                }
                return cell
            }
        )
    }

    private func products(_ query: [SIMD16<Int16>]) -> [Int32] {
        let (count, width) = (ids.count, width)
        return [Int32](unsafeUninitializedCapacity: count) { products, initialised in
            // SAFETY: cells has count · width values and query has width; products has room for count.
            cells.withUnsafeBufferPointer { cells in
                query.withUnsafeBufferPointer { query in
                    guard let cells = cells.baseAddress, let query = query.baseAddress else { return }
                    for index in 0..<count {
                        products[index] = Self.product(cells + index * width, query, width)
                    }
                }
            }
            initialised = count
        }
    }

    /// Pairs of neighbours are added at once, which one instruction does (pmaddwd).
    @inline(__always)
    private static func product(
        _ cells: UnsafePointer<SIMD16<Int8>>, _ query: UnsafePointer<SIMD16<Int16>>, _ width: Int
    ) -> Int32 {
        // SAFETY: both have `width` values.
        var sum = SIMD8<Int32>.zero
        for block in 0..<width {
            let cell = SIMD16<Int16>(truncatingIfNeeded: cells[block])
            let other = query[block]
            let even =
                SIMD8<Int32>(truncatingIfNeeded: cell.evenHalf) &* SIMD8<Int32>(truncatingIfNeeded: other.evenHalf)
            let odd =
                SIMD8<Int32>(truncatingIfNeeded: cell.oddHalf) &* SIMD8<Int32>(truncatingIfNeeded: other.oddHalf)
            sum = sum &+ (even &+ odd)
        }
        return sum.wrappedSum()
    }
}
