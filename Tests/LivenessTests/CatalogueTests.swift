import BPFObject
import FoundationEssentials
import Liveness
import Model
import Testing

@Suite(.timeLimit(.minutes(5)))
struct CatalogueTests {
    private func document() throws -> String {
        var root = #filePath
        for _ in 0..<3 { root = String(root[..<(root.lastIndex(of: "/") ?? root.startIndex)]) }
        let bytes = try #require(FileManager.default.contents(atPath: root + "/docs/checks.md"))
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func everyCheckIsInTheDocument() throws {
        let rows = try document().split(separator: "\n").filter { $0.hasPrefix("| `") }
        let named = rows.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
        #expect(named == CheckCatalogue.all.map(\.name))
        for check in CheckCatalogue.all {
            let row = try #require(rows.first { $0.hasPrefix("| `\(check.name)`") })
            #expect(row.contains("| \(check.stage.rawValue) |"))
            #expect(row.contains(check.title) && row.contains(check.remedy))
        }
    }

    @Test func namesAreThere() {
        #expect(Set(CheckCatalogue.all.map(\.name)).count == CheckCatalogue.all.count)
        for check in CheckCatalogue.all {
            #expect(!check.title.isEmpty && !check.why.isEmpty && !check.remedy.isEmpty)
            #expect(CheckCatalogue.named(check.name) == check)
        }
    }

    /// The analysis has a verdict on every static check but those of reading the object, and on nothing else.
    @Test func everyStaticCheckHasAnOutcome() {
        let object = Assembler.object(Assembler.serving(0))
        let outcomes = Liveness.analyse(object).outcomes.map(\.check)
        let expected = CheckCatalogue.of(.static).map(\.name).filter { !["object", "parameter"].contains($0) }
        #expect(outcomes.sorted() == expected.sorted())
    }
}
