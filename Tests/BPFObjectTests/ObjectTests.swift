import Testing

@testable import BPFObject

/// Objects made here, so that each test shows all that matters to it.
@Suite struct ObjectTests {
    /// A program that calls a subprogram, loads a global, a map and a callback, and tests for a kernel function.
    private func sample() -> ObjectWriter {
        var types = TypesWriter()
        let u32 = types.int("u32", bytes: 4)
        let two = types.add(.array, payload: [u32, u32, 2])
        let typePointer = types.add(.pointer, "", two)
        let keyPointer = types.add(.pointer, "", u32)
        let timer = types.structure("bpf_timer", bytes: 16, [])
        let value = types.structure("element", bytes: 24, [("count", u32, 0, 0), ("t", timer, 64, 0)])
        let valuePointer = types.add(.pointer, "", value)
        let definition = types.structure(
            "", bytes: 32,
            [
                ("type", typePointer, 0, 0), ("max_entries", typePointer, 64, 0), ("key", keyPointer, 128, 0),
                ("value", valuePointer, 192, 0),
            ])
        let map = types.add(.variable, "table", definition, payload: [1])
        types.add(.dataSection, ".maps", count: 1, 32, payload: [map, 0, 32])
        let global = types.add(.variable, "slice_us", u32, payload: [1])
        let constant = types.add(.variable, "__SCX_DSQ_LOCAL", types.int("u64", bytes: 8), payload: [1])
        types.add(.dataSection, ".rodata", count: 2, 16, payload: [global, 0, 4, constant, 0, 8])
        let prototype = types.add(.prototype, "", count: 1, u32, payload: [0, u32])
        let kernelFunction = types.add(.function, "scx_bpf_now___v9", count: 2, prototype)
        types.add(.dataSection, ".ksyms", count: 1, 0, payload: [kernelFunction, 0, 0])
        types.add(.function, "helper", count: 0, prototype)

        var writer = ObjectWriter()
        let text = writer.code(".text", [.move(0, 1), .exit, .move(0, 2), .exit])
        let program = writer.code(
            "struct_ops.s/go",
            [.call(subprogram: -1)] + Instruction.wide(1) + Instruction.wide(2) + Instruction.wide(3, 16)
                + Instruction.wide(4) + [Instruction(opcode: 0x85, src: 1, immediate: -1), .exit])
        let maps = writer.section(".maps", flags: 3, Array(repeating: 0, count: 32))
        let data = writer.section(".rodata", Array(repeating: 7, count: 16))
        _ = writer.section("license", Array("GPL\0".utf8))
        _ = writer.section(".BTF", flags: 0, types.bytes)
        _ = writer.symbol("helper", section: text, size: 16, binding: 0)
        let second = writer.symbol("second", section: text, value: 16, size: 16)
        _ = writer.symbol("go", section: program, size: 88)
        let textSection = writer.symbol("", section: text, kind: ELF.Symbol.Kind.section, binding: 0)
        let table = writer.symbol("table", section: maps, size: 32, kind: ELF.Symbol.Kind.object)
        let slice = writer.symbol("slice_us", section: data, value: 4, size: 4, kind: ELF.Symbol.Kind.object)
        _ = writer.symbol("__SCX_DSQ_LOCAL", section: data, value: 8, size: 8, kind: ELF.Symbol.Kind.object)
        let now = writer.symbol("scx_bpf_now___v9", section: 0, kind: 0, binding: 2)
        writer.relocations(
            of: program, [(0, second), (8, slice), (24, table), (40, textSection), (56, now), (72, now)])
        return writer
    }

    @Test func referencesSayWhatIsMeant() throws {
        let object = try BPFObject.parse(sample().bytes)
        #expect(object.license == "GPL")
        #expect(object.functions.map(\.name) == ["helper", "second", "go"])
        let go = object.functions[2]
        #expect(go.isProgram && go.isSleepable && go.linkage == .global)
        #expect(object.functions[0].linkage == .static && object.functions[0].argumentCount == 1)
        #expect(go.references[0] == .call(function: 1))
        #expect(go.references[1] == .mapValue(map: 1, offset: 4))
        #expect(go.references[3] == .mapPointer(map: 0))
        #expect(go.references[5] == .functionPointer(function: 1))
        #expect(go.references[7] == .kernelFunction(name: "scx_bpf_now", typeID: nil, isAvailable: false))
        #expect(go.references.count == 6)
    }

