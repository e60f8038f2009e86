package import Model

/// Vectors of length 1 in a quarter of their size, as they are stored: for each the largest component / 127 as float32,
/// little-endian, then the components in units of it, one byte each. The cosine of two of them is off by some 0.002 at most.
package enum CompactVector {
    package static func bytes(dimensions: Int) -> Int { 4 + dimensions }

    package static func encode(_ vectors: [[Float]]) -> [UInt8] {
        var bytes: [UInt8] = []
        for vector in vectors {
            let (scale, cells) = quantise(vector)
            for shift in stride(from: 0, to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: scale.bitPattern >> UInt32(shift)))
            }
            bytes.append(contentsOf: cells.map { UInt8(bitPattern: $0) })
        }
        return bytes
    }

    /// Components that are not numbers become 0.
    static func quantise(_ vector: [Float]) -> (scale: Float, cells: [Int8]) {
        let finite = vector.map { $0.isFinite ? min(1, max(-1, $0)) : 0 }
        let scale = finite.reduce(0) { max($0, abs($1)) } / 127
        guard scale > 0 else { return (0, [Int8](repeating: 0, count: vector.count)) }
        return (scale, finite.map { Int8(max(-127, min(127, ($0 / scale).rounded()))) })
    }
}

/// Compact vectors, read and ready to be compared.
package struct CompactVectors: Hashable, Sendable {
    package let dimensions: Int
    private let scales: [Float]
    private let cells: [Int8]

    /// Refuses bytes that are no whole number of vectors, or whose scale is not a number.
    package init(stored bytes: ArraySlice<UInt8>, dimensions: Int) throws(Failure) {
        let length = CompactVector.bytes(dimensions: dimensions)
        guard (1...1 << 16).contains(dimensions), bytes.count % length == 0 else {
            throw Failure(.storage, "stored vectors of \(bytes.count) bytes are not of \(dimensions) dimensions")
        }
        var scales: [Float] = []
        var cells: [Int8] = []
        cells.reserveCapacity(bytes.count)
        for start in stride(from: bytes.startIndex, to: bytes.endIndex, by: length) {
            let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << UInt32(8 * $1) }
            let scale = Float(bitPattern: bits)
            guard scale.isFinite, scale >= 0, scale <= 1 else {
                throw Failure(.storage, "a stored vector has the scale \(scale)")
            }
            scales.append(scale)
            cells += bytes[start + 4..<start + length].lazy.map { Int8(bitPattern: $0) }
        }
        self.dimensions = dimensions
        self.scales = scales
        self.cells = cells
    }

    package var count: Int { scales.count }

    package subscript(index: Int) -> [Float] {
        cells[index * dimensions..<(index + 1) * dimensions].map { Float($0) * scales[index] }
    }

    /// The product of each with another vector, whose components are taken in 16 bits, or in as many as the sum leaves room for.
    package func products(with other: [Float]) -> [Float] {
        let most = other.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
        guard most > 0, other.count == dimensions else { return [Float](repeating: 0, count: count) }
        let unit = most / Float(min(32_767, Int(Int32.max) / (128 * dimensions)))
        let factors = other.map { $0.isFinite ? Int16(($0 / unit).rounded(.towardZero)) : 0 }
        return scales.indices.map { index in
            Float(Arithmetic.product(cells[index * dimensions..<(index + 1) * dimensions], factors)) * scales[index]
                * unit
        }
    }
}

extension [Float] {
    /// Σ self[i] · other[i]: the cosine, of vectors of length 1.
    package func dot(_ other: [Float]) -> Float {
        var sum: Float = 0
        for (a, b) in zip(self, other) { sum += a * b }
        return sum
    }

    /// The same direction with length 1; zero stays zero.
    package func normalised() -> [Float] {
        let length = dot(self).squareRoot()
        return length > 0 ? map { $0 / length } : self
    }
}
