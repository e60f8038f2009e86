import BPFObject
import Model
import Testing

@testable import Liveness

/// The checks that need no paths, each on a scheduler that fulfils it and on one that does not.
@Suite(.timeLimit(.minutes(5)))
struct StaticTests {
    /// A kernel with the flags of 7.3, and its way to decide on contexts.
    private static func kernel() throws -> BTF {
        let values: [(String, UInt32)] = [
            ("SCX_OPS_KEEP_BUILTIN_IDLE", 1), ("SCX_OPS_ENQ_LAST", 2), ("SCX_OPS_BUILTIN_IDLE_PER_NODE", 64),
            ("SCX_OPS_ALL_FLAGS", 0x1FF),
        ]
        func little(_ value: Int, _ size: Int) -> [UInt8] {
            (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        var strings: [UInt8] = [0]
        func text(_ text: String) -> Int {
            defer { strings += Array(text.utf8) + [0] }
            return strings.count
        }
        var types = little(text("scx_ops_flags"), 4) + little(6 << 24 | values.count, 4) + little(4, 4)
        for (name, value) in values { types += little(text(name), 4) + little(Int(value), 4) }
        types += little(0, 4) + little(13 << 24, 4) + little(0, 4)
        types += little(text("scx_kfunc_context_filter"), 4) + little(12 << 24, 4) + little(2, 4)
        let header: [UInt8] =
            [0x9F, 0xEB, 1, 0] + little(24, 4) + little(0, 4) + little(types.count, 4) + little(types.count, 4)
            + little(strings.count, 4)
        return try BTF(parsing: header + types + strings)
    }

    private func check(
        _ operations: [(String, Assembler)], subprograms: [Assembler] = [], maps: [MapDefinition] = [],
        numbers: [String: UInt64] = [:], options: AnalysisOptions = AnalysisOptions(),
        change: (inout ResolvedObject) -> Void = { _ in }
    ) throws -> AnalysisResult {
        var object = Assembler.object(operations, subprograms: subprograms, maps: maps)
        object.kernel = try Self.kernel()
        object.tables[0].numbers = numbers
        for index in object.functions.indices where object.functions[index].operations == ["init"] {
            object.functions[index].isSleepable = true
        }
        change(&object)
        return StaticChecks.run(object, options)
    }

    private let empty = Assembler.make { $0.leave(0) }

    @Test func anOrdinarySchedulerFulfilsAll() throws {
        let result = try check(Assembler.serving(0), numbers: ["timeout_ms": 5000, "flags": 1])
        #expect(result.findings.isEmpty)
        #expect(result.outcomes.map(\.check) == StaticChecks.names)
        #expect(result.outcomes.allSatisfy { $0.verdict == .proved || $0.verdict == .notApplicable })
        #expect(
            result.measurements.contains { $0.name == "cost.instructions" && $0.subject == "dispatch" && $0.value == 4 }
        )
    }

    @Test(arguments: [(UInt64(0), CheckOutcome.Verdict.proved), (30_000, .proved), (30_001, .refuted), (20, .unknown)])
    func timeout(milliseconds: UInt64, verdict: CheckOutcome.Verdict) throws {
        #expect(try check([("exit", empty)], numbers: ["timeout_ms": milliseconds]).verdict("timeout") == verdict)
    }

    @Test func flags() throws {
        #expect(try check([("exit", empty)], numbers: ["flags": 1 << 40]).verdict("ops-flags") == .refuted)
        #expect(try check([("exit", empty)], numbers: ["flags": 2]).verdict("ops-flags") == .refuted)
        #expect(try check([("enqueue", empty)], numbers: ["flags": 2]).verdict("ops-flags") == .proved)
        #expect(try check([("update_idle", empty)], numbers: ["flags": 64]).verdict("ops-flags") == .refuted)
        #expect(try check([("update_idle", empty)], numbers: ["flags": 65]).verdict("ops-flags") == .proved)
    }

    @Test func idleCPUsMustBeTracked() throws {
        let picks = Assembler.make {
            $0.call("scx_bpf_pick_idle_cpu")
            $0.leave(0)
        }
        let operations = [("update_idle", empty), ("enqueue", picks)]
        let result = try check(operations)
        #expect(result.findings("ops-flags").map(\.operation) == ["enqueue"])
        #expect(result.findings("ops-flags").first?.location?.line == 100)
        #expect(try check(operations, numbers: ["flags": 1]).verdict("ops-flags") == .proved)
    }

    @Test(arguments: ["", "two words", "näme"]) func theKernelWantsAName(name: String) throws {
        let result = try check([("exit", empty)]) { $0.tables[0].strings["name"] = name }
        #expect(result.verdict("ops-flags") == .refuted)
    }

    /// Whoever has the source is asked where it says what is wrong.
    @Test func placesAreAskedFor() throws {
        var options = AnalysisOptions()
        options.place = { SourceLocation(file: "\($0)", line: 7) }
        func place(_ operations: [(String, Assembler)], _ numbers: [String: UInt64]) throws -> Model.SourceLocation? {
            try check(operations, numbers: numbers, options: options).findings.first?.location
        }
        func member(_ name: String) -> Model.SourceLocation {
            SourceLocation(file: "\(Declaration.member(name, table: "small_ops"))", line: 7)
        }
        #expect(try place([("exit", empty)], ["timeout_ms": 60_000]) == member("timeout_ms"))
        #expect(try place([("exit", empty)], ["flags": 1 << 40]) == member("flags"))
        #expect(try place([("exit", empty)], ["flags": 2]) == member("flags"))
        var map = MapDefinition(name: "kept", role: .declared, section: ".maps", type: MapType.array)
        map.isPinned = true
        let pinned = try check([("exit", empty)], maps: [map], options: options)
        #expect(pinned.findings.map(\.location?.file) == ["\(Declaration.attribute("pinning", map: "kept"))"])
    }

    // MARK: contexts

    @Test(arguments: [
        ("scx_bpf_kick_cid", "enqueue", true), ("scx_bpf_kick_cpu", "enqueue", false),
        ("scx_bpf_dsq_insert", "select_cid", true), ("scx_bpf_dsq_insert", "cpuctl_move", false),
        ("scx_bpf_create_dsq", "cid_online", true), ("scx_bpf_create_dsq", "cpuctl_set_weight", false),
        ("scx_bpf_dsq_move", "cpuctl_init", true), ("scx_bpf_dsq_move", "set_cmask", false),
        ("scx_bpf_cid_override", "init_cids", true), ("scx_bpf_cid_override", "init", false),
    ])
    func contextsWithCIDs(function: String, operation: String, isPermitted: Bool) throws {
        let code = Assembler.make {
            $0.call(function)
            $0.leave(0)
        }
        let result = try check([(operation, code)]) { object in
            object.tables[0].type = "sched_ext_ops_cid"
            object.functions[0].isSleepable = ["cid_online", "cpuctl_init", "init_cids", "init"].contains(operation)
        }
        #expect(result.verdict("kfunc-context") == (isPermitted ? .proved : .refuted), "\(result.findings)")
        // The kernel of these tests has the other form only.
        #expect(result.verdict("ops-flags") == .refuted)
    }

    @Test(arguments: [
        ("scx_bpf_dsq_insert", "enqueue", true), ("scx_bpf_dsq_insert", "runnable", false),
        ("scx_bpf_dsq_move_to_local", "dispatch", true), ("scx_bpf_dsq_move_to_local", "enqueue", false),
        ("scx_bpf_dsq_move", "init", true), ("scx_bpf_dsq_move", "tick", false),
        ("scx_bpf_select_cpu_dfl", "enqueue", true), ("scx_bpf_select_cpu_dfl", "dispatch", false),
        ("scx_bpf_create_dsq", "init", true), ("scx_bpf_create_dsq", "dispatch", false),
        ("scx_bpf_reenqueue_local", "cpu_release", true), ("scx_bpf_reenqueue_local", "dispatch", false),
        ("scx_bpf_kick_cpu", "tick", true),
    ])
    func contexts(function: String, operation: String, isPermitted: Bool) throws {
        let code = Assembler.make {
            $0.call(function)
            $0.leave(0)
        }
        let result = try check([(operation, code)])
        #expect(result.verdict("kfunc-context") == (isPermitted ? .proved : .refuted))
        #expect(result.findings.count == (isPermitted ? 0 : 1))
    }

    @Test func subprogramsAndCallbacksCount() throws {
        let calls = Assembler.make {
            $0.call(function: 1)
            $0.leave(0)
        }
        let passes = Assembler.make {
            $0.function(2, 1)
            $0.helper(181)
            $0.leave(0)
        }
        let inserts = Assembler.make {
            $0.call("scx_bpf_dsq_insert")
            $0.leave(0)
        }
        for code in [calls, passes] {
            let finding = try #require(
                try check([("tick", code)], subprograms: [inserts]).findings("kfunc-context").first)
            #expect(finding.path.count == 1 && finding.operation == "tick")
            #expect(try check([("enqueue", code)], subprograms: [inserts]).verdict("kfunc-context") == .proved)
        }
    }

