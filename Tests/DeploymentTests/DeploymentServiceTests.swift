import Deployment
import Linux
import Model
import Repository
import Service
import Synchronization
import TestSupport
import Testing

/// What the service refuses. That it deploys is shown on a sched_ext kernel, by the end-to-end tests.
@Suite(.timeLimit(.minutes(5))) struct DeploymentServiceTests {
    @Test(.disabled(if: HostProbe.missingForDeployment().isEmpty, "this machine would really do it"))
    func withoutSchedExtNothingIsRecorded() async throws {
        let parts = try Parts()
        let object = try await Checkout.object("fifo")
        let steps = Mutex<[String]>([])
        let failure = await #expect(throws: Failure.self) {
            _ = try await parts.service.deploy(Parts.request(object)) { step in steps.withLock { $0.append(step) } }
        }
        #expect(failure?.code == .kernelUnsupported)
        #expect(failure?.hint.contains("doctor") == true)
        #expect(failure?.detail.split(separator: "\n").map(String.init) == HostProbe.missingForDeployment())
        #expect(steps.withLock { $0 }.isEmpty)
        #expect(try await parts.journal.recent(limit: 10).isEmpty)
        #expect(parts.folder.names("artifacts").isEmpty)
        #expect(parts.events.events(after: 0).isEmpty)
        #expect(parts.board.current == DeploymentStatus())
        // And it is ready for the next one.
        let again = await #expect(throws: Failure.self) {
            _ = try await parts.service.deploy(Parts.request(object)) { _ in }
        }
        #expect(again?.code == .kernelUnsupported)
    }

    @Test func withNothingDeployedThereIsNothingToRollBack() async throws {
        let kernel = try FakeKernel(state: "disabled")
        let parts = try Parts(kernel: kernel.folder.path)
        let failure = await #expect(throws: Failure.self) { _ = try await parts.service.rollback(by: Parts.actor) }
        #expect(failure?.code == .nothingDeployed)
        #expect(failure?.hint.contains("default") == true)
        #expect(parts.events.events(after: 0).isEmpty)
    }

    @Test func aForeignSchedulerIsNamedAndNotRolledBack() async throws {
        let kernel = try FakeKernel(state: "enabled", ops: "theirs\u{1B}[2J")
        let parts = try Parts(kernel: kernel.folder.path)
        let failure = await #expect(throws: Failure.self) { _ = try await parts.service.rollback(by: Parts.actor) }
        #expect(failure?.code == .nothingDeployed)
        #expect(failure?.hint.contains("theirs") == true)
        #expect(failure?.hint.unicodeScalars.allSatisfy { $0.value >= 32 } == true)
    }

    @Test func aRollbackEndsTheRecordWithWhoDidIt() async throws {
        let kernel = try FakeKernel(state: "enabled", ops: "fifo", sequence: 5)
        let parts = try Parts(kernel: kernel.folder.path)
        let running = try await parts.leave(.active, "running")
        let path = try parts.folder.write("", to: "kept")
        let passed = try ["ops", "link"].map { part in
            Systemd.Passed(fd: try Descriptor.open(path).release(), name: "scheduler-\(running.id)-\(part)")
        }
        try await parts.service.recover(passed)
        let ended = try await parts.service.rollback(by: Parts.actor)
        #expect(ended.id == running.id)
        #expect(ended.state == .rolledBack)
        #expect(ended.reason.contains("alice"))
        #expect(ended.reason.unicodeScalars.allSatisfy { $0.value >= 32 })
        #expect(try await parts.journal.recent(limit: 1) == [ended])
        #expect(parts.board.current.active == nil)
        #expect(parts.board.current.lastEnded == ended)
        #expect(ProcessFacts.ownDescriptors(on: path) == 0)
        #expect(parts.events.events(after: 0).last?.kind == .rolledBack)
        let twice = await #expect(throws: Failure.self) { _ = try await parts.service.rollback(by: Parts.actor) }
        #expect(twice?.code == .nothingDeployed)
    }

    @Test func oneDeploymentIsFoundByItsNumber() async throws {
        let parts = try Parts()
        let record = try await parts.leave(.failed, "old")
        #expect(try await parts.service.deployment(record.id).spec.scheduler == "old")
        for id in [0, -1, record.id + 1, .max] {
            let failure = await #expect(throws: Failure.self) { _ = try await parts.service.deployment(id) }
            #expect(failure?.code == .notFound)
        }
        #expect(try await parts.service.history(limit: 10).map(\.id) == [record.id])
    }
}
