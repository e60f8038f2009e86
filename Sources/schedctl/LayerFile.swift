import Foundation
import Model
import SwiftProtobuf
import Wire

/// Layers and rules as people write them, and as JSON.
enum LayerFile {
    private static let maxBytes = 256 << 10

    /// - Parameter path: `-` for standard input.
    static func read(_ path: String) throws(Failure) -> WireLayerTable {
        let bytes = try SmallFile.read(path == "-" ? "/dev/stdin" : path, limit: maxBytes, what: "a table of layers")
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(.invalidArgument, "the layers in \(path.quotedForDisplay()) are not text")
        }
        let isJSON = text.first { !$0.isWhitespace } == "{"
        let table = try isJSON ? json(text, path) : lines(of: text, path)
        guard !table.layers.isEmpty else {
            throw Failure(.invalidArgument, "\(path.quotedForDisplay()) has no layer", hint: example)
        }
        return table
    }

    private static let example = "as: layer 0 weight=100"

    /// A table, or what `schedctl tune --json` prints.
    private static func json(_ text: String, _ path: String) throws(Failure) -> WireLayerTable {
        do { return try WireLayerTable(jsonString: text) } catch let wrong {
            if let tuning = try? WireTuning(jsonString: text) { return tuning.layers }
            throw Failure(
                .invalidArgument, "\(path.quotedForDisplay()) is no table of layers: \(wrong)",
                hint: "see LayerTable in schedcp.proto")
        }
    }

    private static func lines(of text: String, _ path: String) throws(Failure) -> WireLayerTable {
        var table = WireLayerTable()
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            do throws(Failure) { try LayerLine(line).add(to: &table) } catch {
                throw Failure(
                    .invalidArgument, "\(path.escapedForDisplay(limit: 200)):\(number + 1): \(error.message)",
                    hint: error.hint)
            }
        }
        return table
    }

    /// What `read` reads again.
    static func lines(_ table: WireLayerTable) -> [String] {
        table.layers.enumerated().map { index, layer in
            var line = "layer \(index) weight=\(layer.weight)"
            if layer.guarantee != 0 { line += " guarantee=\(percent(layer.guarantee))" }
            if layer.cap != 0 { line += " cap=\(percent(layer.cap))" }
            return line
        } + table.rules.map(rule)
    }

    private static func rule(_ it: WireLayerRule) -> String {
        "rule \(it.layer)" + conditions(it).map { " " + $0 }.joined()
    }

    static func conditions(_ it: WireLayerRule) -> [String] {
        var words: [String] = []
        if !it.name.isEmpty { words.append("name=\(quoted(it.name))") }
        if !it.cgroup.isEmpty { words.append("cgroup=\(quoted(it.cgroup))") }
        if it.hasNiceLeast || it.hasNiceMost {
            let (least, most) = (it.hasNiceLeast ? "\(it.niceLeast)" : "", it.hasNiceMost ? "\(it.niceMost)" : "")
            words.append("nice=\(least)..\(most)")
        }
        if it.threads != 0 { words.append("threads=\(it.threads)") }
        return words
    }

    /// Thousandths, in per cent.
    static func percent(_ thousandths: UInt32) -> String {
        thousandths % 10 == 0 ? "\(thousandths / 10)%" : "\(thousandths / 10).\(thousandths % 10)%"
    }

    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { $0.isWhitespace || $0 == "\"" || $0 == "#" }) else { return text }
        return "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\" + String($0) : String($0) }.joined() + "\""
    }
}
