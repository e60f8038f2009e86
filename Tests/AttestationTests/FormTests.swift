import FoundationEssentials
import Model
import TestSupport
import Testing

@testable import Attestation

/// The small forms: JSON, Base64, times, the kernel's notes.
@Suite struct FormTests {
    @Test(arguments: [
        "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\"}", "[1 2]", "01", "-", "-0", "1.5", "1e3", "1E3",
        "+1",
        "9223372036854775808", "tru", "nul", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"",
        "\"\\ud800\\u0041\"", "\"a\nb\"", "{\"é\":1}", "1 1", "[1]]", "NaN", "'a'", "\u{FEFF}1", "{1:2}", "[,1]", "//",
        "100000000000000000000000000000", "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":1}",
    ])
    func whatIsNoJSONHere(_ text: String) {
        #expect(throws: Refusal.self) { try JSONReader.parse(Array(text.utf8)) }
    }

    @Test func textMustBeUTF8() {
        for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80]] {
            #expect(throws: Refusal.self) { try JSONReader.parse([0x22] + bytes + [0x22]) }
        }
    }

    @Test func escapesMeanWhatTheyMean() throws {
        let text = #"["\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0000", -12, true ,false,null , {} , [] ]"#
        #expect(
            try JSONReader.parse(Array(text.utf8))
                == .array([
                    .string("\"\\/\u{8}\u{C}\n\r\t\u{E9}\u{1F600}\0"), .integer(-12), .bool(true), .bool(false), .null,
                    .object([:]), .array([]),
                ]))
    }

    /// Foundation reads what is written here, and finds the same text in it.
    @Test(arguments: 0..<100 as Range<UInt64>) func foundationReadsIt(seed: UInt64) throws {
        var random = Seeded(seed)
        let texts = (0..<10).map { _ in random.text(40) }
        let json = JSON.object(["a": .array(texts.map { .string($0) })])
        #expect(try JSONDecoder().decode([String: [String]].self, from: Data(json.encoded)) == ["a": texts])
        #expect(try JSONReader.parse(json.encoded) == json)
        let theirs = try JSONEncoder().encode(["a": texts])
        #expect(try JSONReader.parse([UInt8](theirs)) == json)
    }

    @Test(arguments: 0..<100) func base64IsFoundations(count: Int) {
        var random = Seeded(UInt64(count))
        let bytes = random.bytes(count)
        let text = Data(bytes).base64EncodedString()
        #expect(Base64.encode(bytes) == text)
        #expect(Base64.decode(text) == bytes)
        let urlSafe = text.replacing("+", with: "-").replacing("/", with: "_")
        #expect(Base64.decode(urlSafe) == bytes)
    }

    @Test(arguments: [
        "A", "AA", "AAA", "A===", "====", "=", "AA=A", "A=AA", "AB==", "AAB=", "AAAA\n", " AAAA", "AA==AAAA", "+-AA",
        "/_AA",
        "AAA*", "ÄÄ", "AAAAA===", "AAAA====",
    ])
    func base64IsStrict(_ text: String) { #expect(Base64.decode(text) == nil) }

    @Test func timesOfKnownValue() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_000_000_000, "2001-09-09T01:46:40Z"),
            (2_147_483_648, "2038-01-19T03:14:08Z"), (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"), (UTC.last, "9999-12-31T23:59:59Z"),
        ] as [(Int64, String)] {
            #expect(UTC.text(seconds) == text)
            #expect(UTC.seconds(text) == seconds)
        }
        #expect(UTC.text(-1) == nil && UTC.text(UTC.last + 1) == nil && UTC.text(.max) == nil && UTC.text(.min) == nil)
    }

    @Test func timesThereAndBack() throws {
        var random = Seeded(7)
        for _ in 0..<5000 {
            let seconds = Int64.random(in: 0...UTC.last, using: &random)
            let text = try #require(UTC.text(seconds))
            #expect(UTC.seconds(text) == seconds)
        }
        // Every day of 401 years follows the one before.
        var last = ""
        for day in 0..<Int64(146_462) {
            let text = try #require(UTC.text(day * 86_400))
            #expect(last < text)
            last = text
        }
        #expect(last == "2370-12-31T00:00:00Z")
    }

    @Test(arguments: [
        "", "2026-01-31", "2026-01-31T23:59:59", "2026-01-31T23:59:59+00:00", "2026-01-31T23:59:59.0Z",
        "2026-01-31 23:59:59Z", "2026-01-31t23:59:59z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "1969-12-31T23:59:59Z",
        "+026-01-01T00:00:00Z", "2026-1-001T00:00:00Z", "２026-01-01T00:00Z",
    ])
    func whatIsNoTime(_ text: String) { #expect(UTC.seconds(text) == nil) }

    static func note(_ name: [UInt8], _ content: [UInt8], type: UInt8) -> [UInt8] {
        func word(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
        func padded(_ bytes: [UInt8]) -> [UInt8] { bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4) }
        return word(name.count) + word(content.count) + [type, 0, 0, 0] + padded(name) + padded(content)
    }

    @Test func theBuildIDIsFoundAmongNotes() {
        let gnu = Array("GNU\0".utf8)
        let other = Self.note(Array("Xen\0".utf8), [1, 2, 3, 4, 5], type: 3) + Self.note(gnu, [9], type: 1)
        let id = [UInt8](0xE0..<0xF4)
        let notes = other + Self.note(gnu, id, type: 3) + Self.note(Array("Linux\0".utf8), [0], type: 1)
        #expect(KernelIdentity.buildID(notes: notes) == Hex.text(id))
        #expect(KernelIdentity.buildID(notes: other) == nil)
        #expect(KernelIdentity.buildID(notes: []) == nil)
        #expect(KernelIdentity.buildID(notes: Self.note(gnu, [], type: 3)) == nil)
        #expect(KernelIdentity.buildID(notes: Self.note(gnu, [UInt8](repeating: 1, count: 65), type: 3)) == nil)
        #expect(KernelIdentity.buildID(notes: Self.note(Array("GNU".utf8), id, type: 3)) == nil)
        #expect(KernelIdentity.buildID(notes: [UInt8](repeating: 0xFF, count: 64)) == nil)
        #expect(KernelIdentity.buildID(notes: [UInt8](repeating: 0, count: 65_536)) == nil)
        #expect(KernelIdentity.buildID(notes: other + [UInt8](repeating: 0, count: 65_536)) == nil)
        // Cut anywhere before its end there is none.
        let end = other.count + Self.note(gnu, id, type: 3).count
        for count in 0..<end { #expect(KernelIdentity.buildID(notes: Array(notes.prefix(count))) == nil) }
    }

    @Test func anyNotesAreHarmless() {
        var random = Seeded(3)
        for _ in 0..<5000 {
            var notes = Self.note(Array("GNU\0".utf8), random.bytes(random.below(40)), type: 3)
            random.mutate(&notes)
            if let id = KernelIdentity.buildID(notes: notes) { #expect(id.count <= 128 && id.count % 2 == 0) }
        }
    }
}
