import Foundation
import TestSupport

/// A file of this repository, as text.
struct SourceFile: Sendable {
    /// From the root of the repository.
    let path: String
    let lines: [String]

    var isGenerated: Bool { path.hasSuffix(".pb.swift") }
    /// The folder below Sources or Tests.
    var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

    /// Every file of a kind below a folder.
    static func all(in folder: String, ending suffix: String = ".swift") throws -> [SourceFile] {
        let root = Checkout.root + "/" + folder
        let names = try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0.hasSuffix(suffix) }
        if names.isEmpty { throw Lacking("no \(suffix) file lies in \(root)") }
        return try names.sorted().map { name in
            let text = try String(contentsOf: URL(fileURLWithPath: root + "/" + name), encoding: .utf8)
            return SourceFile(path: folder + "/" + name, lines: text.components(separatedBy: "\n"))
        }
    }

    /// The modules that it imports.
    var imports: Set<String> {
        Set(
            lines.compactMap { line in
                let words = line.split(separator: " ")
                guard let place = words.firstIndex(of: "import"), words[..<place].allSatisfy(Self.isModifier) else {
                    return nil
                }
                var rest = words[words.index(after: place)...]
                if let kind = rest.first,
                    ["struct", "class", "enum", "func", "protocol", "let", "var", "typealias"].contains(kind)
                {
                    rest = rest.dropFirst()
                }
                return rest.first.map { String($0.prefix { $0 != "." && $0 != ";" }) }
            })
    }

    private static func isModifier(_ word: Substring) -> Bool {
        word.hasPrefix("@") || ["package", "public", "internal", "private", "fileprivate"].contains(word)
    }

    /// The lines without comments and without the text of strings, numbered from 1. Lexical, not exact: what is left of
    /// a string with an interpolation may still hold a piece of its text.
    var code: [(number: Int, text: String)] {
        var result: [(Int, String)] = []
        var isInText = false
        for (index, line) in lines.enumerated() {
            if line.components(separatedBy: "\"\"\"").count % 2 == 0 {
                isInText.toggle()
                continue
            }
            if isInText { continue }
            var text = line.replacing(#/"(\\.|[^"\\])*"/#, with: "\"\"")
            if let comment = text.firstRange(of: "//") { text = String(text[..<comment.lowerBound]) }
            result.append((index + 1, text))
        }
        return result
    }
}
