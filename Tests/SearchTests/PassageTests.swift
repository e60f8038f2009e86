import Model
import Testing

@testable import Search

@Suite struct PassageTests {
    @Test(arguments: [
        ("", []), ("One.", ["One."]), ("One. Two!  Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("At 1.5 ms, v2.0 of x.y is\nused. Then", ["At 1.5 ms, v2.0 of x.y is used.", "Then"]), (" . … 12 ", []),
    ])
    func textIsCutAtTheEndsOfSentences(_ text: String, _ sentences: [String]) {
        #expect(Passages.sentences(text) == sentences)
    }
}
