import Foundation
import TestSupport
import Testing

@testable import Embedding

/// The inner loops against the same sums written plainly.
@Suite struct ArithmeticTests {
    private static func values(_ count: Int, _ random: inout Seeded) -> [Float] {
        (0..<count).map { _ in Float.random(in: -1...1, using: &random) }
    }

    @Test(arguments: [1, 2, 3, 8]) func aConnectedLayerIsASum(_ rows: Int) {
        var random = Seeded(UInt64(rows))
        let (width, outputs) = (12, 8)
        let x = Self.values(rows * width, &random)
        let weights = Self.values(outputs * width, &random)
        let bias = Self.values(outputs, &random)
        var y = [Float](repeating: .nan, count: rows * outputs)
        Arithmetic.connect(x, rows: rows, width: width, weights: weights, bias: bias, outputs: outputs, to: &y)
        for row in 0..<rows {
            for output in 0..<outputs {
                let sum = (0..<width).reduce(bias[output]) { $0 + x[row * width + $1] * weights[output * width + $1] }
                #expect(abs(y[row * outputs + output] - sum) < 1e-5)
            }
        }
    }

    @Test func aProductOfAnyMultipleOfFour() {
        var random = Seeded(5)
        for width in [4, 8, 12, 32, 36] {
            let (a, b) = (Self.values(width, &random), Self.values(width, &random))
            #expect(abs(Arithmetic.dot(a, b, width) - a.dot(b)) < 1e-5)
        }
    }

    @Test func theErrorFunctionIsThatOfTheLibrary() {
        for step in -600...600 {
            let x = Float(step) / 100
            #expect(abs(Arithmetic.erf(.init(repeating: x)).x - Foundation.erf(x)) < 1e-6, "\(x)")
        }
    }

    @Test func softmaxSumsToOneWhateverTheSizes() {
        for values: [Float] in [[0, 0, 0, 0], [1000, 999, -1000], [-5, 3, 2.5, 0, 1]] {
            var x = values
            Arithmetic.softmax(&x, x.count)
            #expect(abs(x.reduce(0, +) - 1) < 1e-5)
            #expect(x.firstIndex(of: x.max() ?? 0) == values.firstIndex(of: values.max() ?? 0))
        }
    }

    @Test func aNormalisedRowHasMeanAndSpread() {
        var random = Seeded(9)
        var x = Self.values(32, &random)
        let added = Self.values(32, &random)
        let plain = zip(x, added).map(+)
        let weight = [Float](repeating: 2, count: 16)
        let bias = [Float](repeating: 0.5, count: 16)
        Arithmetic.normalise(&x, adding: added, rows: 2, width: 16, weight: weight, bias: bias, epsilon: 1e-12)
        for row in 0..<2 {
            let line = plain[row * 16..<row * 16 + 16]
            let mean = line.reduce(0, +) / 16
            let spread = (line.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 16).squareRoot()
            for (index, value) in line.enumerated() {
                #expect(abs(x[row * 16 + index] - ((value - mean) / spread * 2 + 0.5)) < 1e-4)
            }
        }
    }
}
