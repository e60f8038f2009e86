// BPFObject: reads compiled BPF objects as a loader would, and touches no kernel: ELF, BTF, BTF.ext, maps, relocations.
//
// Who runs it: the static stage of verification, in an unprivileged process, on bytes that may be hostile. So every
// size, count, offset and depth is checked, work is bounded by the size of the input, and whatever is wrong is an
// ObjectError. It holds no state and no locks: values in, values out. It never traps and uses no unsafe memory.
//
// The order of use: `BPFObject.parse` makes a `CompiledObject`, `CompiledObject.resolve` settles everything that depends
// on the target kernel and on the parameters, and gives a `ResolvedObject`.

package enum BPFObject {
    /// What no object may exceed. A scheduler of a thousand lines is about 200 KiB.
    package enum Limit {
        package static let objectBytes = 32 << 20
        package static let btfBytes = 64 << 20
        package static let sections = 8192
        package static let symbols = 262_144
        package static let maps = 1024
        package static let functions = 8192
        /// Of all functions together; the kernel's own limit for one program.
        package static let instructions = 1_000_000
        /// Bytes of all maps' initial contents together.
        package static let mapContents = 64 << 20
        package static let nameLength = 512
        /// Entries of one bucket of an index of names that are looked at.
        package static let sameName = 4096
        /// Of `.maps`, and of a section of tables.
        package static let declarationBytes = 1 << 20
        package static let mapMembers = 64
        package static let tableMembers = 1024
        /// How far types refer to types before we stop following them.
        package static let typeDepth = 32
    }

    /// Reads an object. What depends on a kernel is left open.
    ///
    /// - Throws: `ObjectError` when the bytes are not a BPF object that can be understood.
    package static func parse(_ bytes: [UInt8]) throws(ObjectError) -> CompiledObject {
        var builder = try ObjectBuilder(bytes)
        try builder.findFunctions()
        try builder.findExterns()
        try builder.findMaps()
        try builder.relocate()
        try builder.annotate()
        try builder.findTables()
        return builder.object
    }
}
