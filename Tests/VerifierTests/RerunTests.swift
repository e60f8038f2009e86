import Model
import Synchronization
import TestSupport
import Testing

@testable import Verifier

@Suite(.timeLimit(.minutes(5))) struct RerunTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func theSameAgainAgrees() async throws {
        let stages = FakeStages()
        let verifier = stages.verifier(in: folder)
        var request = Candidate.source
        request.parameters = [Setting(name: "slice_us", value: "5000")]
        request.hints = [try Hint(kind: .process, key: "make", nanoseconds: 5_000_000_000)]
        let first = try await verifier.run(request)
        let comparison = try await verifier.rerun([first.id])
        #expect(comparison.agrees)
        #expect(comparison.differences.isEmpty)
        #expect(!comparison.now.isFromEvidence)
        #expect(stages.count(of: "compile") == 2)
        #expect(comparison.now.id.isEmpty == false)
    }

    @Test func theStagesOfAnAttestationAreEnough() async throws {
        let verifier = FakeStages().verifier(in: folder)
        let first = try await verifier.run(Candidate.source)
        let comparison = try await verifier.rerun(first.evidence.values.sorted())
        #expect(comparison.agrees)
        #expect(comparison.earlier.stages.map(\.stage) == [.compile, .static, .kernel, .dynamic])
        #expect(comparison.earlier.artifact == first.artifact)
    }

    @Test func anIDMayBeCut() async throws {
        let verifier = FakeStages().verifier(in: folder)
        let first = try await verifier.run(Candidate.source)
        #expect(try await verifier.rerun([String(first.id.prefix(12))]).agrees)
    }

    @Test func whatDiffersIsSaid() async throws {
        let stages = FakeStages()
        let verifier = stages.verifier(in: folder)
        let first = try await verifier.run(Candidate.source)
        stages.script.withLock {
            $0.object = [9]
            $0.analysis = StageReport(.static, .failed, findings: [Candidate.lost])
            $0.toolchain["clang"] = "22"
        }
        let comparison = try await verifier.rerun([first.id])
        #expect(!comparison.agrees)
        let words = comparison.differences.map(\.text).joined(separator: "\n")
        #expect(words.contains("clang was 21 and is 22"))
        #expect(words.contains("it was passed and is failed"))
        #expect(words.contains("newly found: x.bpf.c:7: error: a task is lost [lost-task]"))
        #expect(comparison.differences.contains { $0.stage == .compile && $0.matters })
    }

    @Test func otherSurroundingsAloneAreNoDisagreement() async throws {
        let stages = FakeStages()
        let verifier = stages.verifier(in: folder)
        let first = try await verifier.run(Candidate.source)
        var kernel = FakeStages.kernel
        kernel.buildID = "ab13"
        stages.script.withLock { [kernel] in $0.kernel = .success(kernel) }
        let comparison = try await verifier.rerun([first.id])
        #expect(comparison.agrees)
        #expect(comparison.differences.count == 1)
    }

    /// A trial's messages have measured figures in them; what counts is which check failed, under which load.
    @Test func measuredFiguresInMessagesDoNotDiffer() async throws {
        func starved(_ seconds: Int) -> [StageParts.TrialStep] {
            let finding = Finding(
                stage: .dynamic, check: "starvation", message: "waited \(seconds) s", operation: "cpu-hogs")
            return [
                .finished(StageReport(.kernel, .passed)),
                .finished(StageReport(.dynamic, .failed, findings: [finding])),
            ]
        }
        let stages = FakeStages { $0.trial = starved(12) }
        let verifier = stages.verifier(in: folder)
        let first = try await verifier.run(Candidate.source)
        stages.script.withLock { $0.trial = starved(13) }
        #expect(try await verifier.rerun([first.id]).agrees)
    }

    @Test func unknownEvidenceIsNotFound() async throws {
        let verifier = FakeStages().verifier(in: folder)
        for digest in [String(repeating: "0", count: 64), "deadbeef", "nonsense", ""] {
            do {
                _ = try await verifier.rerun([digest])
                Issue.record("\(digest) was found")
            } catch { #expect(error.code == .notFound) }
        }
        do {
            _ = try await FakeStages().verifier().rerun([String(repeating: "0", count: 64)])
            Issue.record("there is no evidence at all")
        } catch { #expect(error.code == .notFound) }
    }

    @Test func aLostCandidateIsSaid() async throws {
        let verifier = FakeStages().verifier(in: folder)
        let first = try await verifier.run(Candidate.source)
        try folder.remove("evidence/blobs/\(first.source)")
        do {
            _ = try await verifier.rerun([first.id])
            Issue.record("without the candidate")
        } catch { #expect(error.code == .malformedObject) }
    }
}
