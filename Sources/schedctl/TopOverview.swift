import Wire

/// The first pane: a bit of everything.
extension TopLayout {
    /// Each part gets two lines, then the others one by one in turn, as long as there is room.
    func overview(_ missing: [Line], _ sections: TopSections, _ room: Int) -> [Line] {
        let notes = note(missing, most: max(1, min(3, room / 5)))
        let left = room - notes.count
        guard left > 0 else { return Array(notes.prefix(max(0, room))) }
        // Bars for the CPUs where all of them leave room for the rest.
        var parts = sections.few(cpuLines: max(1, left / 3))
        var wanted = parts.map { $0.lines.count + 1 }
        var lines = Self.share(left, among: wanted)
        if let given = lines.first, given < wanted[0] {
            parts = sections.few(cpuLines: given - 1)
            wanted = parts.map { $0.lines.count + 1 }
            lines = Self.share(left, among: wanted)
        }
        guard lines.contains(0) else { return notes + zip(parts, lines).flatMap { $0.lines($1) } }
        // A line for what does not fit at all.
        lines = Self.share(left - 1, among: wanted)
        let hidden = zip(parts, lines).filter { $1 == 0 }.map { "\($0.0.title.lowercased()) (key \($0.0.pane.number))" }
        return notes + zip(parts, lines).flatMap { $0.lines($1) }
            + [Line(" not shown here: " + hidden.joined(separator: ", "), .yellow)]
    }

    /// What is missing; where that are many lines, where the others are.
    private func note(_ missing: [Line], most: Int) -> [Line] {
        guard missing.count > most else { return missing }
        let more = missing.count - most + 1
        return missing.prefix(most - 1) + [Line(" ! \(more) things could not be read: key 5", .yellow)]
    }

    /// How many lines each gets of those that it wants; none where two are too many.
    static func share(_ room: Int, among wanted: [Int]) -> [Int] {
        var (given, left) = (wanted.map { _ in 0 }, room)
        for index in wanted.indices {
            let least = min(2, wanted[index])
            guard left >= least else { break }
            given[index] = least
            left -= least
        }
        while left > 0 {
            let open = wanted.indices.filter { given[$0] > 0 && given[$0] < wanted[$0] }
            if open.isEmpty { break }
            for index in open.prefix(left) { given[index] += 1 }
            left -= min(left, open.count)
        }
        return given
    }
}

/// One view as plain text, nothing left out.
enum TopReport {
    static func text(_ view: WireView, columns: Int, glyphs: Glyphs) -> String {
        let sections = TopSections(view: view, columns: columns, glyphs: glyphs)
        var lines = [TopLayout.scheduler(view), Line(" \(TopLayout.kernel(view)), \(Terminal.time(view.at))")]
        lines += TopLayout.missing(view)
        for section in sections.of(.all) { lines += [Line(), section.head] + section.lines }
        return lines.map { trimmed($0.ansi(isColoured: Terminal.isColoured)) }.joined(separator: "\n")
    }

    private static func trimmed(_ text: String) -> String {
        guard let end = text.lastIndex(where: { $0 != " " }) else { return "" }
        return String(text[...end])
    }
}
