import Model
import Testing

@Suite struct DeploymentStateTests {
    static let actor = Actor(uid: 1, gid: 2, pid: 3, groups: [4], user: "u")

    static func record(in state: DeploymentState) -> DeploymentRecord {
        let spec = DeploymentSpec(
            scheduler: "x", artifact: "", parameters: [], hints: [], actor: actor,
            authority: .unverified(reason: "a test"))
        return DeploymentRecord(id: 9, spec: spec, state: state, reason: "before", requestedAt: 1)
    }

    /// The arrows, written down a second time.
    static let arrows: Set<[DeploymentState]> = [
        [.requested, .active], [.requested, .failed], [.active, .rolledBack], [.active, .superseded],
        [.active, .ejected],
        [.active, .released],
    ]

    @Test(arguments: DeploymentState.allCases, DeploymentState.allCases)
    func aRecordMovesAlongTheArrowsOnly(from: DeploymentState, to: DeploymentState) throws {
        var record = Self.record(in: from)
        guard Self.arrows.contains([from, to]) else {
            let failure = #expect(throws: Failure.self) { try record.move(to: to, reason: "after", at: 7) }
            #expect(failure?.code == .internal)
            #expect(record == Self.record(in: from), "a refused move changes nothing")
            return
        }
        try record.move(to: to, reason: "after", at: 7)
        #expect(record.state == to)
        #expect(record.reason == "after")
        #expect(record.attachedAt == (to == .active ? 7 : 0))
        #expect(record.endedAt == (to == .active ? 0 : 7))
    }

    @Test func anEndIsWhereNoArrowLeaves() {
        for state in DeploymentState.allCases {
            #expect(state.isEnded == !Self.arrows.contains { $0[0] == state })
            #expect(DeploymentState(rawValue: state.rawValue) == state)
        }
        #expect(DeploymentState.allCases.filter { !$0.isEnded } == [.requested, .active])
    }

    @Test func theNamesOnTheWire() {
        #expect(
            DeploymentState.allCases.map(\.rawValue)
                == ["requested", "active", "failed", "rolled-back", "superseded", "ejected", "released"])
    }
}

@Suite struct KernelStateTests {
    /// state, supported, enable_seq, ours, owner
    static let owners: [(String, Bool, UInt64, UInt64?, KernelState.Owner)] = [
        ("disabled", true, 5, 5, .none), ("disabled", true, 5, nil, .none), ("disabled", true, 0, nil, .none),
        ("enabled", true, 5, 5, .ours), ("enabled", true, 6, 5, .foreign), ("enabled", true, 5, nil, .foreign),
        ("enabling", true, 5, 5, .ours), ("enabling", true, 5, 4, .foreign), ("disabling", true, 5, 5, .ours),
        ("disabling", true, 5, nil, .foreign), ("", true, 5, 5, .none), ("", false, 0, nil, .none),
        ("enabled", false, 5, 5, .none), ("enabled", true, 0, 0, .ours), ("something new", true, 5, nil, .foreign),
    ]

    @Test(arguments: owners)
    func whose(state: String, supported: Bool, sequence: UInt64, ours: UInt64?, owner: KernelState.Owner) {
        let kernel = KernelState(supported: supported, state: state, ops: "x", enableSequence: sequence)
        #expect(kernel.owner(ourSequence: ours) == owner)
        #expect(kernel.isOccupied == (owner != .none))
    }
}

@Suite struct ExitInfoTests {
    static let known: [(Int32, ExitInfo.Kind, Bool)] = [
        (0, .none, false), (1, .done, false), (64, .unregistered, false), (65, .unregisteredFromBPF, false),
        (66, .unregisteredFromKernel, false), (67, .sysrq, false), (68, .parent, false), (1024, .error, true),
        (1025, .errorFromBPF, true), (1026, .stall, true),
    ]

    @Test(arguments: known) func theNumbersOfTheKernel(number: Int32, kind: ExitInfo.Kind, isError: Bool) {
        #expect(ExitInfo.Kind(rawValue: number) == kind)
        #expect(kind.rawValue == number)
        #expect(kind.isError == isError)
        #expect(!kind.name.isEmpty)
    }

    @Test func everyNumberComesBack() {
        for number in -100...2000 as ClosedRange<Int32> { #expect(ExitInfo.Kind(rawValue: number).rawValue == number) }
        for number in [Int32.min, .max] {
            let kind = ExitInfo.Kind(rawValue: number)
            #expect(kind == .other(number))
            #expect(kind.name.contains("\(number)"))
        }
        #expect(Set(Self.known.map(\.1.name)).count == Self.known.count)
    }

    @Test(arguments: [
        (ExitInfo(kind: .stall), "runnable task stall (watchdog)"),
        (ExitInfo(kind: .stall, reason: "watchdog"), "watchdog"),
        (ExitInfo(kind: .error, message: "task 1"), "runtime error: task 1"),
        (ExitInfo(kind: .error, reason: "r", message: "m"), "r: m"),
        (ExitInfo(kind: .other(7), reason: "\u{1B}[31m", message: "a\nb"), "\\u{1b}[31m: a\\nb"),
    ]) func oneLineForAPerson(info: ExitInfo, line: String) {
        #expect(info.summary == line)
    }
}

@Suite struct FailureAndActorTests {
    @Test func aFailureDescribesItself() {
        #expect(Failure(.busy, "what").description == "what")
        #expect(Failure(.busy, "what", hint: "do").description == "what (do)")
        #expect(Set(Failure.Code.allCases.map(\.rawValue)).count == Failure.Code.allCases.count)
    }

    @Test func anActorIsInItsPrimaryGroup() {
        let actor = Actor(uid: 5, gid: 7, pid: 1, groups: [], user: "")
        #expect(actor.groups == [7])
        #expect(!actor.isRoot)
        #expect(Actor(uid: 0, gid: 7, pid: 1, groups: [8], user: "").isRoot)
        // Only the uid makes root, not a group or a name.
        #expect(!Actor(uid: 1, gid: 0, pid: 1, groups: [0], user: "root").isRoot)
    }
}
