import BPFObject
import Model

/// How much work an operation may be, from the shape of its code: the longest way through it, loops once. What loops add
/// is the interpreter's to say. The estimate is of a machine at 3 GHz, and says which operation is dear, not how dear.
enum StaticCost {
    private static let instruction = 0.4
    private static let helper = 25.0

    struct Cost {
        var instructions = 0
        var calls = 0
        var loops = 0

        var nanoseconds: Double { Double(instructions) * instruction + Double(calls) * helper }
    }

    static func measure(_ object: ResolvedObject) -> [Measurement] {
        var known: [Int: Cost] = [:]
        var result: [Measurement] = []
        for table in object.tables where table.type.hasPrefix("sched_ext_ops") {
            for (name, function) in table.functions.sorted(by: { $0.key < $1.key }).prefix(128) {
                let cost = cost(of: function, object, &known, depth: 0)
                result.append(
                    Measurement(
                        "cost.instructions", subject: name, value: Double(cost.instructions), unit: "instructions"))
                result.append(Measurement("cost.calls", subject: name, value: Double(cost.calls), unit: "calls"))
                result.append(Measurement("cost.loops", subject: name, value: Double(cost.loops), unit: "loops"))
                result.append(Measurement("cost.estimate", subject: name, value: cost.nanoseconds, unit: "ns"))
            }
        }
        return result
    }

    private static func cost(
        of function: Int, _ object: ResolvedObject, _ known: inout [Int: Cost], depth: Int
    ) -> Cost {
        if let cost = known[function] { return cost }
        known[function] = Cost()
        guard depth < 16, object.functions.indices.contains(function) else { return Cost() }
        let code = object.functions[function]
        guard code.instructions.count <= Program.slotLimit, !code.instructions.isEmpty else { return Cost() }
        // Backwards: the dearest way from each slot to the end, by jumps that lead forward only.
        var rest = Array(repeating: Cost(), count: code.instructions.count)
        var loops = 0
        for slot in code.instructions.indices.reversed() {
            var best = Cost()
            for next in Flow.successors(code.instructions, slot) {
                if next <= slot {
                    loops += 1
                } else if rest[next].nanoseconds >= best.nanoseconds {
                    best = rest[next]
                }
            }
            best.instructions += 1
            if code.instructions[slot].isCall {
                if case .call(let callee) = code.references[slot] {
                    let inner = cost(of: callee, object, &known, depth: depth + 1)
                    best.instructions += inner.instructions
                    best.calls += inner.calls
                    loops += inner.loops
                } else {
                    best.calls += 1
                }
            }
            rest[slot] = best
        }
        var total = rest[0]
        total.loops = loops
        known[function] = total
        return total
    }
}
