import Foundation
import Model

/// The catalogue of checks, for people.
enum CheckList {
    static func printAll(json: Bool) {
        if json { return printJSON(CheckCatalogue.all) }
        let rows = CheckCatalogue.all.map { [$0.name, $0.severity.rawValue, $0.title] }
        print(Terminal.table([["CHECK", "SEVERITY", "WHAT"]] + rows))
    }

    static func explain(_ name: String, json: Bool) throws(Failure) {
        guard let check = CheckCatalogue.all.first(where: { $0.name == name }) else { throw unknown(name) }
        if json { return printJSON([check]) }
        print("\(Terminal.styled(check.name, .bold)) (\(check.severity.rawValue)): \(check.title)")
        print("\nWhy it matters\n\(Text.wrapped(check.why, indent: 2))")
        print("\nRemedy\n\(Text.wrapped(check.remedy, indent: 2))")
    }

    static func unknown(_ name: String) -> Failure {
        let all = CheckCatalogue.all.map(\.name)
        let near = all.filter { $0.contains(name) || name.contains($0) }
        return Failure(
            .invalidArgument, "there is no check \(name.quotedForDisplay())",
            hint: near.isEmpty
                ? "schedctl verify --list-checks lists them" : "is it \(near.joined(separator: " or "))?")
    }

    private static func printJSON(_ checks: [CheckDescription]) {
        let values = checks.map { check in
            [
                "check": check.name, "severity": check.severity.rawValue, "title": check.title, "why": check.why,
                "remedy": check.remedy,
            ]
        }
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? JSONSerialization.data(withJSONObject: ["checks": values], options: options) else {
            return
        }
        print(String(decoding: data, as: UTF8.self))
    }
}
