/// A map that the object declares, or that a loader makes for one of its data sections.
package struct MapDefinition: Sendable {
    package enum Role: String, Sendable {
        /// In `.maps`.
        case declared
        /// A data section: an array map of one value, the section's bytes.
        case readOnlyData, data, zeroed
        /// The kernel's configuration, frozen before load.
        case configuration
        /// An operations table; `link` where it is attached by a link.
        case operations
    }

    /// A global variable in a data section, or a field with a name in a table.
    package struct Variable: Hashable, Sendable {
        package var name: String
        /// In the object's BTF.
        package var type: BTF.TypeID
        package var offset: Int
        package var size: Int

        package init(name: String, type: BTF.TypeID, offset: Int, size: Int) {
            self.name = name
            self.type = type
            self.offset = offset
            self.size = size
        }
    }

    /// Something in a map's value that the kernel treats apart.
    package struct SpecialField: Hashable, Sendable {
        package enum Kind: String, CaseIterable, Sendable {
            case timer, workqueue, taskWork, spinLock, resilientSpinLock, pointer, untrustedPointer, perCPUPointer,
                userPointer
            case listHead, listNode, treeRoot, treeNode, referenceCount
        }

        package var kind: Kind
        /// Bytes from the value's start.
        package var offset: Int
        /// The members that lead to it, such as `node.timer`.
        package var path: String
        /// Of a pointer or a container: the name of the type it points to or contains; empty otherwise.
        package var target: String

        package init(kind: Kind, offset: Int, path: String, target: String = "") {
            self.kind = kind
            self.offset = offset
            self.path = path
            self.target = target
        }
    }

    package var name: String
    package var role: Role
    /// The ELF section, such as `.maps`, `.data.uei_dump`, `.struct_ops.link`.
    package var section: String
    /// `BPF_MAP_TYPE_…`
    package var type: UInt32
    package var keySize: Int
    package var valueSize: Int
    /// 0 where user space decides, or the number of CPUs does.
    package var maxEntries: Int
    /// `BPF_F_…` of creation.
    package var flags: UInt32
    package var mapExtra: UInt64
    /// In the object's BTF; nil where only sizes are given.
    package var keyType: BTF.TypeID?
    package var valueType: BTF.TypeID?
    /// The kind of map that an array or hash of maps holds: none or one element.
    package var inner: [MapDefinition]
    /// What the slots of an array of maps or of programs hold at load, by index: names of maps or functions.
    package var initialSlots: [Int: String]
    /// Kept in the BPF file system under its name.
    package var isPinned: Bool
    /// The initial bytes of a data section or a table; after `resolve` with parameters and enumerators in them.
    package var contents: [UInt8]
    /// Whether `contents` is what the map will hold; not where the kernel's configuration is not known.
    package var isKnown: Bool
    package var variables: [Variable]
    package var specialFields: [SpecialField]

    package init(
        name: String, role: Role, section: String, type: UInt32, keySize: Int = 0, valueSize: Int = 0,
        maxEntries: Int = 0, flags: UInt32 = 0
    ) {
        self.name = name
        self.role = role
        self.section = section
        self.type = type
        self.keySize = keySize
        self.valueSize = valueSize
        self.maxEntries = maxEntries
        self.flags = flags
        mapExtra = 0
        keyType = nil
        valueType = nil
        inner = []
        initialSlots = [:]
        isPinned = false
        contents = []
        isKnown = true
        variables = []
        specialFields = []
    }

    /// Its bytes never change once it is loaded, so that branches on them are decided.
    package var isFrozen: Bool { (role == .readOnlyData || role == .configuration) && isKnown }

    package func variable(named name: String) -> Variable? { variables.first { $0.name == name } }
}

/// The kinds of maps that have a meaning here.
package enum MapType {
    package static let hash: UInt32 = 1
    package static let array: UInt32 = 2
    package static let programArray: UInt32 = 3
    package static let perfEventArray: UInt32 = 4
    package static let perCPUHash: UInt32 = 5
    package static let perCPUArray: UInt32 = 6
    package static let stackTrace: UInt32 = 7
    package static let cgroupArray: UInt32 = 8
    package static let lruHash: UInt32 = 9
    package static let lruPerCPUHash: UInt32 = 10
    package static let longestPrefixTrie: UInt32 = 11
    package static let arrayOfMaps: UInt32 = 12
    package static let hashOfMaps: UInt32 = 13
    package static let queue: UInt32 = 22
    package static let stack: UInt32 = 23
    package static let structOps: UInt32 = 26
    package static let ringBuffer: UInt32 = 27
    package static let taskStorage: UInt32 = 29
    package static let bloomFilter: UInt32 = 30
    package static let userRingBuffer: UInt32 = 31
    package static let cgroupStorage: UInt32 = 32
    package static let arena: UInt32 = 33
}