    @Test func whatIsNeverReachedDoesNotCount() throws {
        var constants = MapDefinition(name: ".rodata", role: .readOnlyData, section: ".rodata", type: 2, valueSize: 4)
        constants.contents = [0, 0, 0, 0]
        func code(_ opcode: UInt8) -> Assembler {
            var code = Assembler.make {
                $0.setWide(1, 0)
                $0.emit(0x61, dst: 2, src: 1)
                $0.jump(opcode, 2, 0, over: 1)
                $0.call("scx_bpf_dsq_insert")
                $0.leave(0)
            }
            code.refer(0, .mapValue(map: 0, offset: 0))
            return code
        }
        #expect(try check([("tick", code(0x15))], maps: [constants]).verdict("kfunc-context") == .proved)
        #expect(try check([("tick", code(0x55))], maps: [constants]).verdict("kfunc-context") == .refuted)
        constants.isKnown = false
        #expect(try check([("tick", code(0x15))], maps: [constants]).verdict("kfunc-context") == .refuted)
    }

    @Test func whatTheMachineDecidesMayBeAnything() throws {
        var constants = MapDefinition(name: ".rodata", role: .readOnlyData, section: ".rodata", type: 2, valueSize: 4)
        constants.contents = [0, 0, 0, 0]
        constants.variables = [MapDefinition.Variable(name: "schedcp_nr_llcs", type: 0, offset: 0, size: 4)]
        var code = Assembler.make {
            $0.setWide(1, 0)
            $0.emit(0x61, dst: 2, src: 1)
            $0.jump(0x15, 2, 0, over: 1)
            $0.call("scx_bpf_dsq_insert")
            $0.leave(0)
        }
        code.refer(0, .mapValue(map: 0, offset: 0))
        #expect(try check([("tick", code)], maps: [constants]).verdict("kfunc-context") == .refuted)
    }

