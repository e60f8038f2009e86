@testable import BPFObject

func little(_ value: UInt64, _ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

/// Writes BTF.
struct TypesWriter {
    private var types: [UInt8] = []
    private var strings: [UInt8] = [0]
    private(set) var count: UInt32 = 0

    mutating func text(_ text: String) -> UInt32 {
        guard !text.isEmpty else { return 0 }
        let offset = UInt32(strings.count)
        strings += Array(text.utf8) + [0]
        return offset
    }

    @discardableResult
    mutating func add(
        _ kind: BTF.Kind, _ name: String = "", count: Int = 0, flag: Bool = false, _ sizeOrType: UInt32 = 0,
        payload: [UInt32] = []
    ) -> BTF.TypeID {
        let info = UInt32(kind.rawValue) << 24 | UInt32(count) | (flag ? 1 << 31 : 0)
        for word in [text(name), info, sizeOrType] + payload { types += little(UInt64(word), 4) }
        self.count += 1
        return self.count
    }

    mutating func int(_ name: String, bytes: UInt32, signed: Bool = false) -> BTF.TypeID {
        add(.int, name, bytes, payload: [(signed ? 1 << 24 : 0) | bytes * 8])
    }

    /// Members by name, type and offset in bits; `bits` where one is a bit field.
    mutating func structure(
        _ name: String, bytes: UInt32, union: Bool = false,
        _ members: [(name: String, type: BTF.TypeID, bit: UInt32, bits: UInt32)]
    ) -> BTF.TypeID {
        let flag = members.contains { $0.bits > 0 }
        let payload = members.flatMap { [text($0.name), $0.type, $0.bit | $0.bits << 24] }
        return add(union ? .union : .structure, name, count: members.count, flag: flag, bytes, payload: payload)
    }

    mutating func enumeration(_ name: String, _ values: [(String, UInt32)], signed: Bool = false) -> BTF.TypeID {
        add(
            .enumeration, name, count: values.count, flag: signed, 4, payload: values.flatMap { [text($0.0), $0.1] })
    }

    var bytes: [UInt8] {
        var header: [UInt8] = [0x9F, 0xEB, 1, 0]
        for word in [24, 0, types.count, types.count, strings.count] { header += little(UInt64(word), 4) }
        return header + types + strings
    }

    func parsed() throws -> BTF { try BTF(parsing: bytes) }
}

/// Writes ELF files for BPF. Section 1 is the names of sections, 2 the symbols, 3 the symbols' names.
struct ObjectWriter {
    struct Section {
        var name: String
        var type: UInt32 = 1
        var flags: UInt64 = 2
        var bytes: [UInt8] = []
        var size: Int?
        var link = 0
        var info = 0
    }

    var sections: [Section] = []
    private var symbols: [UInt8] = Array(repeating: 0, count: 24)
    private var symbolCount = 1
    private var symbolNames: [UInt8] = [0]

    mutating func section(_ name: String, type: UInt32 = 1, flags: UInt64 = 2, _ bytes: [UInt8], size: Int? = nil)
        -> Int
    {
        sections.append(Section(name: name, type: type, flags: flags, bytes: bytes, size: size))
        return sections.count + 3
    }

    mutating func code(_ name: String, _ instructions: [Instruction]) -> Int {
        section(
            name, flags: 6,
            instructions.flatMap { one in
                [one.opcode, one.dst | one.src << 4] + little(UInt64(UInt16(bitPattern: one.offset)), 2)
                    + little(UInt64(UInt32(bitPattern: one.immediate)), 4)
            })
    }

    mutating func symbol(
        _ name: String, section: Int, value: Int = 0, size: Int = 0, kind: UInt8 = ELF.Symbol.Kind.function,
        binding: UInt8 = ELF.Symbol.Binding.global
    ) -> Int {
        let offset = symbolNames.count
        symbolNames += Array(name.utf8) + [0]
        symbols += little(UInt64(offset), 4) + [binding << 4 | kind, 0] + little(UInt64(section), 2)
        symbols += little(UInt64(value), 8) + little(UInt64(size), 8)
        symbolCount += 1
        return symbolCount - 1
    }

    mutating func relocations(of target: Int, _ list: [(offset: Int, symbol: Int)]) {
        let bytes = list.flatMap { little(UInt64($0.offset), 8) + little(UInt64($0.symbol) << 32 | 1, 8) }
        sections.append(Section(name: ".rel", type: 9, flags: 0, bytes: bytes, link: 2, info: target))
    }

    var bytes: [UInt8] {
        var names: [UInt8] = [0]
        var all = [
            Section(name: "", type: 0, flags: 0), Section(name: ".shstrtab", type: 3, flags: 0),
            Section(name: ".symtab", type: 2, flags: 0, bytes: symbols, link: 3),
            Section(name: ".strtab", type: 3, flags: 0, bytes: symbolNames),
        ]
        all += sections
        var offsets: [Int] = []
        for section in all {
            offsets.append(names.count)
            names += Array(section.name.utf8) + [0]
        }
        all[1].bytes = names
        var body: [UInt8] = []
        var headers: [UInt8] = []
        for (index, section) in all.enumerated() {
            headers += little(UInt64(offsets[index]), 4) + little(UInt64(section.type), 4) + little(section.flags, 8)
            headers += little(0, 8) + little(UInt64(64 + body.count), 8)
            headers += little(UInt64(section.size ?? section.bytes.count), 8) + little(UInt64(section.link), 4)
            headers += little(UInt64(section.info), 4) + little(1, 8) + little(0, 8)
            body += section.bytes
        }
        var header: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0] + Array(repeating: 0, count: 8)
        header += little(1, 2) + little(247, 2) + little(1, 4) + little(0, 8) + little(0, 8)
        header += little(UInt64(64 + body.count), 8) + little(0, 4) + little(64, 2) + little(0, 2) + little(0, 2)
        header += little(64, 2) + little(UInt64(all.count), 2) + little(1, 2)
        return header + body + headers
    }
}

/// Instructions by name.
extension Instruction {
    static let exit = Instruction(opcode: 0x95)

    static func move(_ register: UInt8, _ value: Int32) -> Instruction {
        Instruction(opcode: 0xB7, dst: register, immediate: value)
    }

    static func load(_ register: UInt8, from base: UInt8, _ offset: Int16, size: UInt8) -> Instruction {
        Instruction(opcode: 0x61 & ~0x18 | size, dst: register, src: base, offset: offset)
    }

    static func wide(_ register: UInt8, _ value: Int32 = 0) -> [Instruction] {
        [Instruction(opcode: 0x18, dst: register, immediate: value), Instruction(opcode: 0)]
    }

    static func call(subprogram distance: Int32) -> Instruction {
        Instruction(opcode: 0x85, src: CallKind.subprogram, immediate: distance)
    }
}
