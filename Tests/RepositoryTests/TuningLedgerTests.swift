import Model
import Repository
import TestSupport
import Testing

/// Changes of running schedulers on disk.
@Suite(.timeLimit(.minutes(5))) struct TuningLedgerTests {
    private static func change(_ deployment: Int64, _ number: Int128) -> TuningChange {
        var (before, after) = (TuningValues(), TuningValues())
        before.tunables = ["slice_us": number - 1]
        after.tunables = ["slice_us": number]
        return TuningChange(deployment: deployment, uid: 1, user: "alice", at: 5, before: before, after: after)
    }

    @Test func aChangeComesBackAsItWasWritten() async throws {
        let folder = try TemporaryFolder()
        var change = Self.change(7, Int128(UInt64.max))
        change.after.hints = [HintValue(.cgroup, key: "a/b", cgroupID: .max, nanoseconds: nil)]
        change.after.layers = LayerTable(
            layers: [.init(weight: 1, guarantee: 2, cap: 3)],
            rules: [.init(layer: 0, name: "a", cgroup: "b", cgroupID: 4, cgroupDepth: 1, nice: -5...6, threads: 7)])
        var written = try await SQLiteJournal(path: folder.path("db")).beginTuning(change)
        // Of another process.
        let journal = try SQLiteJournal(path: folder.path("db"))
        change.id = written.id
        #expect(try await journal.tunings(of: 7) == [change] && written == change)
        #expect(try await journal.tunings(of: 8).isEmpty)
        written.state = .applied
        try await journal.endTuning(written, tuned: change.after)
        #expect(try await journal.tunings(of: 7).map(\.state) == [.applied])
        #expect(try await journal.tuned(7) == change.after)
        var undo = Self.change(7, 1)
        undo.undoes = written.id
        undo = try await journal.beginTuning(undo)
        #expect(try await journal.tunings(of: 7).map(\.state) == [.begun, .applied])
        undo.state = .applied
        try await journal.endTuning(undo, tuned: TuningValues())
        #expect(try await journal.tunings(of: 7).map(\.state) == [.applied, .undone])
        try await journal.loseTunings(of: 7)
        #expect(try await journal.tunings(of: 7).map(\.state) == [.lost, .undone])
        #expect(try await journal.tuned(7).isEmpty)
    }

    @Test func theOldestAreForgotten() async throws {
        let folder = try TemporaryFolder()
        let journal = try SQLiteJournal(path: folder.path("db"))
        for number in 1...300 { _ = try await journal.beginTuning(Self.change(7, Int128(number))) }
        _ = try await journal.beginTuning(Self.change(8, 1))
        let kept = try await journal.tunings(of: 7)
        #expect(kept.count == 256 && kept.first?.after.tunables["slice_us"] == 300)
        #expect(try await journal.tunings(of: 8).count == 1)
    }

    @Test func aChangeThatIsTooLargeIsRefused() async throws {
        let folder = try TemporaryFolder()
        let journal = try SQLiteJournal(path: folder.path("db"))
        var change = Self.change(7, 1)
        change.after.hints = (0..<256).map {
            HintValue(.cgroup, key: String(repeating: "x", count: 1024), cgroupID: $0 + 1, nanoseconds: 1)
        }
        let failure = await #expect(throws: Failure.self) { _ = try await journal.beginTuning(change) }
        #expect(failure?.code == .tooMany)
        #expect(try await journal.tunings(of: 7).isEmpty)
    }

    @Test func aDeploymentKeepsWhatOfItCanBeReadAndChanged() async throws {
        let folder = try TemporaryFolder()
        let live = LiveDescription(
            tunables: [
                try ParameterSpec(
                    name: "slice_us", type: .u32, defaultValue: 5, range: 1...9, unit: "us", description: "d",
                    isLive: true)
            ], counters: [try CounterSpec(name: "c", index: 17, unit: "u", description: "e")],
            queues: [
                try QueueSpec(name: "a", id: 3, count: .perLLC, description: "f"),
                try QueueSpec(name: "b", id: 4, count: .perCPU), try QueueSpec(name: "c", id: 5, count: .some(16)),
            ])
        let actor = Actor(uid: 1, gid: 1, pid: 1, groups: [], user: "a")
        let spec = DeploymentSpec(
            scheduler: "x", artifact: "ab", parameters: [], hints: [], actor: actor,
            authority: .unverified(reason: "r"), live: live)
        let id = try await SQLiteJournal(path: folder.path("db")).begin(spec, at: 1).id
        #expect(try await SQLiteJournal(path: folder.path("db")).record(id)?.spec.live == live)
    }
}

/// Queues in the description of a scheduler.
@Suite struct QueueSpecTests {
    @Test func queuesAreCountedOut() throws {
        func names(_ count: QueueSpec.Count) throws -> [String] {
            try QueueSpec(name: "q", id: 7, count: count).queues(llcs: 1, cpus: 3).map { "\($0.name)=\($0.id)" }
        }
        #expect(try names(.some(1)) == ["q=7"] && names(.perLLC) == ["q=7"])
        #expect(try names(.some(2)) == ["q[0]=7", "q[1]=8"])
        #expect(try names(.perCPU) == ["q[0]=7", "q[1]=8", "q[2]=9"])
        for (name, id, count) in [("Q", 0, 1), ("", 0, 1), ("q", 1 << 62, 1), ("q", 0, 0), ("q", 0, 65)]
            as [(String, UInt64, Int)]
        {
            #expect(throws: Failure.self) { try QueueSpec(name: name, id: id, count: .some(count)) }
        }
    }
}
