import FoundationEssentials
import Model
import Testing

@testable import BPFObject

/// The objects that scripts/build-bpf makes before the tests run.
enum Shipped {
    static func object(_ name: String) throws -> [UInt8] {
        var root = #filePath
        for _ in 0..<3 { root = String(root[..<(root.lastIndex(of: "/") ?? root.startIndex)]) }
        let path = "\(root)/.build/bpf/\(name).bpf.o"
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw ObjectError(.unresolved, "\(path) is not there: run scripts/build-bpf")
        }
        return Array(bytes)
    }
}

@Suite struct ShippedObjectTests {
    @Test func fifo() throws {
        let object = try BPFObject.parse(Shipped.object("fifo"))
        #expect(object.license == "GPL")
        let table = try #require(object.tables.first)
        #expect(table.type == "sched_ext_ops" && table.isLinked && table.strings["name"] == "fifo")
        let wanted: Set = ["select_cpu", "enqueue", "dispatch", "cpu_online", "cpu_offline", "init", "exit"]
        #expect(Set(table.functions.keys) == wanted)
        let enqueue = object.functions[try #require(table.functions["enqueue"])]
        #expect(enqueue.name == "fifo_enqueue" && enqueue.operations == ["enqueue"] && !enqueue.isSleepable)
        #expect(object.functions[try #require(table.functions["init"])].isSleepable)
        let turns = try #require(object.maps.first { $0.name == "turns" })
        #expect(turns.type == MapType.perCPUArray && turns.keySize == 4 && turns.valueSize == 8)
        let constants = try #require(object.maps.first { $0.section == ".rodata" })
        let slice = try #require(constants.variable(named: "slice_us"))
        #expect(constants.contents.number(at: slice.offset, size: slice.size) == 20_000)
        let line = try #require(enqueue.lines.last).location
        #expect(line.file.hasSuffix(".h") || line.file.hasSuffix("fifo.bpf.c"))
        #expect(enqueue.lines.contains { $0.location.text.contains("fifo_enqueue") && $0.location.line > 0 })
    }

    /// Against its own types every field is where the object has it already.
    @Test(arguments: ["fifo", "ljf", "vtime", "fixtures/stall", "fixtures/convention"])
    func resolvingAgainstItselfChangesNoInstruction(name: String) throws {
        let compiled = try BPFObject.parse(Shipped.object(name))
        let object = try compiled.resolve(kernel: compiled.btf)
        for (before, after) in zip(compiled.functions, object.functions) {
            #expect(after.poisoned.isEmpty)
            for slot in before.instructions.indices where after.references[slot] == nil {
                // The second half of a reference's load may change too.
                if slot > 0, after.references[slot - 1] != nil { continue }
                #expect(before.instructions[slot] == after.instructions[slot])
            }
        }
        #expect(
            compiled.relocations.allSatisfy { object.functions[$0.function].instructions.indices.contains($0.slot) })
    }

    @Test func aTunableIsSetLikeAParameter() throws {
        let compiled = try BPFObject.parse(Shipped.object("srpt"))
        var settings = LoadSettings()
        settings.parameters = ["max_wait_ms": [1, 2, 0, 0]]
        let object = try compiled.resolve(kernel: compiled.btf, settings: settings)
        let tunables = try #require(object.maps.first { $0.section == ".data.tunables" })
        let wait = try #require(tunables.variable(named: "max_wait_ms"))
        #expect(tunables.contents.number(at: wait.offset, size: wait.size) == 513)
    }

    @Test func fieldsHaveNames() throws {
        let compiled = try BPFObject.parse(Shipped.object("vtime"))
        let object = try compiled.resolve(kernel: compiled.btf)
        let names = Set(object.functions.flatMap { $0.accesses.values.map(\.description) })
        #expect(names.contains("task_struct.scx.dsq_vtime") && names.contains("task_struct.cpus_ptr"))
    }
}
