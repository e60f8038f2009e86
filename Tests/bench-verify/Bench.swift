import FoundationEssentials
import Model
import Verifier

/// One candidate, verified again and again under three circumstances, in turn so that a slow minute of the machine falls
/// on all of them.
struct Bench {
    enum State: String, CaseIterable {
        /// The kernel's image is there; all that is made from it, and evidence, is not.
        case cold
        /// Everything is there but evidence.
        case warm
        /// Asked before.
        case evidence
    }

    struct Sample {
        var report: VerificationReport
        /// Of the whole run, from outside.
        var nanoseconds: Int64
    }

    var request: VerificationRequest
    var runs: Int

    func measure() async throws -> [(State, [Sample])] {
        var samples: [State: [Sample]] = [:]
        for _ in 0..<runs {
            let folder = try Self.freshCache()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let fresh = VerifierConfiguration(evidenceFolder: folder + "/evidence", cacheFolder: folder)
            for state in State.allCases {
                var request = request
                request.mayUseEvidence = state == .evidence
                // A verifier of its own each time: what one keeps in memory is not what is measured.
                let verifier = Verifier(configuration: fresh)
                let clock = ContinuousClock()
                let begin = clock.now
                let report = try await verifier.run(request)
                let time = (clock.now - begin).components
                samples[state, default: []].append(
                    Sample(report: report, nanoseconds: time.seconds * 1_000_000_000 + time.attoseconds / 1_000_000_000)
                )
            }
        }
        return State.allCases.map { ($0, samples[$0] ?? []) }
    }

    /// A cache that has the kernels and the lab of this user's cache, and nothing else.
    private static func freshCache() throws -> String {
        let files = FileManager.default
        let folder = "\(files.temporaryDirectory.path)/bench-verify-\(UUID().uuidString)"
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["lab", "apt"] where files.fileExists(atPath: VerifierConfiguration.standardCache + "/" + name) {
            try files.createSymbolicLink(
                atPath: folder + "/" + name, withDestinationPath: VerifierConfiguration.standardCache + "/" + name)
        }
        return folder
    }
}
