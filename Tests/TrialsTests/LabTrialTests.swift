import Linux
import MicroVM
import Model
import TestSupport
import Testing

@testable import Trials

/// Trials on the lab's kernel in real machines. Asked for with SCHEDCP_TEST_LAB=1, because it needs QEMU and the lab.
@Suite(.enabled(if: HostFile.environment("SCHEDCP_TEST_LAB") == "1"), .serialized, .timeLimit(.minutes(10)))
struct LabTrialTests {
    static func trials(_ change: (inout TrialOptions) -> Void = { _ in }) async throws -> Trials {
        let image = try await Lab.locate().image()
        var options = TrialOptions(cache: CacheFolder.standard.path)
        change(&options)
        return Trials(kernel: TrialKernel(vmlinuz: image.kernel), options: options)
    }

    @Test func theKernelSaysWhatItIs() async throws {
        let trials = try await Self.trials()
        let identity = try await trials.identify()
        #expect(identity.release.hasSuffix("cloud-amd64"))
        #expect(identity.buildID.count == 40)
        #expect(identity.btf.count > 1 << 20)
        #expect(try await trials.identify() == identity)
    }

    @Test(arguments: Checkout.schedulers) func theKernelTakesWhatIsShipped(_ name: String) async throws {
        let candidate = TrialCandidate(object: try await Checkout.object(name))
        let reports = await (try Self.trials()).run(candidate, effort: .quick, through: .kernel)
        let report = try #require(reports.first)
        #expect(report.verdict == .passed, "\(report.findings)")
        let instructions = report.measurements.filter { $0.name == "verifier.instructions" }
        #expect(instructions.count > 4)
        #expect(instructions.allSatisfy { $0.value > 0 })
    }

    @Test func whatTheKernelRefusesHasItsPlace() async throws {
        let candidate = TrialCandidate(object: try await Checkout.object("refused"))
        let reports = await (try Self.trials()).run(candidate, effort: .quick)
        #expect(reports.map(\.verdict) == [.failed, .skipped])
        let finding = try #require(reports.first?.findings.first)
        #expect(finding.check == "verifier")
        #expect(finding.operation == "refused_enqueue")
        #expect(finding.location?.file.hasSuffix("refused.bpf.c") == true)
        #expect(finding.location?.text.contains("*slice") == true)
    }

    @Test func bytesThatAreNoObjectAreRefused() async throws {
        let candidate = TrialCandidate(object: Array("no ELF at all".utf8))
        let reports = await (try Self.trials()).run(candidate, effort: .quick, through: .kernel)
        #expect(reports.first?.verdict == .failed)
        #expect(reports.first?.findings.first?.check == "object")
    }

    @Test func aGuestThatNeverAnswersEndsAtItsLimit() async throws {
        // As the first process, yes writes to the console for ever and never to the host.
        let trials = try await Self.trials {
            $0.guestProgram = "/usr/bin/yes"
            $0.limits.boot = .seconds(12)
        }
        let reports = await trials.run(TrialCandidate(object: [1]), effort: .quick)
        #expect(reports.map(\.verdict) == [.unable, .skipped])
        #expect(reports.first?.findings.first?.message == "booting the machine took longer than 12 s")
    }

    @Test func aGuestThatDiesAtOnceIsNotTheCandidatesFault() async throws {
        let trials = try await Self.trials { $0.guestProgram = "/bin/true" }
        let reports = await trials.run(TrialCandidate(object: [1]), effort: .quick)
        #expect(reports.first?.verdict == .unable)
        #expect(reports.first?.findings.first?.detail.contains("Attempted to kill init") == true)
    }
}
