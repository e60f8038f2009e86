import Foundation
import Wire

/// CPUs and waits: what `schedctl top` draws.
extension TopSections {
    /// Bars where they fit into so many lines, else a column of one cell for each CPU.
    func cpus(lines most: Int) -> TopSection {
        let byCache = Dictionary(grouping: view.cpus, by: \.llc).sorted { $0.key < $1.key }
            .map { (llc: $0.key, cpus: $0.value.sorted { $0.cpu < $1.cpu }) }
        let (busy, queued) = Self.sum(view.cpus)
        var summary = "\(view.cpus.count), \(busy) busy"
        if queued > 0 { summary += ", \(queued) tasks in their queues" }
        var section = TopSection(title: "CPUS", summary: summary, lines: [], pane: .cpus)
        let hasHeads = byCache.count > 1
        section.lines = byCache.flatMap { (hasHeads ? [head($0.llc, $0.cpus)] : []) + bars($0.cpus) }
        if section.lines.count > most {
            section.lines = columns(byCache, isNamed: hasHeads)
        }
        if view.cpus.isEmpty { section.summary = "nothing is known of them" }
        return section
    }

    private static func sum(_ cpus: [WireCPULoad]) -> (busy: String, queued: UInt64) {
        let busy = cpus.reduce(0) { $0 + Glyphs.part($1.busy) } / Double(max(1, cpus.count))
        return (TopNumbers.percent(busy), cpus.reduce(0) { $0 + UInt64($1.queued) })
    }

    private func head(_ llc: UInt32, _ cpus: [WireCPULoad]) -> Line {
        let (busy, queued) = Self.sum(cpus)
        return Line("  cache \(llc): \(cpus.count) CPUs, \(busy) busy" + (queued > 0 ? ", \(queued) queued" : ""), .dim)
    }

    /// As ` 12 ████▌     45% q3`.
    private func bars(_ cpus: [WireCPULoad]) -> [Line] {
        let digits = max(2, "\(cpus.last?.cpu ?? 0)".count)
        // The number, the bar, the load, the queue, and spaces between them.
        let fixed = 2 + digits + 1 + 5 + 6
        let perLine = max(1, min(columns / (fixed + 4), cpus.count))
        let width = min(30, max(4, columns / perLine - fixed))
        let cells = cpus.map { it in
            let load = Glyphs.part(it.busy)
            let queue = it.queued > 9999 ? " q9999" : it.queued > 0 ? " q\(it.queued)" : ""
            return Line("  \(Cells.pad("\(it.cpu)", digits, right: true)) ")
                + Line(glyphs.bar(load, cells: width), Self.style(load))
                + Line(Cells.pad(TopNumbers.percent(load), 5, right: true)) + Line(Cells.pad(queue, 6), .yellow)
        }
        return Self.grid(cells, columns: columns)
    }

    /// One cell for each CPU; caches side by side where there is room for two.
    private func columns(_ byCache: [(llc: UInt32, cpus: [WireCPULoad])], isNamed: Bool) -> [Line] {
        let parts = byCache.map { columns($0.llc, $0.cpus, isNamed: isNamed) }
        let width = parts.joined().map(\.cells).max() ?? 0
        guard parts.allSatisfy({ $0.count == 1 }), 2 * width <= columns else { return Array(parts.joined()) }
        return Self.grid(parts.joined().map { $0.padded(to: width) }, columns: columns)
    }

    private func columns(_ llc: UInt32, _ cpus: [WireCPULoad], isNamed: Bool) -> [Line] {
        let (busy, queued) = Self.sum(cpus)
        let name = isNamed ? "  cache \(Cells.pad("\(llc)", 2, right: true)) \(Cells.pad(busy, 4, right: true)) " : "  "
        let queue = queued > 0 ? " q\(TopNumbers.count(queued))" : ""
        let width = max(8, columns - Cells.width(name) - 8)
        return stride(from: 0, to: cpus.count, by: width).map { start in
            let part = cpus[start..<min(start + width, cpus.count)]
            let picture = part.map { glyphs.column($0.busy) }.joined()
            let isFirst = start == 0
            return Line(isFirst ? name : String(repeating: " ", count: Cells.width(name))) + Line(picture, .green)
                + Line(isFirst ? queue : "", .yellow)
        }
    }

    private static func style(_ load: Double) -> Terminal.Style { load >= 0.9 ? .red : load >= 0.6 ? .yellow : .green }

    /// Nil where the kernel does not tell how long tasks wait.
    func waits(isWhole: Bool) -> TopSection? {
        guard view.hasWaits else { return nil }
        // There are no waits of 2^64 ns and more.
        let counts = Array(view.waits.counts.prefix(64))
        var section = TopSection(title: "WAITING FOR A CPU", summary: "", lines: [], pane: .queues)
        guard let first = counts.firstIndex(where: { $0 > 0 }), let last = counts.lastIndex(where: { $0 > 0 }) else {
            section.summary = "nobody did"
            return section
        }
        let total = counts.reduce(UInt64(0)) { $0.addingReportingOverflow($1).partialValue }
        section.summary =
            "p50 \(TopNumbers.duration(view.waits.p50Nanoseconds)), p99 \(TopNumbers.duration(view.waits.p99Nanoseconds)), "
            + "\(TopNumbers.count(total)) waits"
        let most = Double(counts.max() ?? 1)
        section.lines = isWhole ? rows(counts, first...last, most) : picture(counts, first...last, most)
        return section
    }

    private func rows(_ counts: [UInt64], _ range: ClosedRange<Int>, _ most: Double) -> [Line] {
        let width = max(4, min(60, columns - 26))
        return range.map { bucket in
            let from = TopNumbers.duration(UInt64(1) << UInt64(bucket))
            let to = TopNumbers.duration(bucket < 63 ? UInt64(1) << UInt64(bucket + 1) : .max)
            let label = Cells.pad(from, 5, right: true) + glyphs.range + Cells.pad(to, 5)
            return Line("  \(label) ") + Line(glyphs.bar(Double(counts[bucket]) / most, cells: width), .green)
                + Line(" " + TopNumbers.count(counts[bucket]))
        }
    }

    /// One column for each bucket, and where they begin and end.
    private func picture(_ counts: [UInt64], _ range: ClosedRange<Int>, _ most: Double) -> [Line] {
        let from = TopNumbers.duration(UInt64(1) << UInt64(range.lowerBound))
        let to = TopNumbers.duration(range.upperBound < 63 ? UInt64(1) << UInt64(range.upperBound + 1) : .max)
        let column = columns >= 2 * range.count + 20 ? 2 : 1
        let picture = range.map { String(repeating: glyphs.column(Double(counts[$0]) / most), count: column) }.joined()
        return [Line("  \(Cells.pad(from, 6, right: true)) ") + Line(picture, .green) + Line(" \(to)")]
    }
}
