package import Model

/// What the stages of a verification said, as messages and back. Coming back, nothing is believed: lengths are bounded, and words
/// that are none of the closed sets are refused.

package enum VerificationBounds {
    /// Findings, checks and measurements of one stage.
    package static let entries = 2048
    package static let pathSteps = 512
    /// Bytes of a name or word.
    package static let wordBytes = 256
    /// Bytes of one line for people.
    package static let textBytes = 16 * 1024
    /// Bytes of a finding's detail, and of a stage's log.
    package static let logBytes = 1 << 20
}

extension String {
    /// The end of it, in at most so many bytes.
    fileprivate func suffix(bytes limit: Int) -> String {
        utf8.count <= limit ? self : String(decoding: utf8.suffix(limit), as: UTF8.self)
    }

    fileprivate func prefix(bytes limit: Int) -> String {
        utf8.count <= limit ? self : String(decoding: utf8.prefix(limit), as: UTF8.self)
    }

    fileprivate var word: String { prefix(bytes: VerificationBounds.wordBytes) }
    fileprivate var line: String { prefix(bytes: VerificationBounds.textBytes) }
}

private func unknown(_ what: String, _ word: String) -> Failure {
    Failure(.malformed, "a verifier speaks of \(what) \(word.quotedForDisplay())")
}

extension WireSourcePlace {
    init(_ place: SourceLocation) {
        self.init()
        file = place.file.word
        line = UInt32(clamping: place.line)
        column = UInt32(clamping: place.column)
        text = place.text.line
    }

    var asLocation: SourceLocation {
        SourceLocation(file: file.word, line: Int(line), column: Int(column), text: text.line)
    }
}

extension WireFinding {
    package init(_ finding: Finding) {
        self.init()
        stage = finding.stage.rawValue
        check = finding.check.word
        severity = finding.severity.rawValue
        message = finding.message.line
        if let location = finding.location { place = WireSourcePlace(location) }
        operation = finding.operation.word
        path = finding.path.prefix(VerificationBounds.pathSteps).map { step in
            var wire = WirePathStep()
            wire.place = WireSourcePlace(step.location)
            wire.note = step.note.line
            return wire
        }
        why = finding.why.line
        remedy = finding.remedy.line
        detail = finding.detail.suffix(bytes: VerificationBounds.logBytes / 16)
    }

    package func asFinding() throws(Failure) -> Finding {
        guard let stage = VerificationStage(rawValue: stage) else { throw unknown("a stage", stage) }
        guard let severity = Finding.Severity(rawValue: severity) else { throw unknown("a severity", severity) }
        return Finding(
            stage: stage, check: check.word, severity: severity, message: message.line,
            location: hasPlace ? place.asLocation : nil, operation: operation.word,
            path: path.prefix(VerificationBounds.pathSteps).map {
                PathStep(location: $0.place.asLocation, note: $0.note.line)
            }, why: why.line, remedy: remedy.line, detail: detail.suffix(bytes: VerificationBounds.logBytes / 16))
    }
}

extension WireStageResult {
    package init(_ report: StageReport, evidence: String) {
        self.init()
        stage = report.stage.rawValue
        verdict = report.verdict.rawValue
        evidenceSha256 = evidence
        findings = report.findings.prefix(VerificationBounds.entries).map(WireFinding.init)
        checks = report.checks.prefix(VerificationBounds.entries).map { check in
            var wire = WireCheckOutcome()
            wire.check = check.check.word
            wire.verdict = check.verdict.rawValue
            wire.reason = check.reason.line
            return wire
        }
        measurements = report.measurements.prefix(VerificationBounds.entries).map { measurement in
            var wire = WireMeasurement()
            wire.name = measurement.name.word
            wire.subject = measurement.subject.word
            wire.value = measurement.value
            wire.unit = measurement.unit.word
            if let low = measurement.low { wire.low = low }
            if let high = measurement.high { wire.high = high }
            return wire
        }
        log = report.log.suffix(bytes: VerificationBounds.logBytes)
        nanoseconds = report.nanoseconds
    }

    package func asReport() throws(Failure) -> StageReport {
        guard let stage = VerificationStage(rawValue: stage) else { throw unknown("a stage", stage) }
        guard let verdict = StageReport.Verdict(rawValue: verdict) else { throw unknown("a verdict", verdict) }
        let counts = [findings.count, checks.count, measurements.count]
        guard counts.allSatisfy({ $0 <= VerificationBounds.entries }) else {
            throw Failure(.malformed, "a stage has more than \(VerificationBounds.entries) findings or figures")
        }
        var report = StageReport(stage, verdict)
        for finding in findings { report.findings.append(try finding.asFinding()) }
        for check in checks {
            guard let verdict = CheckOutcome.Verdict(rawValue: check.verdict) else {
                throw unknown("a verdict", check.verdict)
            }
            report.checks.append(CheckOutcome(check: check.check.word, verdict: verdict, reason: check.reason.line))
        }
        report.measurements = measurements.map {
            Measurement(
                $0.name.word, subject: $0.subject.word, value: $0.value, unit: $0.unit.word,
                low: $0.hasLow ? $0.low : nil, high: $0.hasHigh ? $0.high : nil)
        }
        report.log = log.suffix(bytes: VerificationBounds.logBytes)
        report.nanoseconds = nanoseconds
        return report
    }
}
