import ArgumentParser
import Attestation
import Diagnostics
import Foundation
import Linux
import Model
import Verifier

/// `schedctl verify --rerun`: the same once more, and what differs.
struct VerifyRerun {
    let command: Verify
    let verifier: Verifier

    func run(_ what: String) async throws(Failure) {
        let digests = try Self.digests(what)
        let (request, _) = try verifier.earlierRun(digests)
        let renderer = TextRenderer(
            isColoured: Terminal.isColoured, sources: VerifyRun.sources(of: request, shownAs: nil),
            isVerbose: command.verbose)
        let printer = VerifyPrinter(
            renderer, name: request.candidate.name, isQuiet: command.json || command.sarif == "-")
        let comparison = try await printer.whileShowing { () async throws(Failure) in
            try await verifier.rerun(digests) { printer.take($0) }
        }
        show(comparison)
        // A disagreement is a refusal even where the candidate passes now.
        try VerifyRun(command: command, verifier: verifier).finish(comparison.now, printer)
        if !comparison.agrees { ThisProcess.exit(1) }
    }

    private func show(_ comparison: RerunComparison) {
        if command.json || command.sarif == "-" {
            for difference in comparison.differences { ThisProcess.complain("note: \(Self.line(difference))\n") }
            return
        }
        for difference in comparison.differences { print(Self.line(difference)) }
        print(
            comparison.agrees
                ? Terminal.styled("the same", .green) + ": artifact, verdicts and findings are those of the evidence"
                : Terminal.styled("different", .red) + ": see above")
    }

    private static func line(_ difference: RerunComparison.Difference) -> String {
        let place = difference.stage.map { "\($0.rawValue): " } ?? ""
        return Terminal.oneLine("\(difference.matters ? "differs" : "surroundings differ"): \(place)\(difference.text)")
    }

    /// An evidence id, or the digests that an attestation's stages name.
    private static func digests(_ what: String) throws(Failure) -> [String] {
        let isID = (8...64).contains(what.utf8.count) && what.allSatisfy(\.isHexDigit)
        if isID && !HostFile.exists(what) { return [what] }
        return try Offline.claims(what).stages.map(\.evidence)
    }
}
