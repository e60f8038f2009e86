/// An object as it was read: nothing that depends on a kernel is decided yet.
package struct CompiledObject: Sendable {
    package var license: String
    package var btf: BTF
    package var functions: [Function]
    package var maps: [MapDefinition]
    package var tables: [OperationsTable]
    package var relocations: [CoreRelocation]

    package init(license: String, btf: BTF) {
        self.license = license
        self.btf = btf
        functions = []
        maps = []
        tables = []
        relocations = []
    }
}

/// A struct_ops variable: which function is which operation, and the values of the other members.
package struct OperationsTable: Sendable {
    /// The variable's name, also the map's.
    package var name: String
    /// The kernel's type, such as `sched_ext_ops`.
    package var type: String
    /// Attached by a link, and so ended with it.
    package var isLinked: Bool
    /// Indexes the object's maps.
    package var map: Int
    /// Member to function.
    package var functions: [String: Int]
    /// Members that are whole numbers, such as `flags` and `timeout_ms`, as their bits.
    package var numbers: [String: UInt64]
    /// Members that are arrays of characters, such as `name`.
    package var strings: [String: String]

    package init(
        name: String, type: String, isLinked: Bool, map: Int, functions: [String: Int] = [:],
        numbers: [String: UInt64] = [:], strings: [String: String] = [:]
    ) {
        self.name = name
        self.type = type
        self.isLinked = isLinked
        self.map = map
        self.functions = functions
        self.numbers = numbers
        self.strings = strings
    }
}

/// A relocation of BTF.ext: what an instruction wants to know of the kernel's types.
package struct CoreRelocation: Hashable, Sendable {
    package var function: Int
    package var slot: Int
    package var kind: RelocationKind
    /// In the object's BTF.
    package var type: BTF.TypeID
    /// The indexes from the type to what is meant, such as `[0, 3, 1]`.
    package var accessor: [Int]
}
