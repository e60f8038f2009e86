/// The text of a trial: one record a line, `kind name=value name=value`, every value with the bytes outside of printable
/// ASCII, the space and the per cent sign written as `%XX`. No line is longer than ``longestLine``: long texts are cut
/// into several records, and what must stay one record is cut short.
package enum TrialReport {
    /// Bytes of a line, with its end.
    package static let longestLine = 64 * 1024

    /// Bytes of text in one record of a log or dump; escaped it can be three times as long.
    static let longestPiece = 16 * 1024
    /// The longest name, and the longest sentence, bytes.
    static let longestName = 256
    static let longestMessage = 2 * 1024
    static let longestDetail = 12 * 1024

    /// The record's lines. More than one where it holds a long log or dump.
    package static func lines(for record: TrialRecord) -> [UInt8] {
        switch record {
        case .verifierLog(let program, let text):
            pieces(of: text).flatMap { line("log", [("program", name(program)), ("text", $0)]) }
        case .dump(let title, let text):
            pieces(of: text).flatMap { line("dump", [("name", name(title)), ("text", $0)]) }
        default: line(for: record)
        }
    }

    private static func line(for record: TrialRecord) -> [UInt8] {
        switch record {
        case .kernel(let release, let build):
            line("kernel", [("release", name(release)), ("build", name(build))])
        case .program(let figures):
            line(
                "program",
                [
                    ("name", name(figures.name)), ("instructions", bytes(figures.instructions)),
                    ("processed", bytes(figures.processed)), ("states", bytes(figures.totalStates)),
                    ("peak", bytes(figures.peakStates)), ("stack", bytes(figures.stack)),
                    ("ns", bytes(figures.nanoseconds)),
                ])
        case .began(let step, let subject): line("began", [("step", name(step)), ("subject", name(subject))])
        case .ended(let end):
            line(
                "ended",
                [
                    ("step", name(end.step)), ("subject", name(end.subject)), ("ok", bytes(end.isSuccess ? 1 : 0)),
                    ("message", cut(end.message, longestMessage)), ("ns", bytes(end.nanoseconds)),
                ])
        case .measurement(let figure):
            line(
                "measurement",
                [
                    ("name", name(figure.name)), ("subject", name(figure.subject)), ("value", bytes(figure.value)),
                    ("unit", name(figure.unit)),
                ] + (figure.low.map { [("low", bytes($0))] } ?? []) + (figure.high.map { [("high", bytes($0))] } ?? []))
        case .violation(let violation): line(for: violation)
        case .kernelLog(let text): line("kernel-log", [("text", cut(text, longestMessage))])
        case .done(let verdict): line("done", [("verdict", bytes(verdict.rawValue))])
        case .verifierLog, .dump: lines(for: record)
        }
    }

    private static func line(for violation: Violation) -> [UInt8] {
        line(
            "violation",
            [
                ("check", name(violation.check)), ("severity", bytes(violation.severity.rawValue)),
                ("message", cut(violation.message, longestMessage)), ("load", name(violation.load)),
                ("file", name(violation.file)), ("line", bytes(violation.line)), ("text", name(violation.text)),
                ("detail", cut(violation.detail, longestDetail)),
            ])
    }

    private static func line(_ kind: String, _ fields: [(name: String, value: ArraySlice<UInt8>)]) -> [UInt8] {
        var line = Array(kind.utf8)
        for field in fields {
            line.append(UInt8(ascii: " "))
            line += field.name.utf8
            line.append(UInt8(ascii: "="))
            Escape.append(field.value, to: &line)
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// Whole characters of at most ``longestPiece`` bytes each; an empty text is one empty piece.
    private static func pieces(of text: String) -> [ArraySlice<UInt8>] {
        let all = Array(text.utf8)
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        repeat {
            let end = boundary(in: all, before: start + longestPiece)
            pieces.append(all[start..<end])
            start = end
        } while start < all.count
        return pieces
    }

    /// The last place at or before `limit` at which a character begins.
    private static func boundary(in bytes: [UInt8], before limit: Int) -> Int {
        guard limit < bytes.count else { return bytes.count }
        var end = limit
        while end > limit - 4, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return end
    }

    private static func cut(_ text: String, _ limit: Int) -> ArraySlice<UInt8> {
        let all = Array(text.utf8)
        return all[..<boundary(in: all, before: limit)]
    }

    private static func name(_ text: String) -> ArraySlice<UInt8> { cut(text, longestName) }
    private static func bytes(_ value: some CustomStringConvertible) -> ArraySlice<UInt8> {
        Array("\(value)".utf8)[...]
    }
}

/// Values as `%XX`.
enum Escape {
    private static let digits = Array("0123456789ABCDEF".utf8)

    static func append(_ value: ArraySlice<UInt8>, to line: inout [UInt8]) {
        for byte in value {
            if (0x21...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                line.append(byte)
            } else {
                line += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }

    /// nil where a per cent sign is not followed by two digits.
    static func decode(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(value.count)
        var index = value.startIndex
        while index < value.endIndex {
            guard value[index] == UInt8(ascii: "%") else {
                bytes.append(value[index])
                index += 1
                continue
            }
            guard index + 2 < value.endIndex, let high = digit(value[index + 1]), let low = digit(value[index + 2])
            else {
                return nil
            }
            bytes.append(high << 4 | low)
            index += 3
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
