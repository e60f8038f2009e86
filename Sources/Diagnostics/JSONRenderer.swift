import Model

/// A verification as one JSON object. docs/verify.md describes the fields; they only ever become more.
package struct JSONRenderer: Sendable {
    package var isPretty: Bool

    package init(isPretty: Bool = false) { self.isPretty = isPretty }

    package func text(_ run: Diagnosis) -> String { Self.value(run).text(isPretty: isPretty) }

    static func value(_ run: Diagnosis) -> JSONValue {
        .members([
            "name": .string(run.name), "verdict": .string(run.verdict.rawValue),
            "artifact_sha256": .string(run.artifact), "source_sha256": .string(run.source),
            "kernel": [
                "release": .string(run.kernelRelease), "build_id": .string(run.kernelBuildID),
                "btf_sha256": .string(run.kernelBTF),
            ],
            "effort": .string(run.effort.rawValue), "evidence": .string(run.id),
            "from_evidence": .bool(run.isFromEvidence),
            "versions": .object(run.versions.mapValues { .string($0) }),
            "stages": .array(run.stages.map { stage($0, evidence: run.evidence[$0.stage.rawValue] ?? "") }),
        ])
    }

    private static func stage(_ stage: StageReport, evidence: String) -> JSONValue {
        [
            "stage": .string(stage.stage.rawValue), "verdict": .string(stage.verdict.rawValue),
            "nanoseconds": .integer(stage.nanoseconds), "evidence": .string(evidence),
            "findings": .array(stage.findings.map(finding)),
            "checks": .array(
                stage.checks.map {
                    [
                        "check": .string($0.check), "verdict": .string($0.verdict.rawValue),
                        "reason": .string($0.reason),
                    ]
                }),
            "measurements": .array(stage.measurements.map(measurement)), "log": .string(stage.log),
        ]
    }

    private static func finding(_ finding: Finding) -> JSONValue {
        .members([
            "check": .string(finding.check), "severity": .string(finding.severity.rawValue),
            "message": .string(finding.message), "location": finding.location.map(location),
            "operation": .string(finding.operation),
            "path": .array(finding.path.map { ["location": location($0.location), "note": .string($0.note)] }),
            "why": .string(finding.why), "remedy": .string(finding.remedy), "detail": .string(finding.detail),
        ])
    }

    private static func location(_ location: SourceLocation) -> JSONValue {
        [
            "file": .string(location.file), "line": .integer(Int64(location.line)),
            "column": .integer(Int64(location.column)), "text": .string(location.text),
        ]
    }

    private static func measurement(_ it: Measurement) -> JSONValue {
        .members([
            "name": .string(it.name), "subject": .string(it.subject), "value": .number(it.value),
            "unit": .string(it.unit), "low": it.low.map { .number($0) }, "high": it.high.map { .number($0) },
        ])
    }
}
