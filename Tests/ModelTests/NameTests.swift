import Model
import Testing

@Suite struct SchedulerNameTests {
    static let good = ["a", "fifo", "z9", "a-b_c", "a-", "a_", "ljf2", String(repeating: "a", count: 64)]

    static let bad = [
        "", "A", "Fifo", "9a", "-a", "_a", "a b", "a.b", "a/b", "../a", "/etc/passwd", "a\n", "\na", "a\u{0}",
        "a\u{0}b",
        "é", "аbc", "ａ", "a\u{301}", "a\u{202E}b", "a\u{200B}", "\u{1B}[31m", "a;b", "a$b", "a'b", "a\"b", "a\\b",
        "😀", "a,b", "a=b", ".", "..", String(repeating: "a", count: 65), String(repeating: "a", count: 100_000),
    ]

    @Test(arguments: good) func isAccepted(_ text: String) throws {
        let name = try SchedulerName(text)
        #expect(name.text == text)
        #expect("\(name)" == text)
    }

    @Test(arguments: bad) func isRefusedWithoutItsDangerousPart(_ text: String) {
        let failure = #expect(throws: Failure.self) { try SchedulerName(text) }
        #expect(failure?.code == .invalidArgument)
        #expect(failure?.hint.isEmpty == false)
        #expect(failure?.message.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 0x202E } == true)
        #expect((failure?.message.count ?? 0) < 200)
    }

    @Test func everyByteInEveryPlace() {
        for value in 0...255 as ClosedRange<UInt32> {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let character = String(Character(scalar))
            let isLower = (97...122).contains(value)
            let isInner = isLower || (48...57).contains(value) || value == 45 || value == 95
            let first = try? SchedulerName(character + "x")
            let inside = try? SchedulerName("x" + character)
            #expect((first != nil) == isLower, "\(value) first")
            #expect((inside != nil) == isInner, "\(value) inside")
        }
    }
}

/// What comes from outside and is shown to a person.
@Suite struct EscapingTests {
    static let escaped: [(String, String)] = [
        ("plain text, with punctuation!", "plain text, with punctuation!"),
        ("", ""),
        ("a\nb", "a\\nb"),
        ("a\tb", "a\\tb"),
        ("a\rb", "a\\u{d}b"),
        ("a\r\nb", "a\\u{d}\\nb"),
        ("\u{1B}[31mred\u{1B}[0m", "\\u{1b}[31mred\\u{1b}[0m"),
        ("\u{1B}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
        ("\u{9B}31m", "\\u{9b}31m"),
        ("a\u{0}b", "a\\u{0}b"),
        ("\u{7F}", "\\u{7f}"),
        ("say \"hi\"", "say \\\"hi\\\""),
        ("back\\slash", "back\\\\slash"),
        ("\u{202E}evil\u{202C}", "\\u{202e}evil\\u{202c}"),
        ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
        ("\u{200B}\u{FEFF}", "\\u{200b}\\u{feff}"),
        ("\u{2028}\u{2029}\u{85}", "\\u{2028}\\u{2029}\\u{85}"),
        ("\u{E000}", "\\u{e000}"),
        ("é漢字😀", "é漢字😀"),
    ]

    @Test(arguments: escaped) func oneWayOnly(text: String, shown: String) {
        #expect(text.escapedForDisplay() == shown)
        #expect(text.quotedForDisplay() == "\"\(shown)\"")
    }

    @Test func noScalarThatATerminalObeysIsLeft() {
        for value in 0...0x10_FFFF as ClosedRange<UInt32> {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let shown = String(scalar).escapedForDisplay()
            let category = scalar.properties.generalCategory
            guard category == .control || category == .format || value == 0x2028 || value == 0x2029 else { continue }
            if !shown.unicodeScalars.allSatisfy({ (32..<127).contains($0.value) }) { Issue.record("U+\(value)") }
        }
    }

    @Test(arguments: [0, 1, 5, 80]) func theLengthIsBounded(limit: Int) {
        let long = String(repeating: "x", count: 200)
        #expect(long.escapedForDisplay(limit: limit) == String(repeating: "x", count: limit) + "…")
        let exact = String(repeating: "x", count: limit)
        #expect(exact.escapedForDisplay(limit: limit) == exact)
    }

    @Test func theLimitCountsWhatWasWrittenNotWhatIsShown() {
        #expect(String(repeating: "\u{1}", count: 3).escapedForDisplay(limit: 2) == "\\u{1}\\u{1}…")
        #expect(String(repeating: "a\u{301}", count: 2).escapedForDisplay(limit: 3) == "a\u{301}a…")
    }
}
