import Deployment
import Linux
import Model
import Repository
import Service
import TestSupport
import Testing

/// What a new daemon makes of what an earlier one left.
@Suite(.timeLimit(.minutes(5))) struct RecoveryTests {
    @Test func whatWasCutOffHasFailedAndWhatRanIsReleased() async throws {
        let parts = try Parts()
        try await parts.leave(.failed, "old")
        try await parts.leave(.requested, "cut off")
        try await parts.leave(.active, "running")
        try await parts.service.recover([])
        #expect(try await parts.states() == ["old": .failed, "cut off": .failed, "running": .released])
        let records = try await parts.journal.recent(limit: 10)
        #expect(records.allSatisfy { $0.endedAt > 0 && !$0.reason.isEmpty })
        #expect(records.first { $0.spec.scheduler == "old" }?.endedAt == 3)
        #expect(parts.events.events(after: 0).map(\.kind) == [.failed, .released])
        #expect(parts.board.current.active == nil)
        #expect(parts.board.current.lastEnded?.spec.scheduler == "running")
        #expect(try await parts.journal.open().isEmpty)
    }

    @Test func recoveringTwiceChangesNothingMore() async throws {
        let folder = try TemporaryFolder()
        let first = try Parts(folder)
        try await first.leave(.active, "running")
        try await first.service.recover([])
        let after = try await first.journal.recent(limit: 10)
        let second = try Parts(folder)
        try await second.service.recover([])
        #expect(try await second.journal.recent(limit: 10) == after)
        #expect(second.events.events(after: 0).isEmpty)
        #expect(second.board.current.lastEnded?.state == .released)
    }

    @Test func anEmptyHistoryIsFine() async throws {
        let parts = try Parts()
        try await parts.service.recover([])
        #expect(parts.board.current == DeploymentStatus())
        #expect(parts.events.events(after: 0).isEmpty)
    }

    @Test func descriptorsOfNoRecordAreClosed() async throws {
        let parts = try Parts()
        let path = try parts.folder.write("", to: "left behind")
        let passed = try (1...3).map { number in
            Systemd.Passed(fd: try Descriptor.open(path).release(), name: "scheduler-\(number)-link")
        }
        #expect(ProcessFacts.ownDescriptors(on: path) == 3)
        try await parts.service.recover(passed)
        #expect(ProcessFacts.ownDescriptors(on: path) == 0)
    }

    @Test func descriptorsOfARecordThatCannotGoOnAreClosed() async throws {
        let parts = try Parts()
        let cutOff = try await parts.leave(.requested, "cut off")
        let running = try await parts.leave(.active, "running")
        let path = try parts.folder.write("", to: "left behind")
        var passed: [Systemd.Passed] = []
        for part in ["ops", "data", "dump", "link", "link"] {
            passed.append(.init(fd: try Descriptor.open(path).release(), name: "scheduler-\(cutOff.id)-\(part)"))
        }
        // Without its link there is nothing to take up.
        passed.append(.init(fd: try Descriptor.open(path).release(), name: "scheduler-\(running.id)-ops"))
        try await parts.service.recover(passed)
        #expect(ProcessFacts.ownDescriptors(on: path) == 0)
        #expect(try await parts.states() == ["cut off": .failed, "running": .released])
    }

    /// The kernel says that our scheduler runs, with our number: the new process goes on with it.
    @Test func aSchedulerThatStillRunsIsTakenUpAgain() async throws {
        let kernel = try FakeKernel(state: "enabled", ops: "fifo", sequence: 5)
        let parts = try Parts(kernel: kernel.folder.path)
        let running = try await parts.leave(.active, "running")
        let path = try parts.folder.write("", to: "kept")
        let passed = try ["ops", "data", "dump", "link"].map { part in
            Systemd.Passed(fd: try Descriptor.open(path).release(), name: "scheduler-\(running.id)-\(part)")
        }
        try await parts.service.recover(passed)
        #expect(try await parts.states() == ["running": .active])
        #expect(parts.board.current.active?.id == running.id)
        #expect(parts.events.events(after: 0).map(\.kind) == [.adopted])
        #expect(ProcessFacts.ownDescriptors(on: path) >= 2)
        // As long as nothing changes nothing happens; when the kernel ends it, the record says so.
        await parts.service.observe()
        #expect(parts.events.events(after: 0).count == 1)
        try kernel.become(state: "disabled", ops: "", sequence: 5)
        await parts.service.observe()
        #expect(try await parts.states() == ["running": .ejected])
        #expect(parts.board.current.active == nil)
        #expect(parts.board.current.lastEnded?.id == running.id)
        #expect(parts.events.events(after: 0).map(\.kind) == [.adopted, .ejected])
        #expect(ProcessFacts.ownDescriptors(on: path) == 0)
    }

    /// Somebody else's scheduler came while no daemon ran: ours has ended, and theirs is not ours.
    @Test func aForeignSchedulerIsNotTakenForOurs() async throws {
        let kernel = try FakeKernel(state: "enabled", ops: "theirs", sequence: 9)
        let parts = try Parts(kernel: kernel.folder.path)
        let running = try await parts.leave(.active, "running")
        let path = try parts.folder.write("", to: "kept")
        let passed = try ["ops", "link"].map { part in
            Systemd.Passed(fd: try Descriptor.open(path).release(), name: "scheduler-\(running.id)-\(part)")
        }
        try await parts.service.recover(passed)
        #expect(try await parts.states() == ["running": .ejected])
        #expect(parts.board.current.active == nil)
        await parts.service.observe()
        #expect(parts.events.events(after: 0).map(\.kind) == [.ejected, .foreignAppeared])
        #expect(ProcessFacts.ownDescriptors(on: path) == 0)
    }

    /// A rollback that had begun is finished, not undone.
    @Test func aRollbackThatWasCutOffIsFinished() async throws {
        let kernel = try FakeKernel(state: "enabled", ops: "fifo", sequence: 5)
        let parts = try Parts(kernel: kernel.folder.path)
        let running = try await parts.leave(.active, "running")
        try await parts.journal.mark(running.id, LedgerEntry(action: .detach, mark: .begun, at: 4))
        let path = try parts.folder.write("", to: "kept")
        let passed = try ["ops", "link"].map { part in
            Systemd.Passed(fd: try Descriptor.open(path).release(), name: "scheduler-\(running.id)-\(part)")
        }
        try await parts.service.recover(passed)
        #expect(try await parts.states() == ["running": .rolledBack])
        #expect(ProcessFacts.ownDescriptors(on: path) == 0)
        #expect(parts.witness.lines.map(\.state) == [.rolledBack])
    }

    /// The new one was active, and the end of the old one was not written any more.
    @Test func whatMadeWayForACommittedDeploymentIsSuperseded() async throws {
        let kernel = try FakeKernel(state: "enabled", ops: "new", sequence: 6)
        let parts = try Parts(kernel: kernel.folder.path)
        let old = try await parts.leave(.active, "old")
        var new = try await parts.journal.begin(Parts.spec("new"), previous: old.id, at: 3)
        try new.move(to: .active, reason: "", at: 4)
        new.enableSequence = 6
        try await parts.journal.update(new)
        let path = try parts.folder.write("", to: "kept")
        let passed = try [old.id, new.id].flatMap { id in
            try ["ops", "link"].map { part in
                Systemd.Passed(fd: try Descriptor.open(path).release(), name: "scheduler-\(id)-\(part)")
            }
        }
        try await parts.service.recover(passed)
        #expect(try await parts.states() == ["old": .superseded, "new": .active])
        #expect(parts.board.current.active?.id == new.id)
    }

    /// The audit hears of every state that it has not heard of, once it can.
    @Test func whatTheAuditMissedIsToldToTheNextOne() async throws {
        let folder = try TemporaryFolder()
        let first = try Parts(folder)
        try await first.leave(.active, "running")
        first.witness.refuses = true
        try await first.service.recover([])
        #expect(first.witness.lines.isEmpty)
        let second = try Parts(folder)
        try await second.service.recover([])
        #expect(second.witness.lines.map(\.state) == [.released])
        #expect(try await second.journal.unwitnessed().isEmpty)
    }
}

