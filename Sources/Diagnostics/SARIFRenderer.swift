import Model

/// A verification as a SARIF 2.1.0 log with one run: what code review systems read. See the standard's sections in the
/// comments: docs.oasis-open.org/sarif/sarif/v2.1.0.
package struct SARIFRenderer: Sendable {
    static let schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

    package var version: String
    package var sources: SourceTexts
    /// What the command ends with.
    package var exitStatus: Int?

    package init(version: String, sources: SourceTexts = SourceTexts(), exitStatus: Int? = nil) {
        self.version = version
        self.sources = sources
        self.exitStatus = exitStatus
    }

    package func text(_ run: Diagnosis) -> String {
        let value: JSONValue = ["$schema": .string(Self.schema), "version": "2.1.0", "runs": .array([self.run(run)])]
        return value.text(isPretty: true) + "\n"
    }

    private func run(_ run: Diagnosis) -> JSONValue {
        let rules = SARIFRules(run.findings)
        let files = SARIFFiles(run, sources)
        var counts: [String: Int] = [:]
        let results = run.findings.map { finding in
            let fingerprint = Fingerprint.of(finding)
            counts[fingerprint, default: 0] += 1
            return result(finding, rules, files, fingerprint: "\(fingerprint):\(counts[fingerprint] ?? 1)", in: run)
        }
        return [
            "tool": [
                "driver": [
                    "name": "schedctl verify", "organization": "SchedCP", "version": .string(version),
                    "semanticVersion": .string(version), "rules": .array(rules.values),
                ]
            ],
            "invocations": .array([invocation(run)]),
            "artifacts": .array(files.values),
            "results": .array(results),
            // §3.14.17: our columns count bytes of UTF-8, which in C source are its characters.
            "columnKind": "utf16CodeUnits",
            "properties": properties(run),
        ]
    }

    /// §3.20. A refusal is a success of the tool; what the machine could not do is a notification.
    private func invocation(_ run: Diagnosis) -> JSONValue {
        let notifications = run.stages.filter { $0.verdict == .unable }.map { stage -> JSONValue in
            [
                "level": "error",
                "message": ["text": .string("the stage \(stage.stage.rawValue) could not be done: \(stage.log)")],
                "descriptor": ["id": .string("unable-\(stage.stage.rawValue)")],
            ]
        }
        return .members([
            "executionSuccessful": .bool(run.verdict != .unable),
            "exitCode": exitStatus.map { .integer(Int64($0)) },
            "toolExecutionNotifications": .array(notifications),
        ])
    }

    private func properties(_ run: Diagnosis) -> JSONValue {
        let stages = run.stages.map { stage -> JSONValue in
            [
                "stage": .string(stage.stage.rawValue), "verdict": .string(stage.verdict.rawValue),
                "nanoseconds": .integer(stage.nanoseconds),
                "evidence": .string(run.evidence[stage.stage.rawValue] ?? ""),
                "notDecided": .array(stage.checks.filter { $0.verdict == .unknown }.map { .string($0.check) }),
            ]
        }
        return [
            "verdict": .string(run.verdict.rawValue), "kernel": .string(run.kernelRelease),
            "effort": .string(run.effort.rawValue), "evidence": .string(run.id), "stages": .array(stages),
        ]
    }

    /// §3.27.
    private func result(
        _ finding: Finding, _ rules: SARIFRules, _ files: SARIFFiles, fingerprint: String, in run: Diagnosis
    ) -> JSONValue {
        let place = files.location(finding.location ?? SourceLocation(file: run.name, line: 0), finding)
        return .members([
            "ruleId": .string(finding.check), "ruleIndex": .integer(Int64(rules.index(of: finding.check))),
            "level": .string(finding.severity.rawValue), "kind": "fail",
            "message": ["text": .string(Self.message(finding))],
            "locations": .array([place]),
            "codeFlows": finding.path.isEmpty ? nil : .array([flow(finding, files)]),
            // Stays the same while lines are added above and the compiler reorders what it found.
            "partialFingerprints": ["schedcpFinding/v1": .string(fingerprint)],
            "properties": [
                "stage": .string(finding.stage.rawValue), "operation": .string(finding.operation),
                "detail": .string(finding.detail),
            ],
        ])
    }

    private static func message(_ finding: Finding) -> String {
        var text = finding.message
        if !finding.why.isEmpty { text += "\n\nWhy it matters: \(finding.why)" }
        if !finding.remedy.isEmpty { text += "\n\nRemedy: \(finding.remedy)" }
        return text
    }

    /// §3.36: the decisions in the order of execution, and then the finding's own place.
    private func flow(_ finding: Finding, _ files: SARIFFiles) -> JSONValue {
        var steps = finding.path.map { ($0.location, $0.note) }
        if let location = finding.location { steps.append((location, finding.message)) }
        let places = steps.enumerated().map { index, step -> JSONValue in
            [
                "executionOrder": .integer(Int64(index + 1)),
                "importance": .string(index == steps.count - 1 ? "essential" : "important"),
                "location": files.location(step.0, message: step.1),
            ]
        }
        return ["threadFlows": .array([["locations": .array(places)]])]
    }
}

/// A digest of what a finding is about, without line numbers: 128 bits of FNV-1a, which is no cryptographic hash; nobody
/// gains anything by two findings that look like one.
enum Fingerprint {
    static func of(_ finding: Finding) -> String {
        let line = finding.location?.text.split(whereSeparator: \.isWhitespace).joined(separator: " ") ?? ""
        let parts = [
            finding.check, finding.stage.rawValue, finding.operation, finding.location?.file ?? "",
            line.isEmpty ? finding.message : line,
        ]
        let bytes = Array(parts.joined(separator: "\u{0}").utf8)
        return hex(fnv(bytes, 0xCBF2_9CE4_8422_2325)) + hex(fnv(bytes + [1], 0x9AE1_6A3B_2F90_404F))
    }

    private static func fnv(_ bytes: [UInt8], _ start: UInt64) -> UInt64 {
        bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
