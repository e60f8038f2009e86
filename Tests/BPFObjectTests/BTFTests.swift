import Testing

@testable import BPFObject

@Suite struct BTFTests {
    @Test(arguments: [
        ("task_struct___old", "task_struct"), ("scx_bpf_dsq_insert___v2___v619", "scx_bpf_dsq_insert___v2"),
        ("a_____b", "a_____b"), ("___x", "___x"), ("x___", "x___"), ("plain", "plain"), ("", ""),
    ])
    func flavours(name: String, essential: String) {
        #expect(Flavour.essential(name) == essential)
    }

    @Test func typesAreFoundByName() throws {
        var writer = TypesWriter()
        let int = writer.int("int", bytes: 4, signed: true)
        let first = writer.structure("task", bytes: 4, [("a", int, 0, 0)])
        let second = writer.structure("task___old", bytes: 4, [("a", int, 0, 0)])
        let typedef = writer.add(.typedef, "task", first)
        let btf = try writer.parsed()
        #expect(btf.typeCount == 4)
        #expect(btf.ids(named: "task") == [first, typedef])
        #expect(btf.id(named: "task", .typedef) == typedef)
        #expect(btf.id(named: "task___old", .structure) == second)
        #expect(btf.ids(essentially: Array("task".utf8)[...]) == [first, second, typedef])
        #expect(btf.id(named: "nothing", .structure) == nil)
        #expect(btf.kind(99) == .void && btf.name(99).isEmpty)
    }

    @Test func structures() throws {
        var writer = TypesWriter()
        let u32 = writer.int("u32", bytes: 4)
        let u64 = writer.int("u64", bytes: 8)
        let list = writer.add(.array, payload: [u32, u32, 3])
        let inner = writer.structure("", bytes: 16, [("x", u64, 0, 0), ("list", list, 64, 0)])
        let outer = writer.structure(
            "outer", bytes: 24, [("low", u32, 0, 3), ("high", u32, 3, 29), ("", inner, 64, 0)])
        let alias = writer.add(.typedef, "outer_t", outer)
        let constant = writer.add(.const, "", alias)
        let pointer = writer.add(.pointer, "", constant)
        let btf = try writer.parsed()
        #expect(btf.members(of: outer).map(\.bitfieldSize) == [3, 29, 0])
        #expect(btf.members(of: outer).map(\.byteOffset) == [0, 0, 8])
        #expect(btf.resolve(constant) == outer && btf.pointee(of: pointer) == outer)
        #expect(btf.size(of: constant) == 24 && btf.size(of: pointer) == 8 && btf.size(of: list) == 12)
        #expect(btf.path(in: alias, toByte: 20).path == ["list", "1"])
        #expect(btf.path(in: alias, toByte: 8).path == ["x"])
        #expect(btf.describe(pointer) == "const outer_t *")
    }

    @Test func enumeratorsKeepTheirSign() throws {
        var writer = TypesWriter()
        _ = writer.enumeration("small", [("MINUS", UInt32.max), ("ONE", 1)], signed: true)
        _ = writer.enumeration("large", [("ALL", UInt32.max)])
        let name = writer.text("LOCAL")
        writer.add(.enumeration64, "ids", count: 1, 8, payload: [name, 2, 0x8000_0000])
        let btf = try writer.parsed()
        #expect(btf.enumerator(named: "MINUS") == UInt64.max)
        #expect(btf.enumerator(named: "ALL") == 0xFFFF_FFFF)
        #expect(btf.enumerator(named: "LOCAL") == 0x8000_0000_0000_0002)
        #expect(btf.enumerator(named: "NONE") == nil)
    }

    @Test func circlesEnd() throws {
        var writer = TypesWriter()
        let one = writer.add(.typedef, "a", 2)
        let two = writer.add(.const, "", one)
        let list = writer.add(.array, payload: [3, 1, 2])
        let pointer = writer.add(.pointer, "", 4)
        let btf = try writer.parsed()
        #expect(btf.resolve(two) == 0 && btf.size(of: two) == nil && btf.size(of: list) == nil)
        #expect(btf.describe(pointer).contains("…"))
        #expect(btf.path(in: list, toByte: 0).path.count <= BPFObject.Limit.typeDepth)
    }

    @Test func badBytesAreErrors() throws {
        var writer = TypesWriter()
        _ = writer.structure("s", bytes: 4, [("a", 7, 0, 0)])
        #expect(throws: ObjectError(.malformed, "BTF's type 1 refers to a type that does not exist")) {
            try writer.parsed()
        }
        var fine = TypesWriter()
        _ = fine.int("int", bytes: 4)
        let bytes = fine.bytes
        for length in 0..<bytes.count {
            #expect(throws: ObjectError.self) { try BTF(parsing: Array(bytes[..<length])) }
        }
        var forged = bytes
        forged.replaceSubrange(12..<16, with: little(0xFFFF_FFF0, 4))
        #expect(throws: ObjectError.self) { try BTF(parsing: forged) }
    }
}
