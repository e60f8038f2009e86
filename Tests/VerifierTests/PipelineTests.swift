import Model
import Synchronization
import TestSupport
import Testing

@testable import Verifier

@Suite(.timeLimit(.minutes(5))) struct PipelineTests {
    @Test func stagesRunInOrderAndAreTold() async throws {
        let log = EventLog()
        let report = try await FakeStages().verifier().run(Candidate.source) { log.take($0) }
        #expect(report.verdict == .passed)
        #expect(report.stages.map(\.stage) == [.compile, .static, .kernel, .dynamic])
        #expect(
            log.all == [
                "started compile", "compile passed", "started static", "static passed", "started kernel",
                "kernel: boots", "kernel passed", "started dynamic", "dynamic: fork-storm", "dynamic passed",
            ])
        #expect(report.object == [1, 2, 3])
        #expect(report.artifact == EvidenceFolder.digest([1, 2, 3]))
        #expect(report.source == EvidenceFolder.digest(Candidate.source.candidate.bytes))
        #expect(report.kernel?.buildID == "ab12")
        #expect(Set(report.evidence.keys) == ["compile", "static", "kernel", "dynamic"])
        #expect(Set(report.evidence.values).count == 4)
    }

    @Test func aFailedStageEndsIt() async throws {
        let stages = FakeStages { $0.analysis = StageReport(.static, .failed, findings: [Candidate.lost]) }
        let log = EventLog()
        let report = try await stages.verifier().run(Candidate.source) { log.take($0) }
        #expect(report.verdict == .refused)
        #expect(report.stages.map(\.verdict) == [.passed, .failed, .skipped, .skipped])
        #expect(stages.count(of: "trial") == 0)
        #expect(log.all.suffix(4) == ["finding lost-task", "static failed", "kernel skipped", "dynamic skipped"])
    }

    @Test func whatDoesNotCompileHasNoObject() async throws {
        let stages = FakeStages { $0.compile = StageReport(.compile, .failed) }
        let report = try await stages.verifier().run(Candidate.source)
        #expect(report.verdict == .refused)
        #expect(report.artifact.isEmpty)
        #expect(stages.count(of: "static") == 0)
    }

    @Test func aStageThatCannotBeDoneIsNoRefusal() async throws {
        let stages = FakeStages { $0.trial = [.finished(StageReport(.kernel, .unable, log: "no qemu"))] }
        let report = try await stages.verifier().run(Candidate.source)
        #expect(report.verdict == .unable)
        #expect(report.stages.map(\.verdict) == [.passed, .passed, .unable, .skipped])
    }

    @Test func aMachineThatEndsEarlyIsUnable() async throws {
        let stages = FakeStages { $0.trial = [.finished(StageReport(.kernel, .passed))] }
        let report = try await stages.verifier().run(Candidate.source)
        #expect(report.stages.map(\.verdict) == [.passed, .passed, .passed, .unable])
        #expect(report.stage(.dynamic)?.log.isEmpty == false)
    }

    @Test func aKernelWithoutAnImageIsUnable() async throws {
        var kernel = FakeStages.kernel
        kernel.image = nil
        let stages = FakeStages { [kernel] in $0.kernel = .success(kernel) }
        let report = try await stages.verifier().run(Candidate.source)
        #expect(report.stages.map(\.verdict) == [.passed, .passed, .unable, .skipped])
        var short = Candidate.source
        short.lastStage = .static
        #expect(try await stages.verifier().run(short).verdict == .passed)
    }

    @Test func noKernelAtAllIsUnableAndSaysWhy() async throws {
        let stages = FakeStages {
            $0.kernel = .failure(Failure(.notFound, "no kernel is here", hint: "schedctl lab build"))
        }
        let report = try await stages.verifier().run(Candidate.source)
        #expect(report.stages.map(\.verdict) == [.unable, .skipped, .skipped, .skipped])
        #expect(report.stages[0].log.contains("schedctl lab build"))
        let object = try await stages.verifier().run(Candidate.object)
        #expect(object.stages.map(\.verdict) == [.skipped, .unable, .skipped, .skipped])
    }

    @Test func anObjectIsNotCompiled() async throws {
        let stages = FakeStages()
        let report = try await stages.verifier().run(Candidate.object)
        #expect(report.stages.map(\.verdict) == [.skipped, .passed, .passed, .passed])
        #expect(report.artifact == EvidenceFolder.digest(Candidate.object.candidate.bytes))
        #expect(report.source.isEmpty)
        #expect(stages.count(of: "compile") == 0)
    }

    @Test(arguments: [(VerificationStage.compile, 1), (.static, 2), (.kernel, 3), (.dynamic, 4)])
    func laterStagesAreSkipped(_ last: VerificationStage, _ count: Int) async throws {
        var request = Candidate.source
        request.lastStage = last
        let report = try await FakeStages().verifier().run(request)
        #expect(report.verdict == .passed)
        #expect(report.stages.filter { $0.verdict == .passed }.count == count)
    }

    @Test func requestsWithoutSenseAreRefusedBeforeAnything() async throws {
        var twice = Candidate.source
        twice.parameters = [Setting(name: "a", value: "1"), Setting(name: "a", value: "2")]
        var compiled = Candidate.object
        compiled.lastStage = .compile
        var simulated = Candidate.object
        simulated.lastStage = .simulate
        let empty = VerificationRequest(.source(name: "x.bpf.c", bytes: []))
        let large = VerificationRequest(.source(name: "x.bpf.c", bytes: [UInt8](repeating: 32, count: 2 << 20)))
        for request in [twice, compiled, simulated, empty, large] {
            let stages = FakeStages()
            await #expect(throws: Failure.self) { try await stages.verifier().run(request) }
            #expect(stages.asked.withLock { $0 }.isEmpty)
        }
    }

    @Test func anotherKernelThanRequiredIsNotTaken() async throws {
        var request = Candidate.source
        request.requiredKernel = VerifiedKernel(
            release: "7.3.4", buildID: "ab12", btfDigest: "cd34", image: "elsewhere")
        #expect(try await FakeStages().verifier().run(request).verdict == .passed)
        request.requiredKernel?.buildID = "ab13"
        do {
            _ = try await FakeStages().verifier().run(request)
            Issue.record("it was verified on another kernel")
        } catch { #expect(error.code == .kernelUnsupported) }
    }

    @Test func rulesChangeWhatFindingsMean() async throws {
        let stages = FakeStages {
            $0.analysis = StageReport(
                .static, .failed, findings: [Candidate.lost],
                checks: [CheckOutcome(check: "lost-task", verdict: .refuted)])
        }
        var request = Candidate.source
        request.rules.severities = ["lost-task": .warning]
        let softer = try await stages.verifier().run(request)
        #expect(softer.verdict == .passed)
        #expect(softer.findings.map(\.severity) == [.warning])
        request.rules.severities = [:]
        request.rules.checksOff = ["lost-task"]
        let off = try await stages.verifier().run(request)
        #expect(off.verdict == .passed)
        #expect(off.findings.isEmpty)
        #expect(off.stage(.static)?.checks.map(\.verdict) == [.off])
    }

    @Test func theCompilersAndTheKernelsWordCannotBeSwitchedOff() async throws {
        let refusal = Finding(stage: .kernel, check: "verifier", message: "R1 invalid mem access")
        let stages = FakeStages { $0.trial = [.finished(StageReport(.kernel, .failed, findings: [refusal]))] }
        var request = Candidate.source
        request.rules.checksOff = ["verifier"]
        request.rules.severities = ["verifier": .note]
        #expect(try await stages.verifier().run(request).verdict == .refused)
    }

    @Test func longOutputLosesItsMiddle() async throws {
        let log = "begin " + String(repeating: "x", count: 100_000) + " end"
        let stages = FakeStages {
            $0.compile.log = log
            $0.analysis.findings = [Finding](repeating: Candidate.lost, count: 700)
            $0.analysis.verdict = .failed
        }
        var limits = VerificationLimits()
        limits.maxLogBytes = 1000
        let report = try await stages.verifier(limits: limits).run(Candidate.source)
        let short = try #require(report.stage(.compile)?.log)
        #expect(short.utf8.count < 1100)
        #expect(short.hasPrefix("begin ") && short.hasSuffix(" end"))
        #expect(report.findings.count == limits.maxFindings)
        #expect(report.stage(.static)?.log.contains("200 more findings") == true)
    }

    @Test func itCanBeCancelled() async throws {
        let stages = FakeStages {
            $0.neverEnds = true; $0.trial = [.progress("boots")]
        }
        let log = EventLog()
        let job = Task { try await stages.verifier().run(Candidate.source) { log.take($0) } }
        let hasBegun = await eventually { log.all.contains("kernel: boots") }
        #expect(hasBegun)
        job.cancel()
        let result = await job.result
        guard case .failure(let error as Failure) = result else {
            Issue.record("it went on")
            return
        }
        #expect(error.code == .cancelled)
    }

    @Test func itsTimeIsBounded() async throws {
        let stages = FakeStages {
            $0.neverEnds = true; $0.trial = [.progress("boots")]
        }
        var request = Candidate.source
        request.seconds = 1
        do {
            _ = try await stages.verifier().run(request)
            Issue.record("it was not ended")
        } catch { #expect(error.code == .timedOut) }
    }
}
