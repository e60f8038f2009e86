package import Model

/// A question, checked.
package struct SearchQuery: Hashable, Sendable {
    /// What goes into the answer; `words` and `sentences` alone are for comparison.
    package enum Means: String, CaseIterable, Sendable { case hybrid, words, sentences }

    package static let maxBytes = 4096
    package static let maxHits = 100

    package let text: String
    package let filter: EntryFilter
    package let limit: Int
    package let means: Means

    /// Refuses a question without a word, one of more than `maxBytes`, and a limit outside 1...`maxHits`.
    package init(
        _ text: String, filter: EntryFilter = EntryFilter(), limit: Int = 10, means: Means = .hybrid
    ) throws(Failure) {
        guard text.utf8.count <= Self.maxBytes else {
            throw Failure(
                .invalidArgument,
                "the question has \(text.utf8.count) bytes, which is more than \(Self.maxBytes)",
                hint: "say in a sentence or two what the workload is and what is wanted of it")
        }
        guard text.contains(where: { $0.isLetter || $0.isNumber }) else {
            throw Failure(
                .invalidArgument, "there is nothing to search for",
                hint: "for example: \"low wakeup latency while a build runs in the background\"")
        }
        guard (1...Self.maxHits).contains(limit) else {
            throw Failure(.invalidArgument, "the limit \(limit) is not within 1...\(Self.maxHits)")
        }
        try filter.check()
        self.text = text
        self.filter = filter
        self.limit = limit
        self.means = means
    }

    /// The words that say something; none where there is none.
    var words: [String] { Words.significant(text) }

    /// A piece of code is wanted, to be put into a scheduler, rather than a whole one.
    var asksForCode: Bool {
        let words = text.lowercased().split { !($0.isLetter || $0.isNumber) }.joined(separator: " ")
        return Words.ofCode.contains { " \(words) ".contains(" \($0) ") }
    }
}

/// The words of a question.
enum Words {
    static let most = 32

    /// Without the words that every sentence has, each once, at most `most`.
    static func significant(_ text: String) -> [String] {
        var seen: Set<String> = []
        let words = text.split { !($0.isLetter || $0.isNumber) }.map { $0.lowercased() }
        return Array(words.filter { !common.contains($0) && seen.insert($0).inserted }.prefix(most))
    }

    static let ofCode = [
        "building block", "building blocks", "code", "component", "fragment", "header", "helper", "include", "library",
        "macro", "module", "my own scheduler", "own program", "piece", "primitive", "primitives", "reusable", "reuse",
        "routine",
        "snippet", "subroutine", "writing a scheduler",
    ]

    static let common: Set<String> = Set(
        """
        a about all also although always am an and any are as at be because been before being but by can cannot could did \
        do does doesn don done down during each either else even ever every for from get gets getting give given go goes \
        had has have having he her here his how i if in into is isn it its itself just keep let ll like make makes many may \
        me might more most much must my need needs neither no nobody none nor not nothing of off on once one only or other \
        others our out over own per please put rather re s same shall she should since so some something such t than that \
        the their them then there these they thing things this those though through to too until up upon us use used uses \
        using ve very want wanted wants was we were what when where whether which while who whole whose why will with \
        without won would yet you your
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}
