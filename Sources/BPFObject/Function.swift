package import Model

/// What an instruction refers to, beyond its own bits. Keyed by slot in `Function.references`.
package enum Reference: Hashable, Sendable {
    /// A wide load of a map's address. `map` indexes the object's maps.
    case mapPointer(map: Int)
    /// A wide load of the address of a byte in an array map's only value: a global variable.
    case mapValue(map: Int, offset: Int)
    /// A wide load of a subprogram's address: a callback. `function` indexes the object's functions.
    case functionPointer(function: Int)
    /// A call of a subprogram.
    case call(function: Int)
    /// A call of a kernel function, or (on a wide load) the test whether it exists: then the load gives a value that is
    /// not 0 exactly when `isAvailable`. `name` is the kernel's name, without a flavour. `typeID` is that of the FUNC in
    /// the kernel's BTF. A call of one that is not available is never reached in a program that the kernel accepts.
    case kernelFunction(name: String, typeID: BTF.TypeID?, isAvailable: Bool)
    /// A wide load of the address of a kernel variable; 0 where it is not available.
    case kernelSymbol(name: String, typeID: BTF.TypeID?, isAvailable: Bool)
}

/// A field that an instruction touches, as the compiler recorded it for relocation.
package struct FieldAccess: Hashable, Sendable {
    /// The kernel's name of the structure, without a flavour: `task_struct`.
    package var structure: String
    /// From there to the field: `["scx", "dsq_vtime"]`; an element of an array is its index.
    package var path: [String]
    /// Bytes from the structure's start, in the target kernel; nil where the field does not exist there.
    package var byteOffset: Int?
    /// Bytes of the field in the target kernel; nil where unknown.
    package var byteSize: Int?
    package var kind: RelocationKind

    package init(
        structure: String, path: [String], byteOffset: Int? = nil, byteSize: Int? = nil,
        kind: RelocationKind = .fieldByteOffset
    ) {
        self.structure = structure
        self.path = path
        self.byteOffset = byteOffset
        self.byteSize = byteSize
        self.kind = kind
    }

    /// `task_struct.scx.dsq_vtime`
    package var description: String { ([structure] + path).joined(separator: ".") }
}

/// What a CO-RE relocation asks of the kernel's types.
package enum RelocationKind: UInt32, CaseIterable, Sendable {
    case fieldByteOffset = 0
    case fieldByteSize = 1
    case fieldExists = 2
    case fieldSigned = 3
    case fieldLeftShift = 4
    case fieldRightShift = 5
    case typeIDLocal = 6
    case typeIDTarget = 7
    case typeExists = 8
    case typeSize = 9
    case enumeratorExists = 10
    case enumeratorValue = 11
    case typeMatches = 12
}

/// A program or a subprogram.
package struct Function: Sendable {
    package enum Linkage: UInt16, Sendable { case `static`, global, extern }

    package var name: String
    /// The ELF section, such as `struct_ops/fifo_enqueue` or `.text`.
    package var section: String
    /// All slots; after `resolve` with what the kernel decides written into them. Jumps stay inside the function; a
    /// call of a subprogram keeps the compiler's immediate, so go by `references`.
    package var instructions: [Instruction]
    /// By the slot of the instruction (the first of two for a wide load).
    package var references: [Int: Reference]
    /// By slot; only for relocations of fields.
    package var accesses: [Int: FieldAccess]
    /// Slots whose relocation failed. The kernel refuses a program that can reach one.
    package var poisoned: Set<Int>
    /// Where the lines begin, by ascending slot: a line holds until the next begins.
    package var lines: [LineStart]
    /// The FUNC type in the object's BTF; nil where there is none.
    package var typeID: BTF.TypeID?
    /// Parameters of the function as the object's BTF says; 1 (the context) for a program.
    package var argumentCount: Int
    package var linkage: Linkage
    /// A program: not in `.text`, entered by the kernel.
    package var isProgram: Bool
    /// In a section `struct_ops.s/…` or another sleepable kind.
    package var isSleepable: Bool
    /// The members of the operations table that it implements, such as `enqueue`; usually one, empty for subprograms.
    package var operations: [String]

    package struct LineStart: Hashable, Sendable {
        package var slot: Int
        package var location: SourceLocation

        package init(slot: Int, location: SourceLocation) {
            self.slot = slot
            self.location = location
        }
    }

    package init(
        name: String, section: String, instructions: [Instruction], references: [Int: Reference] = [:],
        accesses: [Int: FieldAccess] = [:], poisoned: Set<Int> = [], lines: [LineStart] = [],
        typeID: BTF.TypeID? = nil, argumentCount: Int = 1, linkage: Linkage = .global, isProgram: Bool = false,
        isSleepable: Bool = false, operations: [String] = []
    ) {
        self.name = name
        self.section = section
        self.instructions = instructions
        self.references = references
        self.accesses = accesses
        self.poisoned = poisoned
        self.lines = lines
        self.typeID = typeID
        self.argumentCount = argumentCount
        self.linkage = linkage
        self.isProgram = isProgram
        self.isSleepable = isSleepable
        self.operations = operations
    }

    /// The source line that a slot was compiled from.
    package func location(at slot: Int) -> SourceLocation? {
        var low = 0
        var high = lines.count
        while low < high {
            let middle = (low + high) / 2
            if lines[middle].slot <= slot { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : lines[low - 1].location
    }
}