    @Test func whatNoLoaderSettlesIsReported() throws {
        let result = try check([("exit", empty)]) {
            $0.problems = [ObjectError(.unresolved, "the kernel has no function 'x'")]
        }
        #expect(result.findings("object").map(\.severity) == [.error])
    }

    @Test func whatTheKernelLacksIsTestedFor() throws {
        func code(tested: Bool) -> Assembler {
            var code = Assembler.make {
                $0.setWide(1, 0)
                $0.jump(0x15, 1, 0, over: 1)
                $0.call("scx_bpf_dispatch")
                $0.leave(0)
            }
            let absent = Reference.kernelFunction(name: "scx_bpf_dispatch", typeID: nil, isAvailable: false)
            if tested { code.refer(0, absent) }
            code.refer(3, absent)
            return code
        }
        #expect(try check([("enqueue", code(tested: true))]).verdict("kfunc-context") == .proved)
        #expect(try check([("enqueue", Assembler.make { $0.leave(0) })]).verdict("kfunc-context") == .proved)
        let untested = Assembler.make { $0.leave(0) }
        var calling = Assembler.make {
            $0.call("scx_bpf_dispatch")
            $0.leave(0)
        }
        calling.refer(0, .kernelFunction(name: "scx_bpf_dispatch", typeID: nil, isAvailable: false))
        #expect(try check([("enqueue", calling), ("exit", untested)]).verdict("kfunc-context") == .refuted)
    }

