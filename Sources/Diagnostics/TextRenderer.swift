package import Model

/// Findings as a compiler prints them, and a line for each stage.
package struct TextRenderer: Sendable {
    package var isColoured: Bool
    package var sources: SourceTexts
    /// Also why, remedies' details and logs of stages that passed.
    package var isVerbose: Bool

    package init(isColoured: Bool = false, sources: SourceTexts = SourceTexts(), isVerbose: Bool = false) {
        self.isColoured = isColoured
        self.sources = sources
        self.isVerbose = isVerbose
    }

    /// Everything: the findings of all stages, what was not decided, the stages, the verdict.
    package func text(_ run: Diagnosis) -> String {
        let findings = run.stages.flatMap { stage in stage.findings.map { finding($0, in: run.name) } }
        return findings.joined() + run.stages.map { stage($0) }.joined() + closing(run)
    }

    /// One finding: the place, the path that leads there, why it matters, how to mend it. Ends with a line end.
    package func finding(_ finding: Finding, in name: String) -> String {
        let isPlaced = finding.location != nil
        let message = PlainText.oneLine(finding.message)
        let operation = isPlaced || finding.operation.isEmpty ? "" : " (\(PlainText.oneLine(finding.operation)))"
        let check = paint("[\(PlainText.oneLine(finding.check))]", .dim)
        let place = finding.location.map(place) ?? PlainText.oneLine(sources.shown(name))
        var text =
            paint("\(place): ", .bold) + label(finding.severity) + paint(message + operation, .bold) + " \(check)\n"
        text += finding.location.map(excerpt) ?? ""
        if isPlaced && !finding.operation.isEmpty {
            text += aside("in", "the operation \(finding.operation)")
        }
        for run in RepeatedSteps(finding.path).runs { text += path(run) }
        if !finding.why.isEmpty { text += aside("why", finding.why) }
        if !finding.remedy.isEmpty { text += aside("fix", finding.remedy) }
        text += detail(finding.detail)
        return text
    }

    private func path(_ run: RepeatedSteps.Run) -> String {
        var text = ""
        for step in run.steps {
            text += "\(paint(self.place(step.location) + ":", .bold)) \(label(.note))\(PlainText.oneLine(step.note))\n"
            text += excerpt(step.location)
        }
        guard run.times > 1 else { return text }
        let what = run.steps.count == 1 ? "this step" : "these \(run.steps.count) steps"
        return text + aside("again", "\(what), \(run.times - 1) times more")
    }

    private func place(_ location: SourceLocation) -> String {
        var text = PlainText.oneLine(sources.shown(location.file))
        if location.line > 0 { text += ":\(location.line)" }
        if location.line > 0 && location.column > 0 { text += ":\(location.column)" }
        return text
    }

    /// The source line with a mark below its column; nothing where the text is not known.
    private func excerpt(_ location: SourceLocation) -> String {
        let whole = sources.line(location)
        let line = PlainText.oneLine(whole ?? location.text).replacing("\t", with: "        ")
        guard location.line > 0, line.contains(where: { $0 != " " }), line.count <= 400 else { return "" }
        let number = "\(location.line)"
        let margin = String(repeating: " ", count: max(0, 5 - number.count))
        var text = "\(margin)\(number) | \(line)\n"
        // Columns count bytes from 1, and are of use only where the line is whole.
        if let whole, location.column > 0, location.column <= whole.utf8.count {
            let before = String(decoding: whole.utf8.prefix(location.column - 1), as: UTF8.self)
            let width = PlainText.oneLine(before).replacing("\t", with: "        ").count
            text += "      | \(String(repeating: " ", count: width))\(paint("^", .green))\n"
        }
        return text
    }

    private func aside(_ word: String, _ text: String) -> String {
        let lines = PlainText.wrapped(text, width: 105)
        let first = "      = \(paint(word + ":", .bold)) \(lines[0])\n"
        return first + lines.dropFirst().map { "             \($0)\n" }.joined()
    }

    /// The beginning of a long detail; all of it is in JSON, SARIF and evidence.
    private func detail(_ text: String) -> String {
        let lines = PlainText.safe(text).split(separator: "\n")
        let limit = isVerbose ? 400 : 12
        var result = lines.prefix(limit).map { "      | \($0.replacing("\t", with: "        "))\n" }.joined()
        if lines.count > limit { result += "      | … \(lines.count - limit) more lines with --json …\n" }
        return result
    }
}

extension TextRenderer {
    enum Paint: String {
        case bold = "1"
        case red = "1;31"
        case green = "32"
        case magenta = "1;35"
        case cyan = "1;36"
        case dim = "2"
    }

    func paint(_ text: String, _ paint: Paint) -> String {
        isColoured ? "\u{1B}[\(paint.rawValue)m\(text)\u{1B}[0m" : text
    }

    func label(_ severity: Finding.Severity) -> String {
        switch severity {
        case .error: paint("error: ", .red)
        case .warning: paint("warning: ", .magenta)
        case .note: paint("note: ", .cyan)
        }
    }
}
