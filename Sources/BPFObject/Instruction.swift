/// One 8-byte slot of a BPF program. The 16-byte load of a 64-bit immediate takes two slots, the second of which has
/// opcode 0 and holds the upper half.
package struct Instruction: Hashable, Sendable {
    package var opcode: UInt8
    /// The destination register, 0…15 as encoded; only 0…10 exist.
    package var dst: UInt8
    /// The source register, or the pseudo kind of a call or a 64-bit load.
    package var src: UInt8
    package var offset: Int16
    package var immediate: Int32

    package init(opcode: UInt8, dst: UInt8 = 0, src: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0) {
        self.opcode = opcode
        self.dst = dst
        self.src = src
        self.offset = offset
        self.immediate = immediate
    }

    /// The low three bits: which family of operations.
    package var instructionClass: UInt8 { opcode & 0x07 }
    /// Loads 64 bits from this slot and the next.
    package var isWideLoad: Bool { opcode == 0x18 }
    /// A call of a helper, a subprogram or a kernel function.
    package var isCall: Bool { opcode == 0x85 }
    package var isExit: Bool { opcode == 0x95 }

    /// What `src` says of a call.
    package enum CallKind {
        package static let helper: UInt8 = 0
        package static let subprogram: UInt8 = 1
        package static let kernelFunction: UInt8 = 2
    }

    /// What `src` says of a wide load.
    package enum LoadKind {
        package static let constant: UInt8 = 0
        package static let map: UInt8 = 1
        package static let mapValue: UInt8 = 2
        package static let kernelSymbol: UInt8 = 3
        package static let function: UInt8 = 4
    }
}
