import Kernel
import Linux
import Model
import Repository
import Service
import Synchronization
import TestSupport
import Testing

@testable import Deployment

/// A scheduler that made way comes back as it was, else loaded anew. The descriptors of these tests are of an ordinary file, which
/// no kernel attaches again: what the kernel says of a scheduler from before a hotplug, the end-to-end tests have.
@Suite(.timeLimit(.minutes(5))) struct PutBackTests {
    /// What a daemon leaves that was killed after it had detached `made-way` for the next one.
    private static func cutOff(_ parts: Parts, artifact: String) async throws -> (DeploymentRecord, [Systemd.Passed]) {
        var spec = Parts.spec("made-way", artifact: artifact)
        spec.parameters = [Setting(name: "slice_us", value: "7000")]
        spec.hints = [try Hint(kind: .process, key: "encoder", nanoseconds: 40)]
        spec.hintMaps = [.process: "hint_comm"]
        var old = try await parts.journal.begin(spec, previous: 0, at: 1)
        try old.move(to: .active, reason: "", at: 2)
        old.enableSequence = 5
        try await parts.journal.update(old)
        _ = try await parts.journal.begin(Parts.spec("next"), previous: old.id, at: 3)
        return (old, try parts.kept(old.id, file: try parts.folder.write("", to: "kept")))
    }

    @Test func whatTheKernelRefusesIsLoadedAnewAsItsRecordHasIt() async throws {
        let kernel = try FakeKernel(state: "disabled")
        let asked = Mutex<[DeploymentRequest]>([])
        let file = try kernel.folder.write("", to: "anew")
        let attach: @Sendable (DeploymentRequest) throws(Failure) -> AttachedScheduler = { request throws(Failure) in
            asked.withLock { $0.append(request) }
            do {
                try kernel.become(state: "enabled", ops: "made_way_1", sequence: 6)
                return AttachedScheduler(
                    name: "made_way", link: try Descriptor.open(file),
                    parts: .init(structOps: SharedDescriptor(try Descriptor.open(file)), exit: nil))
            } catch { throw Failure(.internal, "\(error)") }
        }
        let parts = try Parts(kernel: kernel.folder.path, attachAnew: attach)
        let object: [UInt8] = [1, 2, 3]
        let (old, passed) = try await Self.cutOff(parts, artifact: try parts.artifacts.put(object))
        try await parts.service.recover(passed)
        let request = try #require(asked.withLock { $0 }.first)
        #expect(asked.withLock { $0.count } == 1)
        #expect(request.object == object && request.settings == old.spec.parameters)
        #expect(request.hints == old.spec.hints && request.hintMaps == [.process: "hint_comm"])
        // It is the same deployment, at its new place in the kernel's sequence.
        let now = try #require(try await parts.journal.record(old.id))
        #expect(now.state == .active && now.enableSequence == 6 && now.ops == "made_way_1")
        #expect(parts.board.current.active == now)
        #expect(try await parts.states() == ["made-way": .active, "next": .failed])
        let last = parts.events.events(after: 0).last
        #expect(last?.kind == .restored && last?.message.contains("loaded anew") == true)
        // The descriptors of before are closed, those of the new one held.
        #expect(ProcessFacts.ownDescriptors(on: parts.folder.path("kept")) == 0)
        #expect(ProcessFacts.ownDescriptors(on: file) == 2)
        _ = try await parts.service.rollback(by: Parts.actor)
        #expect(ProcessFacts.ownDescriptors(on: file) == 0)
    }

    @Test(arguments: [false, true]) func whereThatFailsTooTheDefaultStays(isAttached: Bool) async throws {
        let kernel = try FakeKernel(state: "disabled")
        let file = try kernel.folder.write("", to: "anew")
        let attach: @Sendable (DeploymentRequest) throws(Failure) -> AttachedScheduler = { _ throws(Failure) in
            guard isAttached else { throw Failure(.verifierRefused, "not on this kernel") }
            // The attach succeeds, and the kernel has ended it meanwhile.
            do {
                return AttachedScheduler(
                    name: "made_way", link: try Descriptor.open(file),
                    parts: .init(structOps: SharedDescriptor(try Descriptor.open(file)), exit: nil))
            } catch { throw Failure(.internal, "\(error)") }
        }
        let parts = try Parts(kernel: kernel.folder.path, attachAnew: attach)
        let (old, passed) = try await Self.cutOff(parts, artifact: try parts.artifacts.put([1]))
        try await parts.service.recover(passed)
        let now = try #require(try await parts.journal.record(old.id))
        // It did nothing wrong: it is not ejected, and not in quarantine.
        #expect(now.state == .superseded && now.blame == nil)
        #expect(now.reason.contains("attached again"))
        #expect(now.reason.contains(isAttached ? "the kernel says 'disabled'" : "not on this kernel"))
        #expect(try await parts.journal.quarantined().isEmpty)
        #expect(parts.board.current.active == nil)
        #expect(ProcessFacts.ownDescriptors(on: file) == 0)
        #expect(ProcessFacts.ownDescriptors(on: parts.folder.path("kept")) == 0)
    }

    @Test func withoutItsArtifactNothingIsLoaded() async throws {
        let kernel = try FakeKernel(state: "disabled")
        let attach: @Sendable (DeploymentRequest) throws(Failure) -> AttachedScheduler = { _ throws(Failure) in
            Issue.record("there was nothing to load")
            throw Failure(.internal, "")
        }
        let parts = try Parts(kernel: kernel.folder.path, attachAnew: attach)
        let (old, passed) = try await Self.cutOff(parts, artifact: String(repeating: "0", count: 64))
        try await parts.service.recover(passed)
        let now = try #require(try await parts.journal.record(old.id))
        #expect(now.state == .superseded && now.reason.contains("not stored here"))
    }
}