    @Test func onlySomeOperationsSleep() throws {
        let result = try check([("enqueue", empty)]) { $0.functions[0].isSleepable = true }
        #expect(result.verdict("kfunc-context") == .refuted)
        #expect(try check([("init", empty)]).verdict("kfunc-context") == .proved)
    }

    // MARK: maps

    /// Updates map 0 with a key out of the field of the task.
    private func updates(_ field: String) -> (Assembler, FieldAccess) {
        let code = Assembler.make {
            $0.argument(0, into: 6)
            $0.emit(0x61, dst: 7, src: 6, offset: 40)
            $0.emit(0x63, dst: 10, src: 7, offset: -4)
            $0.move(2, 10)
            $0.add(2, -4)
            $0.map(1, 0)
            $0.helper(2)
            $0.leave(0)
        }
        return (code, FieldAccess(structure: "task_struct", path: [field]))
    }

    @Test func tablesByTaskAreEmptied() throws {
        var table = MapDefinition(name: "seen", role: .declared, section: ".maps", type: MapType.hash, maxEntries: 1000)
        let deletes = Assembler.make {
            $0.map(1, 0)
            $0.helper(3)
            $0.leave(0)
        }
        func verdict(_ field: String, _ more: [(String, Assembler)] = []) throws -> CheckOutcome.Verdict? {
            let (code, access) = updates(field)
            return try check([("running", code)] + more, maps: [table]) { $0.functions[0].accesses[1] = access }
                .verdict("growing-map")
        }
        #expect(try verdict("pid") == .refuted)
        #expect(try verdict("prio") == .proved)
        #expect(try verdict("pid", [("exit_task", deletes)]) == .unknown)
        table.type = MapType.lruHash
        #expect(try verdict("pid") == .notApplicable)
        table.type = MapType.hash
        table.maxEntries = 1 << 23
        #expect(try verdict("tgid") == .proved)
    }

    // MARK: capabilities

    private func helper(_ number: Int32, skipped: Bool = false) -> Assembler {
        Assembler.make {
            if skipped { $0.jump(0x15, 1, 7, over: 1) }
            $0.helper(number)
            $0.leave(0)
        }
    }

    @Test(arguments: [112, 36, 109, 6]) func capabilities(number: Int32) throws {
        #expect(try check([("enqueue", helper(number))]).verdict("capabilities") == .refuted)
        #expect(try check([("enqueue", helper(5))]).verdict("capabilities") == .proved)
    }

    @Test func aLineNowAndThenIsPermitted() throws {
        for operations in [[("enqueue", helper(6, skipped: true))], [("exit", helper(6))]] {
            let result = try check(operations)
            #expect(result.verdict("capabilities") == .proved && result.findings.map(\.severity) == [.note])
        }
    }

    @Test func rulesPermitAndDeny() throws {
        var options = AnalysisOptions()
        options.programCapabilities.mayReadUserMemory = true
        options.programCapabilities.helpers.permitted = ["bpf_send_*"]
        options.programCapabilities.helpers.denied = ["bpf_ktime_*"]
        #expect(try check([("enqueue", helper(112))], options: options).verdict("capabilities") == .proved)
        #expect(try check([("enqueue", helper(109))], options: options).verdict("capabilities") == .proved)
        #expect(try check([("enqueue", helper(5))], options: options).verdict("capabilities") == .refuted)
        options.disabled = ["capabilities"]
        let off = try check([("enqueue", helper(5))], options: options)
        #expect(off.verdict("capabilities") == .off && off.findings.isEmpty)
    }

    @Test(arguments: [
        ("*", "anything", true), ("bpf_*_user", "bpf_probe_read_user", true), ("bpf_*_user", "bpf_probe_read", false),
        ("a*b*c", "aXbYbZc", true), ("", "", true), ("", "a", false), ("exact", "exact", true),
        ("exact", "exactly", false),
    ])
    func patterns(pattern: String, name: String, matches: Bool) {
        #expect(ProgramCapabilities.Patterns.matches(pattern, name) == matches)
    }
}
