import Model
import Testing
import Wire

/// Values of the services and their messages.
@Suite struct MappingTests {
    @Test func everyFailureCodeHasItsOwnNumber() {
        let wire = Failure.Code.allCases.map { WireFailure(Failure($0, "m")).code }
        #expect(Set(wire).count == Failure.Code.allCases.count)
        #expect(!wire.contains(.unspecified))
        for (code, number) in zip(Failure.Code.allCases, wire) { #expect(Failure.Code(number) == code) }
        // And no number of the contract is without a code.
        let contract = WireFailure.Code.allCases.filter { $0 != .unspecified }
        #expect(Set(wire) == Set(contract))
    }

    @Test(arguments: [WireFailure.Code.unspecified, .UNRECOGNIZED(99), .UNRECOGNIZED(-1)])
    func aCodeFromANewerDaemonIsAnInternalFailure(_ code: WireFailure.Code) {
        var failure = WireFailure()
        failure.code = code
        failure.message = "something new"
        #expect(failure.asFailure == Failure(.internal, "something new"))
    }

    @Test(arguments: Failure.Code.allCases) func aFailureComesBack(_ code: Failure.Code) {
        let failure = Failure(code, "what", hint: "what to do", detail: "all\nof it")
        #expect(WireFailure(failure).asFailure == failure)
    }

    @Test(arguments: [10, 11, 100, 1000]) func aLongDetailKeepsBothEnds(limit: Int) {
        let exact = String(repeating: "x", count: limit)
        #expect(WireFailure(Failure(.internal, "", detail: exact), detailLimit: limit).detail == exact)
        let long = "first complaint" + String(repeating: "-", count: 5000) + "last complaint"
        let cut = WireFailure(Failure(.internal, "", detail: long), detailLimit: limit).detail
        #expect(cut.hasPrefix(String(long.prefix(limit / 2))))
        #expect(cut.hasSuffix(String(long.suffix(limit / 2))))
        #expect(cut.utf8.count < limit + 60)
        #expect(cut.contains("\(long.utf8.count - limit / 2 * 2) bytes left out"))
    }

    @Test func aCutInTheMiddleOfACharacterStaysText() throws {
        for limit in 10..<30 {
            let failure = WireFailure(
                Failure(.internal, "", detail: String(repeating: "é🙂", count: 50)), detailLimit: limit)
            let bytes: [UInt8] = Array(failure.detail.utf8)
            #expect(String(validating: bytes, as: UTF8.self) == failure.detail)
        }
    }

    @Test func theOrdinaryLimitLeavesRoomInAnAnswer() {
        let failure = WireFailure(Failure(.verifierRefused, "m", detail: String(repeating: "log\n", count: 10 << 20)))
        #expect(failure.detail.utf8.count < Frame.answerLimit)
        #expect(failure.detail.utf8.count > Frame.answerLimit / 4)
    }

    static let versions: [(UInt32, UInt32, UInt32?)] = [
        (1, 1, 1), (0, 1, 1), (1, 2, 1), (0, .max, 1), (1, .max, 1), (0, 0, nil), (2, 2, nil), (2, .max, nil),
        (.max, .max, nil), (1, 0, nil), (5, 1, nil), (.max, 0, nil),
    ]

    @Test(arguments: versions) func theVersionThatBothSpeak(low: UInt32, high: UInt32, agreed: UInt32?) {
        let result = Result { () throws(Failure) in try ProtocolVersion.agreed(clientMin: low, clientMax: high) }
        if let agreed {
            #expect(result == .success(agreed))
        } else {
            #expect(throws: Failure.self) { try result.get() }
            if case .failure(let failure) = result {
                #expect(failure.code == .unsupportedVersion)
                #expect(!failure.hint.isEmpty)
            }
        }
    }

    @Test func aRecordBecomesADeployment() throws {
        let actor = Actor(uid: 1000, gid: 100, pid: 42, groups: [27], user: "alice")
        let spec = DeploymentSpec(
            scheduler: "ljf", artifact: "ab12", parameters: [Setting(name: "slice_us", value: "5000")],
            hints: [try Hint(kind: .cgroup, key: "a.slice/b", nanoseconds: 9)], actor: actor,
            authority: .unverified(reason: "a test"))
        var record = DeploymentRecord(id: 7, spec: spec, ops: "ljf_1.0", enableSequence: 3, requestedAt: 1)
        try record.move(to: .active, reason: "", at: 2)
        try record.move(to: .ejected, reason: "stall", at: 3)
        record.exit = ExitInfo(kind: .stall, code: -5, reason: "watchdog", message: "bash[1]", dump: "long")
        let wire = WireDeployment(record, withDump: true)
        #expect(wire.id == 7)
        #expect(wire.scheduler == "ljf")
        #expect(wire.artifactSha256 == "ab12")
        #expect(wire.parameters.map(\.name) == ["slice_us"])
        #expect(wire.parameters.map(\.value) == ["5000"])
        #expect(wire.hints.map(\.kind) == ["cgroup"])
        #expect(try wire.hints[0].asHint() == spec.hints[0])
        #expect(wire.state == "ejected")
        #expect(wire.reason == "stall")
        #expect(wire.actorUid == 1000)
        #expect(wire.actorUser == "alice")
        #expect([wire.requestedAt, wire.attachedAt, wire.endedAt] == [1, 2, 3])
        #expect(wire.enableSeq == 3)
        #expect(wire.ops == "ljf_1.0")
        #expect(wire.exit.kind == 1026)
        #expect(wire.exit.code == -5)
        #expect(wire.exit.reason == "watchdog")
        #expect(wire.exit.message == "bash[1]")
        #expect(wire.exit.dump == "long")
        #expect(WireDeployment(record, withDump: false).exit.dump.isEmpty)
        record.exit = nil
        #expect(!WireDeployment(record, withDump: true).hasExit)
    }

    @Test(arguments: ["", "Process", "user", "process ", "\u{1B}[2J"]) func aHintOfAnUnknownKindIsRefused(
        _ kind: String
    ) {
        var hint = WireHint()
        hint.kind = kind
        hint.key = "make"
        let failure = #expect(throws: Failure.self) { try hint.asHint() }
        #expect(failure?.code == .invalidArgument)
        #expect(failure?.message.unicodeScalars.allSatisfy { $0.value >= 32 } == true)
    }

    @Test func theKernelsStateAndItsOwner() {
        let state = KernelState(
            supported: true, state: "enabled", ops: "x", enableSequence: 5, rejected: 6, switchAll: true)
        for (owner, wire) in [
            (KernelState.Owner.none, WireKernelState.Owner.none), (.ours, .ours), (.foreign, .foreign),
        ] {
            let it = WireKernelState(state, owner: owner, release: "7.0", missing: ["a", "b"])
            #expect(it.owner == wire)
            #expect(it.supported && it.switchAll)
            #expect(it.state == "enabled" && it.ops == "x" && it.release == "7.0")
            #expect(it.enableSeq == 5 && it.nrRejected == 6)
            #expect(it.missing == ["a", "b"])
        }
    }

    @Test func checksKeepTheirVerdict() {
        for (verdict, wire) in [
            (Check.Verdict.found, WireCheck.Verdict.found), (.missing, .missing), (.warning, .warning),
        ] {
            let check = WireCheck(Check("n", verdict, "f", remedy: "r"))
            #expect(check.verdict == wire)
            #expect([check.name, check.found, check.remedy] == ["n", "f", "r"])
        }
    }

    @Test func aDescriptionKeepsItsNumbers() throws {
        let policy = SchedulerPolicy(
            name: try SchedulerName("x"), version: "1", summary: "s", description: "d", algorithm: "a", license: "l",
            parameters: [
                try ParameterSpec(
                    name: "big", type: .u64, defaultValue: Int128(UInt64.max), range: 0...Int128(UInt64.max), unit: "ns"
                ),
                try ParameterSpec(name: "flag", type: .bool, defaultValue: 1, range: 0...1),
                try ParameterSpec(
                    name: "low", type: .s64, defaultValue: Int128(Int64.min), range: Int128(Int64.min)...0,
                    description: "e"),
            ], hints: [HintSpec(kind: .process, map: "m", description: "h")], targetWorkloads: ["w"], notFor: ["n"],
            kernelMinimum: "6.12", promises: ["b": "2", "a": "1"], artifact: "ff")
        let wire = WireScheduler(policy)
        #expect(wire.summary.name == "x" && wire.summary.version == "1" && wire.summary.summary == "s")
        #expect(wire.summary.targetWorkloads == ["w"] && wire.notFor == ["n"])
        #expect(wire.parameters.map(\.type) == ["u64", "bool", "s64"])
        #expect(wire.parameters.map(\.defaultValue) == ["18446744073709551615", "true", "-9223372036854775808"])
        #expect(wire.parameters.map(\.max) == ["18446744073709551615", "1", "0"])
        #expect(wire.parameters.map(\.min) == ["0", "0", "-9223372036854775808"])
        #expect(wire.parameters.map(\.unit) == ["ns", "", ""])
        #expect(wire.hints.map(\.kind) == ["process"])
        #expect(wire.promises.map(\.name) == ["a", "b"])
        #expect(wire.promises.map(\.value) == ["1", "2"])
        #expect(wire.description_p == "d" && wire.algorithm == "a" && wire.license == "l")
        #expect(wire.kernelMin == "6.12" && wire.artifactSha256 == "ff")
    }
}
