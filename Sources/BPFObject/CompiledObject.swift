/// An object as it was read: nothing that depends on a kernel is decided yet.
package struct CompiledObject: Sendable {
    package var license: String
    package var btf: BTF
    package var functions: [Function]
    package var maps: [MapDefinition]
    package var tables: [OperationsTable]
    package var relocations: [CoreRelocation]
    /// What the object expects the kernel, or its configuration, to define.
    package var externs: [Extern]
    /// By function and slot: the extern that an instruction means.
    var externUses: [Int: [Int: Int]]

    package init(license: String, btf: BTF) {
        self.license = license
        self.btf = btf
        functions = []
        maps = []
        tables = []
        relocations = []
        externs = []
        externUses = [:]
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

    /// The kernel's type for schedulers that number CPUs by their place in the topology (cids), from Linux 7.3 on.
    package static let placesType = "sched_ext_ops_cid"

    /// A scheduler's, in either form.
    package var isScheduler: Bool { type == "sched_ext_ops" || countsPlaces }
    /// What its operations are given, and answer, are cids and no CPU numbers.
    package var countsPlaces: Bool { type == Self.placesType }

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

/// A symbol that is defined outside of the object.
package struct Extern: Hashable, Sendable {
    package enum Kind: String, Sendable { case kernelFunction, kernelVariable, configuration }

    /// As the object has it, flavour and all.
    package var name: String
    package var kind: Kind
    /// May be absent.
    package var isWeak: Bool
    /// The FUNC or VAR in the object's BTF.
    package var type: BTF.TypeID
    /// Of a configuration variable: where it is in the map of them.
    package var offset = 0

    /// The name that the kernel knows.
    package var kernelName: String { Flavour.essential(name) }
}
