import Foundation
import Model
import Wire

/// What can be changed of the running scheduler, and what was.
enum TuneText {
    static func tuning(_ it: WireTuning) -> String {
        let name = Terminal.styled(Terminal.oneLine(it.scheduler), .bold)
        var parts = ["\(name), deployment \(it.deployment)"]
        if it.tunables.isEmpty {
            parts.append("nothing of it can be set while it runs")
        } else {
            let rows = it.tunables.map(row)
            let title = ["NAME", "VALUE", "DEPLOYED", "DEFAULT", "RANGE", "UNIT", "WHAT IT IS"]
            parts.append(Terminal.table([title] + rows))
        }
        if !it.hints.isEmpty { parts.append(section("Hints", it.hints.map(hint))) }
        if it.hasLayers { parts.append(section("Layers (as --layers takes them)", LayerFile.lines(it.layers))) }
        if !it.changes.isEmpty { parts.append(section("Changes, the newest first", it.changes.map(record))) }
        return parts.joined(separator: "\n\n")
    }

    private static func row(_ it: WireTunableValue) -> [String] {
        [
            it.spec.name, it.value, it.deployed, it.spec.defaultValue, "\(it.spec.min)…\(it.spec.max)", it.spec.unit,
            it.spec.description_p,
        ].map(Terminal.oneLine)
    }

    private static func section(_ title: String, _ lines: [String]) -> String {
        Terminal.styled(title, .bold) + "\n" + lines.map { "  " + Terminal.oneLine($0) }.joined(separator: "\n")
    }

    private static func hint(_ it: WireHint) -> String {
        "\(it.kind):\(it.key)=\(DurationText.format(it.nanoseconds))"
    }

    private static func record(_ it: WireTuneRecord) -> String {
        "\(it.number)  \(Terminal.time(it.at))  \(it.actorUser)  \(it.changes.joined(separator: ", "))"
    }

    /// What is in force now and was not before, as the daemon read both back.
    static func change(from before: WireTuning, to after: WireTuning) -> String {
        guard before.deployment == after.deployment else {
            return "deployment \(after.deployment) runs by now, not \(before.deployment):\n" + tuning(after)
        }
        var lines: [String] = []
        let old = Dictionary(before.tunables.map { ($0.spec.name, $0.value) }) { first, _ in first }
        for it in after.tunables where old[it.spec.name] != it.value {
            let unit = it.spec.unit.isEmpty ? "" : " " + it.spec.unit
            lines.append("\(it.spec.name) \(old[it.spec.name] ?? "?") -> \(it.value)\(unit)")
        }
        lines += hintChanges(before.hints, after.hints)
        if before.layers != after.layers {
            lines += ["layers:"] + LayerFile.lines(after.layers).map { "  " + $0 }
        }
        if lines.isEmpty { return "nothing is different: it was so already" }
        return lines.map(Terminal.oneLine).joined(separator: "\n")
    }

    private static func hintChanges(_ before: [WireHint], _ after: [WireHint]) -> [String] {
        func byName(_ hints: [WireHint]) -> [String: UInt64] {
            Dictionary(hints.map { ("\($0.kind):\($0.key)", $0.nanoseconds) }) { first, _ in first }
        }
        let (old, new) = (byName(before), byName(after))
        return Set(old.keys).union(new.keys).sorted().compactMap { name in
            guard old[name] != new[name] else { return nil }
            let values = [old[name], new[name]].map { $0.map(DurationText.format) ?? "none" }
            return "\(name) \(values[0]) -> \(values[1])"
        }
    }
}
