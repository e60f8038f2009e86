import ArgumentParser
import Exchange
import Model
import Wire

/// Entries as a person reads them.
enum RepoText {
    static let keyHelp = ArgumentHelp("An entry: its name, or name@version.", valueName: "entry")

    static func list(_ entries: [WireEntrySummary]) -> String {
        let rows = entries.map { it in
            ["\(it.name)@\(it.version)", it.kind, it.status, it.origin, it.summary].map(Terminal.oneLine)
        }
        return Terminal.table([["ENTRY", "KIND", "STATUS", "ORIGIN", "WHAT IT DOES"]] + rows)
    }

    static func entry(_ it: WireEntryReply) -> String {
        let about = it.entry
        var out = Terminal.styled(Terminal.oneLine("\(about.name)@\(about.version)"), .bold)
        out +=
            " \(Terminal.oneLine(about.status)) \(Terminal.oneLine(about.kind)): \(Terminal.oneLine(about.summary))\n\n"
        out += Text.wrapped(Terminal.safe(it.description_p), indent: 2) + "\n\n"
        var rows = [
            ["algorithm", it.algorithm], ["licence", it.license], ["kernel", "\(it.kernelMin) or later"],
            ["artifact", about.artifactSha256], ["from", "\(about.origin), \(it.maker)"], ["parent", it.parent],
            ["change", it.change], ["added", Terminal.time(about.addedAt)],
            ["features", it.features.joined(separator: ", ")],
            ["made of", it.uses.joined(separator: ", ")],
            ["targets", it.targets.map { "\($0.workloadClass)/\($0.metric)" }.joined(separator: ", ")],
        ]
        if it.versions.count > 1 { rows.append(["versions", it.versions.joined(separator: ", ")]) }
        out += Terminal.indented(Terminal.table(rows.filter { !$0[1].isEmpty }.map { $0.map(Terminal.oneLine) })) + "\n"
        out += section(
            "Parameters",
            it.parameters.map {
                [$0.name, $0.type, "\($0.min)…\($0.max) \($0.unit)", "default \($0.defaultValue)", $0.description_p]
            })
        out += section("Hints", it.hints.map { ["\($0.kind):", $0.description_p] })
        out += section("Counters", it.counters.map { [$0.name, $0.unit, $0.description_p] })
        out += section("Queues", it.queues.map { [$0.name, Self.count($0.count), $0.description_p] })
        out += section("Good for", it.targetWorkloads.map { [$0] })
        out += section("Not for", it.notFor.map { [$0] })
        out += section("Promises", it.promises.map { ["\($0.name):", $0.value] })
        out += section("Attestations", it.attestations.map(attestation))
        out += section("Incidents", it.incidents.map { [Terminal.time($0.at), $0.kind, $0.reason] })
        out += section("Status", it.history.map { [Terminal.time($0.at), $0.status, $0.reason] })
        out += section("Measured", it.outcomes.prefix(10).map { [SearchText.outcome($0)] })
        if it.outcomes.count > 10 { out += "  and \(it.outcomes.count - 10) more: schedctl repo outcomes\n" }
        return String(out.dropLast())
    }

    private static func count(_ text: String) -> String {
        switch QueueSpec.Count(text: text) {
        case .perLLC: "one per cache"
        case .perCPU: "one per CPU"
        case .some, nil: text
        }
    }

    private static func attestation(_ it: WireEntryAttestation) -> [String] {
        let place = it.local ? "made here" : "from elsewhere"
        return [
            String(it.digest.prefix(12)), Terminal.time(it.issuedAt * 1_000_000_000),
            "\(place)\(it.revoked ? ", revoked" : "")", "kernel \(it.kernel)", it.stages.joined(separator: " "),
        ]
    }

    private static func section(_ title: String, _ rows: [[String]]) -> String {
        if rows.isEmpty { return "" }
        let table = Terminal.table(rows.map { $0.map(Terminal.oneLine) })
        return "\n" + Terminal.styled(title, .bold) + "\n" + Terminal.indented(table) + "\n"
    }

    static func outcomes(_ outcomes: [WireOutcome]) -> String {
        let rows = outcomes.map { it in
            [
                Terminal.time(it.measuredAt), SearchText.outcome(it),
                it.parameters.map { "\($0.name)=\($0.value)" }.joined(separator: " "),
            ].map(Terminal.oneLine)
        }
        return Terminal.table([["MEASURED", "EFFECT", "WITH"]] + rows)
    }

    static func antipatterns(_ all: [WireAntipatternView]) -> String {
        let rows = all.map { it in
            [
                Terminal.time(it.at), it.base, it.stage, it.workloadClass, "\(it.times)", it.attempt, it.reason,
            ].map { Terminal.oneLine($0.isEmpty ? "-" : $0) }
        }
        return Terminal.table([["TRIED", "OF", "FAILED AT", "FOR", "TIMES", "WHAT", "WHY"]] + rows)
    }

    /// What an import did.
    static func taken(_ reply: WireChangeReply, _ entry: TravellingEntry) -> String {
        let key = "\(entry.facts.key)"
        let evidence = "\(entry.facts.envelopes.count) attestations and \(entry.facts.outcomes) outcomes from elsewhere"
        return reply.new
            ? "\(key) is in the repository as a \(Terminal.oneLine(reply.entry.status)), with \(evidence)"
            : "\(key) was there already (\(Terminal.oneLine(reply.entry.status))); \(evidence) are kept with it"
    }
}
