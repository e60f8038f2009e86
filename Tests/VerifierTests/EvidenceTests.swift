import Foundation
import Model
import Synchronization
import TestSupport
import Testing

@testable import Verifier

@Suite(.timeLimit(.minutes(5))) struct EvidenceTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func theSecondAnswerComesFromEvidenceAndIsTheSame() async throws {
        let stages = FakeStages {
            $0.analysis.findings = [Candidate.lost].map {
                var it = $0; it.severity = .warning; return it
            }
        }
        let verifier = stages.verifier(in: folder)
        let first = try await verifier.run(Candidate.source)
        #expect(!first.isFromEvidence)
        #expect(!first.id.isEmpty)
        let log = EventLog()
        // As another process would.
        let second = try await stages.verifier(in: folder).run(Candidate.source) { log.take($0) }
        #expect(second.isFromEvidence)
        #expect(second.stages == first.stages)
        #expect(second.object == first.object)
        #expect(second.evidence == first.evidence)
        #expect(second.id == first.id)
        #expect(log.all.contains("finding lost-task"))
        for part in ["compile", "static", "trial"] { #expect(stages.count(of: part) == 1) }
    }

    @Test func refusalsAreRememberedToo() async throws {
        let stages = FakeStages { $0.compile = StageReport(.compile, .failed, log: "x.bpf.c:1:1: error: no\n") }
        _ = try await stages.verifier(in: folder).run(Candidate.source)
        let again = try await stages.verifier(in: folder).run(Candidate.source)
        #expect(again.isFromEvidence && again.verdict == .refused)
        #expect(again.stage(.compile)?.log == "x.bpf.c:1:1: error: no\n")
    }

    @Test func whatCouldNotBeDoneIsTriedAgain() async throws {
        let stages = FakeStages { $0.trial = [.finished(StageReport(.kernel, .unable))] }
        let first = try await stages.verifier(in: folder).run(Candidate.source)
        #expect(first.verdict == .unable && !first.id.isEmpty)
        stages.script.withLock { $0.trial = FakeStages.Script().trial }
        let again = try await stages.verifier(in: folder).run(Candidate.source)
        #expect(!again.isFromEvidence && again.verdict == .passed)
    }

    /// Whatever may change the answer asks anew.
    static let changes: [@Sendable (inout VerificationRequest) -> Void] = [
        { $0.candidate = .source(name: "x.bpf.c", bytes: Array("int y;\n".utf8)) },
        { $0.candidate = .source(name: "y.bpf.c", bytes: Array("int x;\n".utf8)) },
        { $0.parameters = [Setting(name: "slice_us", value: "5000")] },
        { $0.hints = (try? [Hint(kind: .process, key: "make", nanoseconds: 5)]) ?? [] },
        { $0.hintMaps = [.process: "names"] },
        { $0.promises = ["fair": "yes"] },
        { $0.effort = .full },
        { $0.lastStage = .static },
        { $0.rules.checksOff = ["affinity"] },
        { $0.rules.severities = ["affinity": .note] },
        { $0.rules.capabilities.mayReadUserMemory = true },
        { $0.rules.capabilities.helpers.permitted = ["bpf_probe_read*"] },
        { $0.mayUseEvidence = false },
    ]

    @Test(arguments: changes.indices) func anotherRequestIsAnotherQuestion(_ index: Int) async throws {
        let verifier = FakeStages().verifier(in: folder)
        _ = try await verifier.run(Candidate.source)
        var other = Candidate.source
        Self.changes[index](&other)
        #expect(try await verifier.run(other).isFromEvidence == false)
    }

    @Test func anotherToolchainOrKernelIsAnotherQuestion() async throws {
        let stages = FakeStages()
        _ = try await stages.verifier(in: folder).run(Candidate.source)
        stages.script.withLock { $0.toolchain["clang"] = "22" }
        #expect(try await stages.verifier(in: folder).run(Candidate.source).isFromEvidence == false)
        var kernel = FakeStages.kernel
        kernel.buildID = "ab13"
        stages.script.withLock { $0.kernel = .success(kernel) }
        #expect(try await stages.verifier(in: folder).run(Candidate.source).isFromEvidence == false)
        // The same build from another place is the same kernel.
        kernel.image = "/elsewhere/vmlinuz"
        stages.script.withLock { $0.kernel = .success(kernel) }
        #expect(try await stages.verifier(in: folder).run(Candidate.source).isFromEvidence)
    }

    @Test func whatLiesInTheIncludeFoldersCounts() async throws {
        try folder.write("#define A 1\n", to: "include/a.h")
        var request = Candidate.source
        request.includeFolders = [folder.path("include")]
        let verifier = FakeStages().verifier(in: folder)
        _ = try await verifier.run(request)
        #expect(try await verifier.run(request).isFromEvidence)
        try folder.write("#define A 2\n", to: "include/a.h")
        #expect(try await verifier.run(request).isFromEvidence == false)
    }

    /// Every single file of the evidence, damaged: the answer is found again, never invented.
    @Test func damagedEvidenceIsNoEvidence() async throws {
        let stages = FakeStages()
        let verifier = stages.verifier(in: folder)
        let first = try await verifier.run(Candidate.source)
        for blob in folder.names("evidence/blobs") {
            var bytes = folder.bytes("evidence/blobs/\(blob)")
            // One bit more or less, or a byte where there is none.
            if let last = bytes.indices.last { bytes[last] ^= 1 } else { bytes = [0] }
            try folder.write(bytes, to: "evidence/blobs/\(blob)")
            let again = try await verifier.run(Candidate.source)
            #expect(again.stages.map(\.verdict) == first.stages.map(\.verdict))
            #expect(again.object == first.object)
            // And mended.
            #expect(try await verifier.run(Candidate.source).isFromEvidence)
        }
        for key in folder.names("evidence/keys") { try folder.write("nonsense", to: "evidence/keys/\(key)") }
        #expect(try await verifier.run(Candidate.source).isFromEvidence == false)
        #expect(try await verifier.run(Candidate.source).isFromEvidence)
    }

    @Test func everyStageLeavesABundleOfThatDigest() async throws {
        let report = try await FakeStages().verifier(in: folder).run(Candidate.source)
        for (stage, digest) in report.evidence {
            let bytes = folder.bytes("evidence/blobs/\(digest)")
            #expect(EvidenceFolder.digest(bytes) == digest)
            let bundle = try #require(CanonicalJSON.decode(StageBundle.self, bytes))
            #expect(bundle.report.stage.rawValue == stage)
            #expect(folder.exists("evidence/blobs/\(bundle.request)"))
            #expect(folder.exists("evidence/blobs/\(bundle.log)"))
            // Canonical: read and written again it is the same.
            #expect(try CanonicalJSON.encode(bundle) == bytes)
        }
    }

    @Test func itsSizeIsBoundedAndTheOldestGoesFirst() async throws {
        var limits = VerificationLimits()
        limits.maxEvidenceBytes = 60_000
        let stages = FakeStages()
        let verifier = stages.verifier(in: folder, limits: limits)
        for number in 0..<12 {
            stages.script.withLock { $0.object = [UInt8](repeating: UInt8(number), count: 10_000) }
            var request = Candidate.source
            request.candidate = .source(name: "x.bpf.c", bytes: Array("int x\(number);\n".utf8))
            _ = try await verifier.run(request)
            let sizes = folder.names("evidence/blobs").map { folder.bytes("evidence/blobs/\($0)").count }
            #expect(sizes.reduce(0, +) <= limits.maxEvidenceBytes)
            #expect(try await verifier.run(request).isFromEvidence)
        }
        var oldest = Candidate.source
        oldest.candidate = .source(name: "x.bpf.c", bytes: Array("int x0;\n".utf8))
        #expect(try await verifier.run(oldest).isFromEvidence == false)
    }

    @Test func aFolderThatCannotBeWrittenCostsOnlyTheEvidence() async throws {
        try folder.write("a file", to: "evidence")
        let report = try await FakeStages().verifier(in: folder).run(Candidate.source)
        #expect(report.verdict == .passed)
        #expect(report.id.isEmpty)
    }

    @Test func severalMayStoreAtOnce() async throws {
        let folder = folder
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let stages = FakeStages { $0.object = [UInt8(number)] }
                    var request = Candidate.source
                    request.candidate = .source(name: "x.bpf.c", bytes: Array("int x\(number);\n".utf8))
                    let verifier = stages.verifier(in: folder)
                    _ = try await verifier.run(request)
                    let again = try await verifier.run(request)
                    return again.isFromEvidence && again.object == [UInt8(number)]
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }
}
