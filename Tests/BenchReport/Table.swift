/// Rows as text for a terminal or as Markdown.
package struct Table {
    package var rows: [Row]
    /// What each scheduler is for: its load and metric are marked.
    package var purpose: [String: Purpose]

    /// With whom they are compared.
    package var reference: String

    package init(_ rows: [Row], purpose: [String: Purpose], reference: String = "default") {
        self.rows = rows
        self.reference = reference
        self.purpose = purpose
    }

    private var titles: [String] {
        ["scheduler", "load", "metric", reference, "scheduler's", "ratio", "95 % interval", "pairs", "", ""]
    }

    private func cells(_ row: Row) -> [String] {
        let isPurpose = purpose[row.scheduler] == Purpose(load: row.load, metric: row.metric.name)
        let interval = row.low.flatMap { low in row.high.map { "\(Row.fixed(low, 3)) – \(Row.fixed($0, 3))" } } ?? "-"
        return [
            row.scheduler, row.load, row.metric.name, row.metric.text(row.standard), row.metric.text(row.candidate),
            Row.fixed(row.ratio, 3), interval, String(row.pairs), row.verdict.rawValue,
            isPurpose ? "<- its purpose" : "",
        ]
    }

    package var text: String {
        let all = [titles] + rows.map(cells)
        let widths = titles.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                line += (3...7).contains(column) ? gap + cell : cell + gap
                line += "  "
            }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }

    package var markdown: String {
        let all = rows.map { cells($0).map { $0.isEmpty ? " " : $0 } }
        let head = "| " + titles.joined(separator: " | ") + " |\n|" + String(repeating: "---|", count: titles.count)
        return head + "\n" + all.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    /// One line for each scheduler: how it does at its purpose, and where it loses.
    package var summary: String {
        var names: [String] = []
        for row in rows where !names.contains(row.scheduler) { names.append(row.scheduler) }
        return names.map { name in
            let own = rows.filter { $0.scheduler == name }
            func list(_ verdict: Row.Verdict) -> String {
                let found = own.filter { $0.verdict == verdict }.map {
                    "\($0.load) \($0.metric.name) \(Row.fixed($0.ratio, 2))"
                }
                return found.isEmpty ? "-" : found.joined(separator: ", ")
            }
            let purpose = purpose[name].flatMap { wanted in
                own.first { $0.load == wanted.load && $0.metric.name == wanted.metric }
            }
            let head = purpose.map { "\($0.verdict.rawValue) at its purpose" } ?? "its purpose was not measured"
            return
                "\(name): \(head)\n    better: \(list(.better))\n    worse: \(list(.worse))\n    unclear: \(list(.unclear))"
        }.joined(separator: "\n")
    }
}

/// The load that a scheduler is for, and what counts there.
package struct Purpose: Hashable, Sendable {
    package var load: String
    package var metric: String

    package init(load: String, metric: String) {
        self.load = load
        self.metric = metric
    }
}
