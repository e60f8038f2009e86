import Testing

@testable import BPFObject

/// The kernel of these tests has the fields elsewhere than the object believes.
@Suite struct CoreTests {
    private let object: BTF
    private let kernel: BTF
    private let task: BTF.TypeID
    private let missing: BTF.TypeID
    private let flags: BTF.TypeID

    init() throws {
        var mine = TypesWriter()
        let u32 = mine.int("u32", bytes: 4)
        let u64 = mine.int("u64", bytes: 8)
        let entity = mine.structure("entity___mine", bytes: 8, [("weight", u32, 0, 0), ("slice", u32, 32, 0)])
        task = mine.structure(
            "task___mine", bytes: 32,
            [("pid", u64, 0, 0), ("scx", entity, 64, 0), ("gone", u32, 128, 0), ("bit", u32, 160, 1)])
        missing = mine.structure("only_here", bytes: 4, [("x", u32, 0, 0)])
        flags = mine.enumeration("flags", [("WAKEUP", 9), ("NEVER", 3)])
        object = try mine.parsed()

        var theirs = TypesWriter()
        let k64 = theirs.int("unsigned long", bytes: 8)
        let k32 = theirs.int("unsigned int", bytes: 4)
        let kEntity = theirs.structure("entity", bytes: 24, [("slice", k64, 0, 0), ("weight", k32, 128, 0)])
        let hidden = theirs.structure("", bytes: 24, union: true, [("scx", kEntity, 0, 0)])
        _ = theirs.structure(
            "task", bytes: 96, [("pid", k32, 40 * 8, 0), ("", hidden, 64 * 8, 0), ("bit", k32, 88 * 8 + 5, 1)])
        _ = theirs.enumeration("flags", [("WAKEUP", 4)])
        kernel = try theirs.parsed()
    }

    private func value(_ kind: RelocationKind, _ type: BTF.TypeID, _ accessor: [Int]) throws -> UInt64? {
        let relocation = CoreRelocation(function: 0, slot: 0, kind: kind, type: type, accessor: accessor)
        let specification = try object.specification(of: relocation)
        var matcher = CoreMatcher(local: object, kernel: kernel)
        for candidate in try matcher.candidates(for: type) {
            if let match = try matcher.match(specification, kind, in: candidate) {
                return kernel.value(of: match, kind)?.value
            }
        }
        return nil
    }

    @Test func fields() throws {
        #expect(try value(.fieldByteOffset, task, [0, 0]) == 40)
        #expect(try value(.fieldByteOffset, task, [0, 1, 0]) == 64 + 16)
        #expect(try value(.fieldByteSize, task, [0, 1, 1]) == 8)
        #expect(try value(.fieldByteOffset, task, [1, 0]) == 96 + 40)
        #expect(try value(.fieldExists, task, [0, 1, 1]) == 1)
        #expect(try value(.fieldExists, task, [0, 2]) == nil)
        #expect(try value(.fieldByteOffset, missing, [0, 0]) == nil)
    }

    @Test func bitFields() throws {
        #expect(try value(.fieldByteOffset, task, [0, 3]) == 88)
        #expect(try value(.fieldByteSize, task, [0, 3]) == 4)
        #expect(try value(.fieldLeftShift, task, [0, 3]) == 64 - 6)
        #expect(try value(.fieldRightShift, task, [0, 3]) == 63)
        #expect(try value(.fieldSigned, task, [0, 3]) == 0)
    }

    @Test func typesAndEnumerators() throws {
        #expect(try value(.typeSize, task, [0]) == 96)
        #expect(try value(.typeExists, missing, [0]) == nil)
        #expect(try value(.typeMatches, task, [0]) == nil)
        #expect(try value(.enumeratorValue, flags, [0]) == 4)
        #expect(try value(.enumeratorExists, flags, [1]) == nil)
    }

    @Test(arguments: [[], [0, 9], [0, 0, 0], [1 << 50, 0], [0, 1, 5]])
    func nonsenseIsAnError(accessor: [Int]) {
        #expect(throws: ObjectError.self) { try value(.fieldByteOffset, task, accessor) }
    }

    @Test func anInstructionGetsTheOffsetAndTheSize() throws {
        var function = Function(
            name: "f", section: "x",
            instructions: [.load(1, from: 1, 0, size: 0x18)] + Instruction.wide(2) + [.move(3, 0)])
        let was = CoreValue(value: 0, access: CoreValue.Access(size: 8, isPointer: false, isUnsigned: true))
        let new = CoreValue(value: 40, access: CoreValue.Access(size: 4, isPointer: false, isUnsigned: true))
        try function.patch(0, .value(new, was: was))
        #expect(function.instructions[0] == .load(1, from: 1, 40, size: 0))
        try function.patch(1, .value(CoreValue(value: 0x1_0000_0002), was: nil))
        #expect(function.instructions[1].immediate == 2 && function.instructions[2].immediate == 1)
        try function.patch(3, .absent)
        #expect(function.poisoned == [3] && function.instructions[3] == Function.poison)
        let far = CoreValue(value: 70_000)
        #expect(throws: ObjectError.self) { try function.patch(0, .value(far, was: nil)) }
    }

    @Test func aSignedFieldThatGrewIsPoisoned() throws {
        var function = Function(name: "f", section: "x", instructions: [.load(1, from: 1, 0, size: 0)])
        let was = CoreValue(value: 0, access: CoreValue.Access(size: 4, isPointer: false, isUnsigned: false))
        let new = CoreValue(value: 8, access: CoreValue.Access(size: 8, isPointer: false, isUnsigned: false))
        try function.patch(0, .value(new, was: was))
        #expect(function.poisoned == [0])
    }
}
