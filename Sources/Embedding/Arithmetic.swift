import Glibc

/// The inner loops of the transformer, in float32. Widths are multiples of 4, which `Transformer` sees to; rows lie one
/// behind the other. Nothing here allocates, and nothing is shared between calls.
enum Arithmetic {
    typealias Input = UnsafePointer<Float>
    typealias Output = UnsafeMutablePointer<Float>
    typealias Lanes = SIMD4<Float>

    // SAFETY: whoever calls these functions owns the memory that the sizes given beside each pointer describe.

    @inline(__always)
    static func lanes(_ source: Input, _ index: Int) -> Lanes {
        // SAFETY: index + 4 values are there, which who calls this knows; they need not be aligned.
        UnsafeRawPointer(source + index).loadUnaligned(as: Lanes.self)
    }

    @inline(__always)
    static func put(_ value: Lanes, _ target: Output, _ index: Int) {
        // SAFETY: as above.
        UnsafeMutableRawPointer(target + index).storeBytes(of: value, as: Lanes.self)
    }

    /// A fully connected layer: y[row][o] = bias[o] + Σ x[row][i] · weights[o][i].
    ///
    /// Four outputs at a time, so that their weights are read from memory once for all rows; two rows at a time, so that
    /// eight sums fill the registers.
    static func connect(
        _ x: Input, rows: Int, width: Int, weights: Input, bias: Input, outputs: Int, to y: Output
    ) {
        for output in stride(from: 0, to: outputs, by: 4) {
            let block = weights + output * width
            var row = 0
            while row + 1 < rows {
                pair(x + row * width, width, block, bias + output, y + row * outputs + output, outputs)
                row += 2
            }
            if row < rows { single(x + row * width, width, block, bias + output, y + row * outputs + output) }
        }
    }

    @inline(__always)
    private static func pair(
        _ x: Input, _ width: Int, _ weights: Input, _ bias: Input, _ y: Output, _ outputs: Int
    ) {
        // SAFETY: x has two rows, weights four, each of `width`; y has two rows of `outputs`.
        var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var (b0, b1, b2, b3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var index = 0
        while index < width {
            let (first, second) = (lanes(x, index), lanes(x, width + index))
            let w0 = lanes(weights, index)
            a0 += first * w0
            b0 += second * w0
            let w1 = lanes(weights, width + index)
            a1 += first * w1
            b1 += second * w1
            let w2 = lanes(weights, 2 * width + index)
            a2 += first * w2
            b2 += second * w2
            let w3 = lanes(weights, 3 * width + index)
            a3 += first * w3
            b3 += second * w3
            index += 4
        }
        let added = lanes(bias, 0)
        put(Lanes(a0.total, a1.total, a2.total, a3.total) + added, y, 0)
        put(Lanes(b0.total, b1.total, b2.total, b3.total) + added, y, outputs)
    }

    @inline(__always)
    private static func single(_ x: Input, _ width: Int, _ weights: Input, _ bias: Input, _ y: Output) {
        // SAFETY: x has one row, weights four, each of `width`; y has four places.
        var (a0, a1, a2, a3) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
        var index = 0
        while index < width {
            let value = lanes(x, index)
            a0 += value * lanes(weights, index)
            a1 += value * lanes(weights, width + index)
            a2 += value * lanes(weights, 2 * width + index)
            a3 += value * lanes(weights, 3 * width + index)
            index += 4
        }
        put(Lanes(a0.total, a1.total, a2.total, a3.total) + lanes(bias, 0), y, 0)
    }

    /// Σ a[i] · b[i].
    static func dot(_ a: Input, _ b: Input, _ width: Int) -> Float {
        var (even, odd) = (Lanes.zero, Lanes.zero)
        var index = 0
        // SAFETY: both have `width` values, a multiple of 4.
        while index + 8 <= width {
            even += lanes(a, index) * lanes(b, index)
            odd += lanes(a, index + 4) * lanes(b, index + 4)
            index += 8
        }
        if index < width { even += lanes(a, index) * lanes(b, index) }
        return (even + odd).total
    }

    /// Σ a[i] · b[i] in whole numbers; whoever quantised b saw to it that the sum has room.
    static func product(_ a: ArraySlice<Int8>, _ b: [Int16]) -> Int32 {
        // SAFETY: only what both have is read.
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                var sum: Int32 = 0
                for index in 0..<min(a.count, b.count) { sum &+= Int32(a[index]) &* Int32(b[index]) }
                return sum
            }
        }
    }

    /// target[i] += factor · source[i].
    static func add(_ source: Input, times factor: Float, to target: Output, _ width: Int) {
        for index in stride(from: 0, to: width, by: 4) {
            put(lanes(target, index) + lanes(source, index) * factor, target, index)
        }
    }

    /// Layer normalisation of each row in place, after `added` (where given) was added to it.
    static func normalise(
        _ x: Output, adding added: Input?, rows: Int, width: Int, weight: Input, bias: Input, epsilon: Float
    ) {
        for row in 0..<rows {
            let line = x + row * width
            if let added { add(added + row * width, times: 1, to: line, width) }
            var sum = Lanes.zero
            for index in stride(from: 0, to: width, by: 4) { sum += lanes(line, index) }
            let mean = sum.total / Float(width)
            var squares = Lanes.zero
            for index in stride(from: 0, to: width, by: 4) {
                let difference = lanes(line, index) - mean
                squares += difference * difference
            }
            let scale = 1 / (squares.total / Float(width) + epsilon).squareRoot()
            for index in stride(from: 0, to: width, by: 4) {
                put((lanes(line, index) - mean) * scale * lanes(weight, index) + lanes(bias, index), line, index)
            }
        }
    }

    /// The exponentials of a row, divided by their sum, in place.
    static func softmax(_ x: Output, _ count: Int) {
        // SAFETY: x has `count` values.
        var most = -Float.infinity
        for index in 0..<count { most = max(most, x[index]) }
        var sum: Float = 0
        for index in 0..<count {
            x[index] = expf(x[index] - most)
            sum += x[index]
        }
        for index in 0..<count { x[index] /= sum }
    }

    /// GELU in place: x · (1 + erf(x / √2)) / 2.
    static func gelu(_ x: Output, _ count: Int) {
        for index in stride(from: 0, to: count, by: 4) {
            let value = lanes(x, index)
            put(value * 0.5 * (1 + erf(value * Float(0.5).squareRoot())), x, index)
        }
    }

    /// The error function, to about 1e-7: a rational function between −4 and 4, beyond which float32 knows only ±1.
    /// Source of the coefficients: Eigen, MathFunctionsImpl.h (as in XLA).
    @inline(__always)
    static func erf(_ value: Lanes) -> Lanes {
        let x = value.clamped(lowerBound: Lanes(repeating: -4), upperBound: Lanes(repeating: 4))
        let square = x * x
        var above = square * -2.72614225801306e-10 + 2.77068142495902e-08
        above = above * square + -2.10102402082508e-06
        above = above * square + -5.69250639462346e-05
        above = above * square + -7.34990630326855e-04
        above = above * square + -2.95459980854025e-03
        above = above * square + -1.60960333262415e-02
        var below = square * -1.45660718464996e-05 + -2.13374055278905e-04
        below = below * square + -1.68282697438203e-03
        below = below * square + -7.37332916720468e-03
        below = below * square + -1.42647390514189e-02
        return x * above / below
    }
}

extension SIMD4<Float> {
    @inline(__always)
    fileprivate var total: Float {
        let half = lowHalf + highHalf
        return half.x + half.y
    }
}
