import Model
import Testing

@testable import Search

/// Questions that are none, and the words of those that are.
@Suite struct QueryTests {
    @Test(arguments: ["", " ", "\n\t", "?!", "\u{0}\u{1}", "—…", "\u{200B}"]) func nothingIsRefused(_ text: String) {
        let failure = #expect(throws: Failure.self) { try SearchQuery(text) }
        #expect(failure?.code == .invalidArgument && failure?.message.contains("nothing to search") == true)
    }

    @Test(arguments: [4097, 100_000, 10_000_000]) func aBookIsRefused(_ bytes: Int) {
        let failure = #expect(throws: Failure.self) { try SearchQuery(String(repeating: "a", count: bytes)) }
        #expect(failure?.code == .invalidArgument && failure?.message.contains("\(bytes) bytes") == true)
    }

    @Test func theLongestQuestionIsTaken() throws {
        #expect(try SearchQuery(String(repeating: "é ", count: 1365)).text.utf8.count == 4095)
    }

    @Test(arguments: [0, -1, 101, Int.max, Int.min]) func aLimitOutOfRangeIsRefused(_ limit: Int) {
        let failure = #expect(throws: Failure.self) { try SearchQuery("a", limit: limit) }
        #expect(failure?.code == .invalidArgument && failure?.message.contains("1...100") == true)
    }

    @Test func aFilterIsChecked() {
        #expect(throws: Failure.self) { try SearchQuery("a", filter: EntryFilter(features: ["NOT A WORD"])) }
        #expect(throws: Failure.self) { try SearchQuery("a", filter: EntryFilter(kernel: "new")) }
    }

    @Test(arguments: [
        ("Low wakeup latency while a build runs in the background", "low wakeup latency build runs background"),
        ("the p99 of our API's GET, GET, get!", "p99 api"), ("to be or not to be", ""), ("cpu.weight", "cpu weight"),
        ("Größe ΣΙΓΜΑ 東京", "größe σιγμα 東京"),
    ])
    func wordsThatSaySomethingStay(_ text: String, _ words: String) throws {
        #expect(try SearchQuery(text).words.joined(separator: " ") == words)
    }

    @Test func onlySoManyWordsAreLookedFor() throws {
        let text = (0..<500).map { "w\($0)" }.joined(separator: " ")
        #expect(try SearchQuery(text).words.count == Words.most)
    }

    @Test(arguments: [
        ("a building block for queues", true), ("Code to reuse", true), ("a snippet, please", true),
        ("decoder feeds encoder", false), ("the encoded piecewise recoder", false), ("slow builds", false),
    ])
    func whoAsksForCodeIsUnderstood(_ text: String, _ asks: Bool) throws {
        #expect(try SearchQuery(text).asksForCode == asks)
    }
}
