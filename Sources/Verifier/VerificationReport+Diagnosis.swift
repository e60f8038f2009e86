package import Diagnostics
import Model

extension VerificationReport {
    /// As the renderers of Diagnostics want it.
    package var diagnosis: Diagnosis {
        let verdict: Diagnosis.Verdict =
            switch verdict {
            case .passed: .passed
            case .refused: .refused
            case .unable: .unable
            }
        var result = Diagnosis(name: name, verdict: verdict, stages: stages)
        result.artifact = artifact
        result.source = source
        result.kernelRelease = kernel?.release ?? ""
        result.kernelBuildID = kernel?.buildID ?? ""
        result.kernelBTF = kernel?.btfDigest ?? ""
        result.effort = effort
        result.evidence = evidence
        result.id = id
        result.isFromEvidence = isFromEvidence
        result.versions = versions
        return result
    }

    /// For people who open the evidence.
    var asText: String { TextRenderer(isVerbose: true).text(diagnosis) }
}
