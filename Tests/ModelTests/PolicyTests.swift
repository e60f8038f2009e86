import Model
import Testing

@Suite struct PolicyTests {
    static func policy(parameters: [ParameterSpec] = [], hints: [HintSpec] = []) throws -> SchedulerPolicy {
        SchedulerPolicy(
            name: try SchedulerName("x"), version: "1", summary: "", description: "", algorithm: "", license: "",
            parameters: parameters, hints: hints, targetWorkloads: [], notFor: [], kernelMinimum: "6.12", promises: [:],
            artifact: "")
    }

    static func parameters() throws -> [ParameterSpec] {
        [
            try ParameterSpec(name: "slice_us", type: .u32, defaultValue: 5, range: 1...10),
            try ParameterSpec(name: "flag", type: .bool, defaultValue: 0, range: 0...1),
        ]
    }

    @Test func settingsBecomeValuesInTheirOrder() throws {
        let policy = try Self.policy(parameters: Self.parameters())
        let values = try policy.values(for: [Setting(name: "flag", value: "on"), Setting(name: "slice_us", value: "7")])
        #expect(values.map(\.name) == ["flag", "slice_us"])
        #expect(values.map(\.number) == [1, 7])
        #expect(values.map(\.type) == [.bool, .u32])
        #expect(try policy.values(for: []).isEmpty)
    }

    @Test(arguments: ["", "slice", "SLICE_US", "slice_us ", "\u{1B}[2J", "__SCX_SLICE_DFL"])
    func anUnknownParameterTellsTheKnownOnes(_ name: String) throws {
        let failure = #expect(throws: Failure.self) {
            try Self.policy(parameters: Self.parameters()).values(for: [Setting(name: name, value: "1")])
        }
        #expect(failure?.code == .invalidArgument)
        #expect(failure?.hint.contains("slice_us, flag") == true)
        #expect(failure?.message.unicodeScalars.allSatisfy { $0.value >= 32 } == true)
        let none = #expect(throws: Failure.self) { try Self.policy().values(for: [Setting(name: "a", value: "1")]) }
        #expect(none?.hint == "it has none")
    }

    @Test func aParameterIsGivenOnce() throws {
        let policy = try Self.policy(parameters: Self.parameters())
        let twice = [Setting(name: "slice_us", value: "7"), Setting(name: "slice_us", value: "7")]
        #expect(#expect(throws: Failure.self) { try policy.values(for: twice) }?.code == .invalidArgument)
    }

    @Test func hintsNeedAMapOfTheirKind() throws {
        let process = try Hint(kind: .process, key: "make", nanoseconds: 1)
        let cgroup = try Hint(kind: .cgroup, key: "a", nanoseconds: 1)
        let byName = try Self.policy(hints: [HintSpec(kind: .process, map: "m", description: "")])
        #expect(throws: Never.self) { try byName.check([process, process]) }
        let failure = #expect(throws: Failure.self) { try byName.check([process, cgroup]) }
        #expect(failure?.hint.contains("process") == true)
        #expect(throws: Never.self) { try Self.policy().check([]) }
        #expect(#expect(throws: Failure.self) { try Self.policy().check([process]) }?.hint == "it takes no hints")
    }
}

@Suite struct HintTests {
    @Test(arguments: ["m", "make", "fifteen-bytes-x", "a b", "é", "x/y"]) func aProcessName(_ name: String) throws {
        let hint = try Hint(kind: .process, key: name, nanoseconds: 5)
        #expect(hint.key == name)
        #expect(hint.nanoseconds == 5)
    }

    @Test(arguments: ["", "sixteen-bytes-xx", "a\u{0}b", "\u{0}", "éééééééé", String(repeating: "a", count: 5000)])
    func whatIsNoProcessName(_ name: String) {
        let failure = #expect(throws: Failure.self) { try Hint(kind: .process, key: name, nanoseconds: 5) }
        #expect(failure?.code == .invalidArgument)
        #expect((failure?.message.count ?? 0) < 200)
    }

    @Test(arguments: [
        "a", "system.slice/batch.service", "/a/b", "a//b", "a/b/", "..a", "a..b", "...",
        String(repeating: "a/", count: 512),
    ])
    func aCgroup(_ path: String) throws {
        #expect(try Hint(kind: .cgroup, key: path, nanoseconds: .max).key == path)
    }

    @Test(arguments: [
        "", "..", "../a", "a/..", "a/../b", ".", "./a", "a/./b", "/..", "a\u{0}", String(repeating: "a", count: 1025),
    ])
    func whatIsNoCgroup(_ path: String) {
        let failure = #expect(throws: Failure.self) { try Hint(kind: .cgroup, key: path, nanoseconds: 1) }
        #expect(failure?.code == .invalidArgument)
    }

    @Test func kindsAreNamedAsOnTheWire() {
        #expect(Hint.Kind.allCases.map(\.rawValue) == ["process", "cgroup"])
    }
}
