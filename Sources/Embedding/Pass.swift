/// One evaluation of the transformer: its weights, from the start of the mapped file, and the rows that it works on.
struct Pass {
    // SAFETY: both are lent by Transformer.vector(of:) for as long as the pass runs; the places in `weights` come from
    // Safetensors, which compared them and their shapes with the file.
    let weights: UnsafePointer<Float>
    let rows: Rows

    func embed(_ ids: [Int], _ model: Transformer) {
        let width = Transformer.width
        for (row, id) in ids.enumerated() {
            let target = rows.state + row * width
            for index in 0..<width {
                target[index] =
                    weights[model.words + id * width + index] + weights[model.places + row * width + index]
                    + weights[model.types + index]
            }
        }
        normalise(model.norm, adding: nil)
    }

    func run(_ layer: Transformer.Layer) {
        let (width, inner) = (Transformer.width, Transformer.inner)
        connect(layer.query, rows.state, width, to: rows.query, width)
        connect(layer.key, rows.state, width, to: rows.key, width)
        connect(layer.value, rows.state, width, to: rows.value, width)
        attend()
        connect(layer.attended, rows.mixed, width, to: rows.query, width)
        normalise(layer.attendedNorm, adding: rows.query)
        connect(layer.up, rows.state, width, to: rows.inner, inner)
        Arithmetic.gelu(rows.inner, rows.count * inner)
        connect(layer.down, rows.inner, inner, to: rows.mixed, width)
        normalise(layer.norm, adding: rows.mixed)
    }

    /// The mean of all rows, of length 1.
    func mean() -> [Float] {
        let width = Transformer.width
        var sum = [Float](repeating: 0, count: width)
        for row in 0..<rows.count {
            for index in 0..<width { sum[index] += rows.state[row * width + index] }
        }
        let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? sum.map { $0 / length } : sum
    }

    /// Every piece looks at every other: the rows of `mixed` are the values, weighted by how well keys fit the query.
    private func attend() {
        let width = Transformer.width
        let share = width / Transformer.heads
        let scale = 1 / Float(share).squareRoot()
        for head in 0..<Transformer.heads {
            let column = head * share
            for row in 0..<rows.count {
                let query = rows.query + row * width + column
                for other in 0..<rows.count {
                    rows.scores[other] = Arithmetic.dot(query, rows.key + other * width + column, share) * scale
                }
                Arithmetic.softmax(rows.scores, rows.count)
                let target = rows.mixed + row * width + column
                target.update(repeating: 0, count: share)
                for other in 0..<rows.count {
                    Arithmetic.add(
                        rows.value + other * width + column, times: rows.scores[other], to: target, share)
                }
            }
        }
    }

    private func connect(
        _ layer: Transformer.Connected, _ x: Arithmetic.Input, _ width: Int, to y: Arithmetic.Output, _ outputs: Int
    ) {
        Arithmetic.connect(
            x, rows: rows.count, width: width, weights: weights + layer.weights, bias: weights + layer.bias,
            outputs: outputs, to: y)
    }

    private func normalise(_ norm: Transformer.Norm, adding added: Arithmetic.Output?) {
        Arithmetic.normalise(
            rows.state, adding: added.map { Arithmetic.Input($0) }, rows: rows.count, width: Transformer.width,
            weight: weights + norm.weight, bias: weights + norm.bias, epsilon: Transformer.epsilon)
    }
}
