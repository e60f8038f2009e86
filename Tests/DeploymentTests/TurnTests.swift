import Linux
import Model
import Repository
import Synchronization
import TestSupport
import Testing

@testable import Deployment

/// What comes in while the daemon puts a scheduler back.
@Suite(.timeLimit(.minutes(5))) struct TurnTests {
    /// A service in the middle of putting `good` back: it has been asked whether there is an objection, and the answer is awaited.
    private struct Restoring {
        let parts: Parts
        private let kernel: FakeKernel
        let good: DeploymentRecord
        let observation: Task<Void, Never>
        private let answer: AsyncStream<Void>.Continuation

        init() async throws {
            kernel = try FakeKernel(state: "disabled")
            let (questions, question) = AsyncStream.makeStream(of: Void.self)
            let (answers, answer) = AsyncStream.makeStream(of: Void.self)
            self.answer = answer
            let parts = try Parts(kernel: kernel.folder.path) { _ in
                question.yield()
                for await _ in answers { break }
                return nil
            }
            self.parts = parts
            good = try await parts.leave(.superseded, "good")
            try await parts.leave(.ejected, "bad")
            try await parts.journal.setIntent(
                RestoreIntent(deployment: good.id, notBefore: Clock.realtime() - 1, attempt: 1))
            try await parts.service.recover([])
            observation = Task { await parts.service.observe() }
            for await _ in questions { break }
        }

        func proceed() async {
            answer.yield()
            await observation.value
        }

        func waitUntilWaiting(_ count: Int) async throws {
            while await parts.service.waiting.count < count { try await Task.sleep(for: .milliseconds(1)) }
        }

        /// Whether the restoration went on to what it cannot do here.
        var hasTried: Bool { parts.events.events(after: 0).contains { $0.kind == .gaveUp } }
    }

    @Test func aloneItGoesOn() async throws {
        let restoring = try await Restoring()
        await restoring.proceed()
        #expect(restoring.hasTried)
        #expect(try await restoring.parts.journal.intent() == nil)
    }

    @Test func aRollbackWaitsForItAndItStaysAway() async throws {
        let restoring = try await Restoring()
        let service = restoring.parts.service
        let rollback = Task { await Self.rollback(service) }
        try await restoring.waitUntilWaiting(1)
        await restoring.proceed()
        #expect(await rollback.value == .nothingDeployed)
        #expect(!restoring.hasTried)
        #expect(try await restoring.parts.journal.intent() == nil)
        #expect(restoring.parts.board.current.intent == nil)
        // Nor does it come later.
        await service.observe()
        #expect(!restoring.hasTried)
        #expect(try await restoring.parts.states() == ["good": .superseded, "bad": .ejected])
    }

    @Test(.disabled(if: HostProbe.missingForDeployment().isEmpty, "this machine would really deploy"))
    func aDeploymentWaitsForItAndOneThatFailsLeavesIt() async throws {
        let restoring = try await Restoring()
        let service = restoring.parts.service
        let object = try await Checkout.object("fifo")
        let deployment = Task { await Self.deploy(service, object) }
        try await restoring.waitUntilWaiting(1)
        // One waits; what a second one was asked for may not be what is wanted by then. A rollback always is.
        #expect(await Self.deploy(service, object) == .busy)
        let rollback = Task { await Self.rollback(service) }
        try await restoring.waitUntilWaiting(2)
        await restoring.proceed()
        #expect(await deployment.value == .kernelUnsupported)
        #expect(await rollback.value == .nothingDeployed)
        #expect(!restoring.hasTried)
        #expect(try await restoring.parts.journal.intent() == nil)
    }

    @Test(.disabled(if: HostProbe.missingForDeployment().isEmpty, "this machine would really deploy"))
    func afterADeploymentThatFailsItComesBack() async throws {
        let restoring = try await Restoring()
        let service = restoring.parts.service
        let object = try await Checkout.object("fifo")
        let deployment = Task { await Self.deploy(service, object) }
        try await restoring.waitUntilWaiting(1)
        await restoring.proceed()
        #expect(await deployment.value == .kernelUnsupported)
        #expect(!restoring.hasTried)
        #expect(try await restoring.parts.journal.intent()?.deployment == restoring.good.id)
        let again = Task { await service.observe() }
        await restoring.proceed()
        await again.value
        #expect(restoring.hasTried)
    }

    @Test func nobodyWaitsWithoutEnd() async throws {
        let restoring = try await Restoring()
        let service = restoring.parts.service
        let rollbacks = (0..<64).map { _ in
            Task { await Self.rollback(service) }
        }
        try await restoring.waitUntilWaiting(64)
        #expect(await Self.rollback(service) == .busy)
        await restoring.proceed()
        for rollback in rollbacks { #expect(await rollback.value == .nothingDeployed) }
        // And the turn is free again.
        #expect(await Self.rollback(service) == .nothingDeployed)
    }

    private static func rollback(_ service: DeploymentService) async -> Failure.Code? {
        do throws(Failure) {
            _ = try await service.rollback(by: Parts.actor)
            return nil
        } catch { return error.code }
    }

    private static func deploy(_ service: DeploymentService, _ object: [UInt8]) async -> Failure.Code? {
        do throws(Failure) {
            _ = try await service.deploy(Parts.request(object)) { _ in }
            return nil
        } catch { return error.code }
    }
}