/// What the service sees the kernel do.
@Suite(.timeLimit(.minutes(5))) struct ObservationTests {
    @Test func aForeignSchedulerComesChangesAndGoes() async throws {
        let kernel = try FakeKernel(state: "disabled")
        let parts = try Parts(kernel: kernel.folder.path)
        await parts.service.observe()
        #expect(parts.events.events(after: 0).isEmpty)
        try kernel.become(state: "enabled", ops: "theirs\u{1B}[2J", sequence: 6)
        for _ in 0..<3 { await parts.service.observe() }
        try kernel.become(state: "enabled", ops: "another", sequence: 7)
        for _ in 0..<3 { await parts.service.observe() }
        try kernel.become(state: "disabled", ops: "", sequence: 7)
        for _ in 0..<3 { await parts.service.observe() }
        let events = parts.events.events(after: 0)
        #expect(events.map(\.kind) == [.foreignAppeared, .foreignAppeared, .foreignGone])
        #expect(events[0].message.contains("theirs"))
        #expect(events.allSatisfy { $0.message.unicodeScalars.allSatisfy { $0.value >= 32 } })
        #expect(try await parts.journal.recent(limit: 10).isEmpty)
    }

    private static func running(_ kernel: FakeKernel, artifact: String, after previous: DeploymentState? = nil)
        async throws -> Parts
    {
        let parts = try Parts(kernel: kernel.folder.path)
        var id: Int64 = 0
        if let previous { id = try await parts.leave(previous, "good", artifact: "00").id }
        var record = try await parts.journal.begin(Parts.spec("bad", artifact: artifact), previous: id, at: 1)
        try record.move(to: .active, reason: "", at: 2)
        record.enableSequence = 5
        try await parts.journal.update(record)
        let path = try parts.folder.write("", to: "kept")
        let passed = try ["ops", "link"].map { part in
            Systemd.Passed(fd: try Descriptor.open(path).release(), name: "scheduler-\(record.id)-\(part)")
        }
        try await parts.service.recover(passed)
        return parts
    }

    @Test func anEjectedArtifactIsQuarantinedAndTheOneBeforeIsWanted() async throws {
        let kernel = try FakeKernel(state: "enabled", ops: "bad", sequence: 5)
        let parts = try await Self.running(kernel, artifact: "bb", after: .superseded)
        try kernel.become(state: "disabled", ops: "", sequence: 5)
        await parts.service.observe()
        #expect(try await parts.journal.quarantined().map(\.artifact) == ["bb"])
        let intent = try await parts.journal.intent()
        #expect(intent?.deployment == 1 && intent?.attempt == 1)
        let kinds = parts.events.events(after: 0).map(\.kind)
        #expect(kinds == [.adopted, .ejected, .quarantined, .willRestore])
        // Before it, the audit was told of the one that had made way.
        #expect(parts.witness.lines.map(\.kind).filter { $0 != .superseded } == kinds)
        // A rollback means the kernel's default: nothing is put back after it.
        let failure = await #expect(throws: Failure.self) { _ = try await parts.service.rollback(by: Parts.actor) }
        #expect(failure?.code == .nothingDeployed && failure?.hint.contains("put back") == true)
        #expect(try await parts.journal.intent() == nil)
    }

    @Test func whatWasTakenBackByHandDoesNotComeBack() async throws {
        for state in [DeploymentState.rolledBack, .ejected, .released] {
            let kernel = try FakeKernel(state: "enabled", ops: "bad", sequence: 5)
            let parts = try await Self.running(kernel, artifact: "bb", after: state)
            try kernel.become(state: "disabled", ops: "", sequence: 5)
            await parts.service.observe()
            #expect(try await parts.journal.intent() == nil, "\(state)")
        }
    }

    @Test func releaseIsByTheWholeDigest() async throws {
        let parts = try Parts()
        try await parts.journal.quarantine(Quarantined(artifact: "bb", deployment: 1, reason: "r", at: 1))
        let failure = await #expect(throws: Failure.self) { try await parts.service.release(artifact: "b") }
        #expect(failure?.code == .notFound)
        try await parts.service.release(artifact: "bb")
        #expect(try await parts.service.quarantined().isEmpty)
    }
}
