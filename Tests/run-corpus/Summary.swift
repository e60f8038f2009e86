import Model

/// The outcomes added up, and what was promised of them.
struct Summary {
    /// Of the planted flaws: how many have to be refused, and how many of them by the static stage at the right line.
    static let refusedShare = 0.95
    static let staticShare = 0.70

    let outcomes: [Outcome]
    let staticOnly: Bool
    /// Only some were run: shares mean nothing then.
    let isPartial: Bool

    init(_ outcomes: [Outcome], staticOnly: Bool, isPartial: Bool) {
        self.outcomes = outcomes
        self.staticOnly = staticOnly
        self.isPartial = isPartial
    }

    private func of(_ origin: Case.Origin) -> [Outcome] { outcomes.filter { $0.entry.origin == origin } }

    var flawed: [Outcome] { of(.flawed) }
    var refused: [Outcome] { flawed.filter { $0.refusedBy != nil } }
    var static_: [Outcome] { flawed.filter(\.showsLine) }

    /// Schedulers that must pass, and were refused or not judged.
    private var wronged: [Outcome] {
        outcomes.filter { $0.entry.expectation == .accepted && !$0.isAsExpected(staticOnly: staticOnly) }
    }

    private var selftestsMissed: [Outcome] {
        outcomes.filter {
            guard case .refused = $0.entry.expectation else { return false }
            return !$0.isAsExpected(staticOnly: staticOnly)
        }
    }

    private var flawedMissed: [Outcome] { flawed.filter { !$0.isAsExpected(staticOnly: staticOnly) } }

    private func share(_ part: Int) -> Double { flawed.isEmpty ? 1 : Double(part) / Double(flawed.count) }

    private func percent(_ part: Int) -> String {
        let tenths = Int((share(part) * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10) %"
    }

    var brokenPromises: [String] {
        var broken: [String] = []
        if !isPartial && !staticOnly && share(refused.count) < Self.refusedShare {
            broken.append(
                "\(refused.count) of \(flawed.count) flaws were refused (\(percent(refused.count))), not 95 %")
        }
        if !isPartial && share(static_.count) < Self.staticShare {
            broken.append("\(static_.count) flaws were shown by the static stage (\(percent(static_.count))), not 70 %")
        }
        broken += wronged.map { "\($0.entry.origin.rawValue)/\($0.entry.name) has to pass" }
        broken += selftestsMissed.map { "selftests/\($0.entry.name) has to be refused, with its reason" }
        return broken
    }

    var text: String {
        var lines = ["", Self.row("class", ["flaws", "static", "kernel", "dynamic", "right line", "missed"])]
        for row in rows {
            lines.append(Self.row(row.title, row.cells))
        }
        lines += ["", counts]
        if !flawedMissed.isEmpty {
            lines.append("missed: " + flawedMissed.map(\.entry.name).joined(separator: ", "))
        }
        lines += brokenPromises.map { "broken: \($0)" }
        let missed = brokenPromises.isEmpty ? 0 : max(1, wronged.count + selftestsMissed.count)
        let passed = outcomes.filter { $0.isAsExpected(staticOnly: staticOnly) }.count
        lines.append("\(passed) passed, \(missed) failed")
        return lines.joined(separator: "\n")
    }

    var markdown: String {
        var lines = [
            "| class | flaws | refused by static | by kernel | by dynamic | right line | missed |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        lines += rows.map { "| " + ([$0.title] + $0.cells).joined(separator: " | ") + " |" }
        return (lines + ["", counts]).joined(separator: "\n")
    }

    private var counts: String {
        let good = of(.good)
        let accepted = good.filter { $0.refusedBy == nil && !$0.isUndecided }.count
        var text =
            "\(refused.count) of \(flawed.count) flaws refused (\(percent(refused.count))), \(static_.count) by the "
        text +=
            "static stage with the right line (\(percent(static_.count))); \(accepted) of \(good.count) good ones passed"
        let shipped = of(.shipped)
        if !shipped.isEmpty {
            let accepted = shipped.filter { $0.refusedBy == nil && !$0.isUndecided }.count
            text += "; \(accepted) of \(shipped.count) that are installed passed"
        }
        let examples = of(.examples)
        if !examples.isEmpty {
            let accepted = examples.filter { $0.refusedBy == nil && !$0.isUndecided }.count
            let meant = outcomes.filter { if case .refused = $0.entry.expectation { true } else { false } }
            text += "; \(accepted) of the kernel's \(examples.count) examples passed, "
            text +=
                "\(meant.filter { $0.refusedBy != nil && $0.namesCheck }.count) of \(meant.count) selftests that are "
            text += "meant to fail refused"
        }
        return text
    }

    private var rows: [(title: String, cells: [String])] {
        let kinds = flawed.map(\.entry.kind)
        let unique = kinds.enumerated().filter { !kinds.prefix($0.offset).contains($0.element) }.map(\.element)
        let all = unique.map { kind in (Self.titles[kind] ?? kind, flawed.filter { $0.entry.kind == kind }) }
        return (all.sorted { $0.0 < $1.0 } + [("all", flawed)]).map { title, outcomes in
            let by = { (stage: VerificationStage) in String(outcomes.filter { $0.refusedBy == stage }.count) }
            let missed = outcomes.filter { !$0.isAsExpected(staticOnly: staticOnly) }.count
            return (
                title,
                [
                    String(outcomes.count), by(.static), by(.kernel), by(.dynamic),
                    String(outcomes.filter(\.showsLine).count), String(missed),
                ]
            )
        }
    }

    /// What the first word of a flawed scheduler's name stands for.
    static let titles = [
        "affinity": "affinity ignored", "capability": "what a program may do", "cgroup": "cgroups",
        "context": "kernel function out of place", "cpu": "CPU numbers, select_cpu", "double": "double insertion",
        "dsq": "dispatch queue misused", "ends": "ends itself", "hotplug": "hotplug", "kick": "idle CPUs not woken",
        "lost": "lost task", "memory": "allocation, full maps", "null": "pointer that may be NULL",
        "ops": "operations' table", "slice": "slices", "starve": "starvation", "weight": "weights",
        "work": "unbounded work",
    ]

    private static func row(_ title: String, _ cells: [String]) -> String {
        let width = 30
        let padded = title + String(repeating: " ", count: max(1, width - title.count))
        return padded + cells.map { String(repeating: " ", count: max(1, 11 - $0.count)) + $0 }.joined()
    }
}
