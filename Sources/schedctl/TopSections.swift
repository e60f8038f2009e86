import Foundation
import Wire

/// One part of the picture: a title with what matters most, and lines.
struct TopSection: Hashable, Sendable {
    var title: String
    /// Stands behind the title.
    var summary: String
    var lines: [Line]
    /// The pane that shows all of it.
    var pane: TopState.Pane
    /// The end matters, not the beginning.
    var keepsEnd = false

    var head: Line { Line(title, .bold) + Line(summary.isEmpty ? "" : "  " + summary) }

    /// At most so many lines, the head among them; what is left out is said.
    func lines(_ most: Int) -> [Line] {
        guard most > 0 else { return [] }
        guard lines.count + 1 > most else { return [head] + lines }
        let count = most - 1
        let shown = keepsEnd ? lines.suffix(count) : lines.prefix(count)
        return [head + Line("  (\(count) of \(lines.count) lines: key \(pane.number))", .dim)] + shown
    }
}

/// The parts, from a view.
struct TopSections {
    let view: WireView
    let columns: Int
    let glyphs: Glyphs

    /// In the order of what one looks for first, each in few lines. What there is nothing of is left out.
    func few(cpuLines: Int) -> [TopSection] {
        [cpus(lines: cpuLines), waits(isWhole: false), queues, counters, layers, events].compactMap { $0 }
    }

    /// Whole.
    func of(_ pane: TopState.Pane) -> [TopSection] {
        switch pane {
        case .all: TopState.Pane.allCases.dropFirst().flatMap(of)
        case .cpus: [cpus(lines: .max)]
        case .queues: [waits(isWhole: true), queues].compactMap { $0 }
        case .counters: [counters, layers, rules].compactMap { $0 }
        case .events: [events].compactMap { $0 }
        }
    }

    var counters: TopSection? {
        guard !view.counters.isEmpty else { return nil }
        let rows = view.counters.map { it in
            let figures = TopNumbers.counter(it.total, it.perSecond, unit: it.unit)
            return (Cells.clean(it.name), figures.rate, figures.total, Cells.clean(it.description_p))
        }
        let width = min(28, rows.map { Cells.width($0.0) }.max() ?? 0)
        let lines = rows.map { name, rate, total, description in
            let name = Cells.pad(Cells.fit(name, width, mark: glyphs.mark), width)
            return Line("  \(name) \(Cells.pad(rate, 9, right: true)) \(Cells.pad(total, 7, right: true))  ")
                + Line(description, .dim)
        }
        return TopSection(title: "COUNTERS", summary: "per second, in all", lines: lines, pane: .counters)
    }

    var events: TopSection? {
        guard !view.events.isEmpty else { return nil }
        let lines = view.events.map { it in
            let time = String(Terminal.time(it.at).suffix(8))
            return Line("  \(time) ") + Line(Cells.pad(Cells.fit(Cells.clean(it.kind), 14, mark: glyphs.mark), 14))
                + Line(" " + Cells.clean(it.message))
        }
        return TopSection(title: "EVENTS", summary: "", lines: lines, pane: .events, keepsEnd: true)
    }

    var queues: TopSection? {
        guard !view.queues.isEmpty else { return nil }
        let names = view.queues.map { $0.name.isEmpty ? "0x" + String($0.id, radix: 16) : Cells.clean($0.name) }
        let width = min(max(4, names.map(Cells.width).max() ?? 0), max(4, min(40, columns - 12)))
        let cells = zip(names, view.queues).map { name, queue in
            Line("  " + Cells.pad(Cells.fit(name, width, mark: glyphs.mark), width) + " ")
                + Line(
                    Cells.pad(TopNumbers.count(UInt64(queue.tasks)), 6, right: true), queue.tasks > 0 ? .yellow : nil)
        }
        let total = view.queues.reduce(UInt64(0)) { $0 + UInt64($1.tasks) }
        return TopSection(
            title: "QUEUES", summary: "\(TopNumbers.count(total)) tasks wait in \(view.queues.count)",
            lines: Self.grid(cells, columns: columns), pane: .queues)
    }

    /// Cells of one width, side by side.
    static func grid(_ cells: [Line], columns: Int) -> [Line] {
        let width = max(1, cells.first?.cells ?? 1)
        let perLine = max(1, columns / width)
        return stride(from: 0, to: cells.count, by: perLine).map { start in
            cells[start..<min(start + perLine, cells.count)].reduce(Line(), +)
        }
    }
}

extension TopSections {
    var layers: TopSection? {
        guard !view.layers.layers.isEmpty else { return nil }
        let lines = view.layers.layers.enumerated().map { index, layer in
            let used = view.counters.first { $0.name == "layer\(index)_ns" }.map { $0.perSecond / 1e9 }
            let use = used.map { Cells.pad(TopNumbers.rate($0) + " CPUs", 11, right: true) } ?? ""
            var text = "  \(Cells.pad("\(index)", 2, right: true)) \(use)  weight \(layer.weight)"
            if layer.guarantee > 0 { text += ", at least \(LayerFile.percent(layer.guarantee))" }
            if layer.cap > 0 { text += ", at most \(LayerFile.percent(layer.cap))" }
            let rules = view.layers.rules.count { Int($0.layer) == index }
            return Line(
                text
                    + (rules > 0
                        ? ", \(rules) \(rules == 1 ? "rule" : "rules")"
                        : index == 0 ? ", and what no rule describes" : ""))
        }
        return TopSection(title: "LAYERS", summary: "\(lines.count)", lines: lines, pane: .counters)
    }

    var rules: TopSection? {
        guard !view.layers.rules.isEmpty else { return nil }
        let lines = view.layers.rules.enumerated().map { index, rule in
            let conditions = LayerFile.conditions(rule).map { Cells.clean($0) }.joined(separator: " ")
            return Line("  \(Cells.pad("\(index + 1)", 3, right: true)). layer \(rule.layer): \(conditions)")
        }
        return TopSection(
            title: "RULES", summary: "\(lines.count), the first that fits decides", lines: lines, pane: .counters)
    }
}
