package import Model

/// `struct layer_table` of bpf/include/schedcp/layers.bpf.h, as bytes.
package enum LayerBytes {
    static let variable = "layer_table"
    /// A version, layers, rules.
    package static let size = 8 + LayerTable.mostLayers * layerSize + LayerTable.mostRules * ruleSize
    private static let layerSize = 16
    private static let ruleSize = 56
    private static let nameSize = 16

    private static let byName: UInt32 = 1
    private static let byCgroup: UInt32 = 2
    private static let byNice: UInt32 = 4
    private static let byThreads: UInt32 = 8

    /// - Parameter version: what tasks that are sorted remember; never 0.
    package static func encode(_ table: LayerTable, version: UInt32) -> [UInt8] {
        var bytes = words(version, 0)
        for index in 0..<LayerTable.mostLayers {
            guard index < table.layers.count else {
                bytes += words(0, 0, 0, 0)
                continue
            }
            let layer = table.layers[index]
            bytes += words(layer.weight, layer.guarantee, layer.cap, 0)
        }
        for index in 0..<LayerTable.mostRules {
            bytes += index < table.rules.count ? encode(table.rules[index]) : [UInt8](repeating: 0, count: ruleSize)
        }
        return bytes
    }

    private static func encode(_ rule: LayerTable.Rule) -> [UInt8] {
        let name = Array(rule.name.utf8.prefix(nameSize - 1))
        var conditions: UInt32 = 0
        if !name.isEmpty { conditions |= byName }
        if rule.cgroupID != 0 { conditions |= byCgroup }
        if rule.nice != nil { conditions |= byNice }
        if rule.threads > 0 { conditions |= byThreads }
        return words(conditions, rule.layer)
            + LittleEndian.bytes(rule.cgroupID)
            + words(rule.cgroupDepth, rule.threads)
            + words(
                UInt32(bitPattern: rule.nice?.lowerBound ?? 0), UInt32(bitPattern: rule.nice?.upperBound ?? 0),
                UInt32(name.count), 0)
            + name + [UInt8](repeating: 0, count: nameSize - name.count)
    }

    private static func words(_ words: UInt32...) -> [UInt8] {
        words.flatMap(LittleEndian.bytes)
    }

    package static func version(_ bytes: [UInt8]) -> UInt32 { word(bytes, 0) }

    /// Layers up to the last one that has a weight or that a rule leads to. The paths of cgroups are not in the bytes.
    package static func decode(_ bytes: [UInt8]) -> LayerTable? {
        guard bytes.count >= size else { return nil }
        var layers = (0..<LayerTable.mostLayers).map { index in
            let at = 8 + index * layerSize
            return LayerTable.Layer(
                weight: word(bytes, at), guarantee: word(bytes, at + 4), cap: word(bytes, at + 8))
        }
        let first = 8 + LayerTable.mostLayers * layerSize
        let rules = (0..<LayerTable.mostRules).compactMap { decode(bytes, first + $0 * ruleSize) }
        let highest = rules.map { Int(min($0.layer, 15)) }.max() ?? 0
        let used = (layers.lastIndex { $0.weight != 0 } ?? 0)
        layers.removeLast(layers.count - 1 - max(highest, used))
        return LayerTable(layers: layers, rules: rules)
    }

    /// nil for a rule that the scheduler does not use.
    private static func decode(_ bytes: [UInt8], _ at: Int) -> LayerTable.Rule? {
        let conditions = word(bytes, at)
        guard conditions != 0 else { return nil }
        var rule = LayerTable.Rule(layer: word(bytes, at + 4))
        if conditions & byName != 0 {
            let length = min(Int(word(bytes, at + 32)), nameSize)
            rule.name = String(decoding: bytes[(at + 40)..<(at + 40 + length)].prefix { $0 != 0 }, as: UTF8.self)
        }
        if conditions & byCgroup != 0 {
            rule.cgroupID = LittleEndian.number(bytes, at: at + 8, size: 8)
            rule.cgroupDepth = word(bytes, at + 16)
        }
        if conditions & byNice != 0 {
            let (least, most) = (Int32(bitPattern: word(bytes, at + 24)), Int32(bitPattern: word(bytes, at + 28)))
            rule.nice = min(least, most)...max(least, most)
        }
        if conditions & byThreads != 0 { rule.threads = word(bytes, at + 20) }
        return rule
    }

    private static func word(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        LittleEndian.number(bytes, at: at, UInt32.self)
    }
}
