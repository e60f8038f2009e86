/// Reads a trial's lines as they come, in pieces of any size. Bytes that are no record are counted and passed over: a
/// newer guest may know more kinds.
package struct TrialReportDecoder: Sendable {
    private var line: [UInt8] = []
    private var isTooLong = false
    /// Lines that were no record.
    package private(set) var strangeLines = 0

    package init() {}

    /// The records that these bytes complete.
    package mutating func append(_ bytes: some Sequence<UInt8>) -> [TrialRecord] {
        var records: [TrialRecord] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                if line.count < TrialReport.longestLine { line.append(byte) } else { isTooLong = true }
                continue
            }
            if let record = isTooLong ? nil : Self.record(line[...]) {
                records.append(record)
            } else {
                strangeLines += 1
            }
            line.removeAll(keepingCapacity: true)
            isTooLong = false
        }
        return records
    }

    /// One line without its end; nil where it is no record.
    package static func record(_ line: ArraySlice<UInt8>) -> TrialRecord? {
        var words = line.split(separator: UInt8(ascii: " "))
        guard !words.isEmpty else { return nil }
        let kind = String(decoding: words.removeFirst(), as: UTF8.self)
        var fields = Fields()
        for word in words {
            guard let equals = word.firstIndex(of: UInt8(ascii: "=")), let value = Escape.decode(word[(equals + 1)...])
            else { return nil }
            fields.values[String(decoding: word[..<equals], as: UTF8.self)] = String(decoding: value, as: UTF8.self)
        }
        return record(kind, fields)
    }

    private static func record(_ kind: String, _ fields: Fields) -> TrialRecord? {
        switch kind {
        case "kernel": .kernel(release: fields.text("release"), build: fields.text("build"))
        case "program": program(fields)
        case "log": .verifierLog(program: fields.text("program"), text: fields.text("text"))
        case "began": .began(step: fields.text("step"), subject: fields.text("subject"))
        case "ended":
            .ended(
                StepEnd(
                    step: fields.text("step"), subject: fields.text("subject"), isSuccess: fields.text("ok") == "1",
                    message: fields.text("message"), nanoseconds: fields.number("ns") ?? 0))
        case "measurement": measurement(fields)
        case "violation": violation(fields)
        case "kernel-log": .kernelLog(fields.text("text"))
        case "dump": .dump(name: fields.text("name"), text: fields.text("text"))
        case "done": TrialRecord.Verdict(rawValue: fields.text("verdict")).map { .done($0) }
        default: nil
        }
    }

    private static func program(_ fields: Fields) -> TrialRecord? {
        guard let instructions: UInt64 = fields.number("instructions") else { return nil }
        return .program(
            ProgramFigures(
                name: fields.text("name"), instructions: instructions, processed: fields.number("processed") ?? 0,
                totalStates: fields.number("states") ?? 0, peakStates: fields.number("peak") ?? 0,
                stack: fields.number("stack") ?? 0, nanoseconds: fields.number("ns") ?? 0))
    }

    private static func measurement(_ fields: Fields) -> TrialRecord? {
        guard let value: Double = fields.number("value"), value.isFinite else { return nil }
        return .measurement(
            TrialMeasurement(
                fields.text("name"), subject: fields.text("subject"), value: value, unit: fields.text("unit"),
                low: fields.number("low"), high: fields.number("high")))
    }

    private static func violation(_ fields: Fields) -> TrialRecord? {
        guard let severity = Violation.Severity(rawValue: fields.text("severity")) else { return nil }
        return .violation(
            Violation(
                check: fields.text("check"), severity: severity, message: fields.text("message"),
                load: fields.text("load"), detail: fields.text("detail"), file: fields.text("file"),
                line: fields.number("line") ?? 0, text: fields.text("text")))
    }

    private struct Fields {
        var values: [String: String] = [:]

        func text(_ name: String) -> String { values[name] ?? "" }
        func number<N: LosslessStringConvertible>(_ name: String) -> N? { values[name].flatMap { N($0) } }
    }
}