    @Test func mapsAreRead() throws {
        let map = try BPFObject.parse(sample().bytes).maps[0]
        #expect(map.name == "table" && map.type == 2 && map.maxEntries == 2 && map.keySize == 4 && map.valueSize == 24)
        #expect(map.specialFields == [MapDefinition.SpecialField(kind: .timer, offset: 8, path: "t")])
    }

    @Test func constantsAndParametersAreFilled() throws {
        var kernel = TypesWriter()
        let name = kernel.text("SCX_DSQ_LOCAL")
        kernel.add(.enumeration64, "scx_dsq_id_flags", count: 1, 8, payload: [name, 2, 0x8000_0000])
        let settings = LoadSettings(parameters: ["slice_us": [1, 2, 0, 0], "none": [1]])
        let object = try BPFObject.parse(sample().bytes).resolve(kernel: kernel.parsed(), settings: settings)
        let data = object.maps[1]
        #expect(data.contents[4..<8] == [1, 2, 0, 0])
        #expect(data.contents.number(at: 8, size: 8) == 0x8000_0000_0000_0002)
        #expect(data.isFrozen && data.contents[0] == 7)
        #expect(object.problems.map(\.message) == ["the object has no parameter 'none' of 1 bytes"])
    }

    @Test func aWeakFunctionIsThereOrNot() throws {
        var kernel = TypesWriter()
        let int = kernel.int("long", bytes: 8)
        let prototype = kernel.add(.prototype, "", count: 1, int, payload: [0, int])
        let function = kernel.add(.function, "scx_bpf_now", count: 0, prototype)
        let compiled = try BPFObject.parse(sample().bytes)
        let found = try compiled.resolve(kernel: kernel.parsed()).functions[2]
        #expect(found.references[9] == .kernelFunction(name: "scx_bpf_now", typeID: function, isAvailable: true))
        #expect(found.instructions[9].immediate == Int32(function) && found.instructions[7].src == 3)
        let absent = try compiled.resolve(kernel: .empty).functions[2]
        #expect(absent.references[9] == .kernelFunction(name: "scx_bpf_now", typeID: nil, isAvailable: false))
        #expect(absent.instructions[7].src == 0 && absent.instructions[7].immediate == 0)
        // One that takes something else is another function.
        var other = TypesWriter()
        let few = other.add(.prototype, "", 0)
        other.add(.function, "scx_bpf_now", few)
        #expect(try compiled.resolve(kernel: other.parsed()).functions[2].references[9] == absent.references[9])
    }

    @Test func sectionsMayNotShareBytes() throws {
        var writer = sample()
        writer.sections[3].size = writer.bytes.count - 64 - writer.sections[3].bytes.count
        #expect(throws: ObjectError.self) { try BPFObject.parse(writer.bytes) }
    }

    @Test(arguments: [1 << 26, 1 << 32, 1 << 62]) func forgedSizesAreErrors(size: Int) {
        for index in sample().sections.indices {
            var writer = sample()
            writer.sections[index].size = size
            #expect(throws: ObjectError.self) { try BPFObject.parse(writer.bytes) }
        }
        var empty = ObjectWriter()
        _ = empty.section(".bss", type: 8, flags: 3, [], size: size)
        #expect(throws: ObjectError.self) { try BPFObject.parse(empty.bytes) }
    }

    @Test func aFunctionOutsideItsSectionIsAnError() {
        var writer = sample()
        _ = writer.symbol("beyond", section: 4, value: 24, size: 16)
        #expect(throws: ObjectError.self) { try BPFObject.parse(writer.bytes) }
    }

    @Test func otherFilesAreNoObjects() {
        for bytes in [[], Array("#!/bin/sh\n".utf8), Array(repeating: 0x7F, count: 4096)] as [[UInt8]] {
            #expect(throws: ObjectError(.notAnObject, "this is no ELF file")) { try BPFObject.parse(bytes) }
        }
        var machine = sample().bytes
        machine[18] = 62
        #expect(throws: ObjectError.self) { try BPFObject.parse(machine) }
    }
}
