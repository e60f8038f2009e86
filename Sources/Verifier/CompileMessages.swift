import Model

/// The compiler's messages as findings.
struct CompileMessages {
    /// What the compiler calls the source, and what the client does.
    let sourceName: String
    let name: String
    /// Line by line, for the text beside a finding.
    let lines: [Substring]

    init(sourceName: String, name: String, source: [UInt8]) {
        self.sourceName = sourceName
        self.name = name
        lines = String(decoding: source, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// At most `limit`; a last note says how many there were beside them.
    func findings(_ text: String, limit: Int) -> [Finding] {
        var findings: [Finding] = []
        var seen: Set<Finding> = []
        var (includes, included, more) = ([PathStep](), String?.none, 0)
        for line in text.split(separator: "\n") {
            if let from = includeLine(line) {
                // The compiler says it once for all messages of a header.
                if included != nil { includes = [] }
                included = nil
                includes.append(from)
                continue
            }
            guard let message = message(line) else { continue }
            if !includes.isEmpty && included == nil { included = message.location?.file ?? "" }
            if message.severity == .note {
                // What belongs to the message before it.
                if let place = message.location, let last = findings.indices.last, findings[last].path.count < 16 {
                    findings[last].path.append(PathStep(location: place, note: message.text))
                }
                continue
            }
            let finding = Finding(
                stage: .compile, check: "compile", severity: message.severity, message: message.text,
                location: message.location, path: message.location?.file == included ? includes : [],
                remedy: remedy(message.text), detail: message.option)
            guard seen.insert(finding).inserted else { continue }
            if findings.count < limit { findings.append(finding) } else { more += 1 }
        }
        if more > 0 {
            findings.append(
                Finding(stage: .compile, check: "compile", severity: .note, message: "\(more) more messages"))
        }
        return findings
    }

    private struct Message {
        var severity: Finding.Severity
        var text: String
        /// `[-Wunused]`, without the brackets.
        var option = ""
        var location: SourceLocation?
    }

    /// `file:line:col: error: text [-Woption]`, or the same without a place.
    private func message(_ line: Substring) -> Message? {
        let kinds: [(String, Finding.Severity)] = [
            ("fatal error: ", .error), ("error: ", .error), ("warning: ", .warning), ("note: ", .note),
            ("remark: ", .note), ("LLVM ERROR: ", .error),
        ]
        for (word, severity) in kinds {
            guard let at = line.firstRange(of: word) else { continue }
            let before = line[..<at.lowerBound]
            guard before.isEmpty || before.hasSuffix(": ") else { continue }
            var message = Message(severity: severity, text: String(line[at.upperBound...]))
            if message.text.hasSuffix("]"), let open = message.text.lastIndex(of: "["),
                message.text[open...].hasPrefix("[-W")
            {
                message.option = String(message.text[message.text.index(after: open)...].dropLast())
                message.text = String(message.text[..<open]).trimmed
            }
            message.location = location(before.dropLast(2))
            return message
        }
        return nil
    }

    private func includeLine(_ line: Substring) -> PathStep? {
        guard line.hasPrefix("In file included from ") else { return nil }
        return location(line.dropFirst("In file included from ".count).dropLast()).map {
            PathStep(location: $0, note: "included from here")
        }
    }

    /// `file:line:col` or `file:line`; a place that the compiler does not know is none.
    private func location(_ text: Substring) -> SourceLocation? {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var numbers: [Int] = []
        while numbers.count < 2, parts.count > 1, let number = parts.last.flatMap({ Int($0) }) {
            numbers.insert(number, at: 0)
            parts.removeLast()
        }
        guard let line = numbers.first, line > 0 else { return nil }
        var file = parts.joined(separator: ":")
        if file.hasPrefix("./") { file = String(file.dropFirst(2)) }
        let isSource = file == sourceName
        if isSource {
            file = name
        } else if file.hasPrefix("include/") {
            file = String(file.dropFirst("include/".count))
        }
        let shown = isSource && line <= lines.count ? String(lines[line - 1].prefix(400)).trimmed : ""
        return SourceLocation(file: file, line: line, column: numbers.count > 1 ? numbers[1] : 0, text: shown)
    }

    private func remedy(_ text: String) -> String {
        if text.hasSuffix("file not found") {
            return
                "SchedCP's headers (schedcp/), libbpf's (bpf/) and vmlinux.h are there; -I names the folder of others."
        }
        return ""
    }
}
