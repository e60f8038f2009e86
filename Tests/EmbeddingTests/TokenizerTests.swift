import Model
import Testing

@testable import Embedding

/// Text becomes the pieces that the reference makes of it.
@Suite struct TokenizerTests {
    @Test(.enabled(if: RealModel.isThere, "needs the model: scripts/fetch-model"))
    func oddTextsAreReadAsTheReferenceReadsThem() async throws {
        let tokenizer = try await RealModel.shared.value.tokenizer
        let rows: [Reference.Tokens] = try Reference.read("tokens.json")
        #expect(rows.count >= 50)
        for row in rows {
            let ids = tokenizer.ids(of: String(repeating: row.text, count: row.repeat), limit: 256)
            #expect(ids == row.ids, "\(row.text.quotedForDisplay()) × \(row.repeat)")
        }
    }

    static let small = [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[", "]", "sep", "sl", "slow", "##ee", "##p", "##s", ".", "東",
    ]

    static func tokenizer(_ lines: [String] = small) throws(Failure) -> WordPiece {
        try WordPiece(vocabulary: [UInt8]((lines.joined(separator: "\n") + "\n").utf8))
    }

    static func pieces(_ text: String, limit: Int = 32) throws -> [String] {
        try tokenizer().ids(of: text, limit: limit).map { small[Int($0)] }
    }

    @Test func theLongestPieceIsTakenFirst() throws {
        #expect(try Self.pieces("slow") == ["[CLS]", "slow", "[SEP]"])
        #expect(try Self.pieces("Sleeps.") == ["[CLS]", "sl", "##ee", "##p", "##s", ".", "[SEP]"])
    }

    @Test func aWordWithoutPiecesIsUnknownAsAWhole() throws {
        #expect(try Self.pieces("sleex slow") == ["[CLS]", "[UNK]", "slow", "[SEP]"])
    }

    @Test func aTextCannotHoldAMark() throws {
        #expect(try Self.pieces("[SEP]") == ["[CLS]", "[", "sep", "]", "[SEP]"])
    }

    @Test func ideographsAndPunctuationStandAlone() throws {
        #expect(try Self.pieces("slow東.slow") == ["[CLS]", "slow", "東", ".", "slow", "[SEP]"])
    }

    @Test func nothingBeyondTheLimitIsKept() throws {
        for limit in 2...8 {
            let pieces = try Self.pieces(String(repeating: "sleeps ", count: 10_000), limit: limit)
            #expect(pieces.count == limit && pieces.first == "[CLS]" && pieces.last == "[SEP]")
        }
    }

    @Test(arguments: [
        (["[UNK]", "[CLS]"], "[SEP]"), (["[UNK]", "[CLS]", "[SEP]", "a", "a"], "line 5"),
        (["[UNK]", "", "[CLS]"], "line 2"),
    ])
    func aBadVocabularyIsRefused(_ lines: [String], _ word: String) throws {
        let failure = #expect(throws: Failure.self) { try Self.tokenizer(lines) }
        #expect(failure?.code == .malformedObject && failure?.message.contains(word) == true)
    }

    /// Two spellings that Swift's strings call equal are two pieces.
    @Test func piecesAreComparedByByte() throws {
        let lines = ["[UNK]", "[CLS]", "[SEP]", "\u{AC00}", "\u{1100}\u{1161}"]
        #expect(try Self.tokenizer(lines).ids(of: "가", limit: 8) == [1, 4, 2])
    }
}
