/// Writes an answer into an instruction.
extension Function {
    enum Answer {
        /// What the object has now, and what it should have.
        case value(CoreValue, was: CoreValue?)
        /// The kernel does not have it: only a program that never gets there is accepted.
        case absent
    }

    /// The call that a loader puts in the place of what must not be reached: of a helper that does not exist.
    static let poison = Instruction(opcode: 0x85, immediate: 0x0BAD_2310)

    mutating func patch(_ slot: Int, _ answer: Answer) throws(ObjectError) {
        let instruction = instructions[slot]
        guard case .value(let new, let old) = answer else { return poison(slot) }
        switch instruction.instructionClass {
        case 0x04, 0x07:
            guard instruction.opcode & 0x08 == 0, let narrow = Self.immediate(new.value) else {
                throw ObjectError(.malformed, "a CO-RE relocation of '\(name)' does not fit its instruction")
            }
            instructions[slot].immediate = narrow
        case 0x01, 0x02, 0x03:
            guard let offset = Int16(exactly: new.value) else {
                throw ObjectError(.unsupported, "a field that '\(name)' uses is further away than an offset can say")
            }
            instructions[slot].offset = offset
            resize(slot, from: old?.access, to: new.access)
        case 0x00 where instruction.isWideLoad && slot + 1 < instructions.count:
            instructions[slot].immediate = Int32(truncatingIfNeeded: new.value)
            instructions[slot + 1].immediate = Int32(truncatingIfNeeded: new.value >> 32)
        default:
            throw ObjectError(
                .unsupported, "a CO-RE relocation of '\(name)' is on an instruction \(instruction.opcode)")
        }
    }

    /// As 32 bits that extend to the value, or hold all of it.
    private static func immediate(_ value: UInt64) -> Int32? {
        Int32(exactly: Int64(bitPattern: value)) ?? UInt32(exactly: value).map { Int32(bitPattern: $0) }
    }

    private mutating func poison(_ slot: Int) {
        let isWide = instructions[slot].isWideLoad
        poisoned.insert(slot)
        instructions[slot] = Self.poison
        if isWide, slot + 1 < instructions.count {
            poisoned.insert(slot + 1)
            instructions[slot + 1] = Self.poison
        }
    }

    /// A field that grew or shrank is loaded with its new size, where that cannot change its meaning.
    private mutating func resize(_ slot: Int, from old: CoreValue.Access?, to new: CoreValue.Access?) {
        guard let old, let new, old.size != new.size else { return }
        let sizes: [Int: UInt8] = [1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18]
        let isSafe = old.isPointer && new.isPointer || old.isUnsigned && new.isUnsigned
        guard isSafe, let bits = sizes[new.size], let present = sizes[old.size],
            instructions[slot].opcode & 0x18 == present
        else { return poison(slot) }
        instructions[slot].opcode = instructions[slot].opcode & ~0x18 | bits
    }
}
