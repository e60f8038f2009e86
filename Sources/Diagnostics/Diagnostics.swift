// Diagnostics: what a verification found, for people (text as of a compiler), programs (JSON) and code review systems
// (SARIF 2.1.0). Values in, text out: schedctl, schedcp-verify and the corpus print with it. All that comes from a candidate
// is taken as hostile: nothing in it reaches a terminal that the terminal would obey.

package import Model

/// One verification as the renderers want it.
package struct Diagnosis: Hashable, Sendable {
    package enum Verdict: String, CaseIterable, Sendable {
        case passed, refused, unable
    }

    package var name: String
    package var verdict: Verdict
    /// SHA-256, lower-case hex; empty where there is none.
    package var artifact = ""
    package var source = ""
    package var kernelRelease = ""
    package var kernelBuildID = ""
    package var kernelBTF = ""
    package var effort = Effort.quick
    package var stages: [StageReport]
    /// SHA-256 of each stage's bundle by the stage's name.
    package var evidence: [String: String] = [:]
    package var id = ""
    package var isFromEvidence = false
    package var versions: [String: String] = [:]

    package init(name: String, verdict: Verdict, stages: [StageReport]) {
        self.name = name
        self.verdict = verdict
        self.stages = stages
    }

    package var findings: [Finding] { stages.flatMap(\.findings) }

    package func count(_ severity: Finding.Severity) -> Int { findings.count { $0.severity == severity } }
}

/// The texts of sources, by the name that the compiler was told, and what to call them.
package struct SourceTexts: Hashable, Sendable {
    private var lines: [String: [String]] = [:]
    private var names: [String: String] = [:]

    package init() {}

    /// `shownAs` is what diagnostics call the file, such as the path that the user gave.
    package mutating func add(_ name: String, text: String, shownAs: String? = nil) {
        lines[name] = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        names[name] = shownAs
    }

    func line(_ location: SourceLocation) -> String? {
        guard let lines = lines[location.file], location.line >= 1, location.line <= lines.count else { return nil }
        return lines[location.line - 1]
    }

    func shown(_ file: String) -> String { names[file] ?? file }
}
