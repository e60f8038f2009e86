import BPFObject

extension Interpreter {
    /// Memory that cannot overlap with that of another kind.
    enum Region: Hashable {
        case frame(Int), section(Int), mapValue(Int), own(TermID), other

        /// Other CPUs and user space write there too.
        var isShared: Bool {
            switch self {
            case .frame, .own: false
            default: true
            }
        }
    }

    func region(of base: TermID) -> Region {
        let root = terms.root(base)
        return switch terms[root].nature {
        case .frame(let depth): .frame(depth)
        case .section(let map): .section(map)
        case .mapValue(let map): .mapValue(map)
        case .own: .own(root)
        default: .other
        }
    }

    func place(_ address: TermID, _ offset: Int64) -> (base: TermID, offset: Int64) {
        let (base, distance) = terms.split(address)
        return (base, Int64(bitPattern: distance) &+ offset)
    }

    static func size(_ opcode: UInt8) -> Int {
        switch opcode & 0x18 {
        case 0x00: 4
        case 0x08: 2
        case 0x10: 1
        default: 8
        }
    }

    func load(_ instruction: Instruction) {
        let size = Self.size(instruction.opcode)
        let address = register(instruction.src)
        noteAccess(address)
        var value = read(address, Int64(instruction.offset), size)
        if instruction.opcode & 0xE0 == 0x80, size < 8 { value = terms.signExtended(value, size * 8) }
        setRegister(instruction.dst, value)
    }

    func store(_ instruction: Instruction) {
        let size = Self.size(instruction.opcode)
        let address = register(instruction.dst)
        noteAccess(address)
        let isRegister = instruction.opcode & 0x07 == 0x03
        if isRegister, instruction.opcode & 0xE0 == 0xC0 {
            atomic(instruction, address, size)
            return
        }
        let value =
            isRegister
            ? register(instruction.src) : terms.constant(UInt64(bitPattern: Int64(instruction.immediate)))
        write(address, Int64(instruction.offset), size, narrowed(value, size))
    }

    private func narrowed(_ value: TermID, _ size: Int) -> TermID {
        if size == 8 { return value }
        let mask = (UInt64(1) << UInt64(size * 8)) - 1
        return combined(.and, value, terms.constant(mask), false)
    }

    private func atomic(_ instruction: Instruction, _ address: TermID, _ size: Int) {
        let offset = Int64(instruction.offset)
        switch instruction.immediate {
        case 0x100: setRegister(instruction.dst, read(register(instruction.src), offset, size))
        case 0x110: write(address, offset, size, register(instruction.src))
        default:
            let old = unknown(size == 8 ? .any : .range(0, (1 << UInt64(size * 8)) - 1))
            let given = register(instruction.src)
            if instruction.immediate == 0xF1 {
                setRegister(0, old)
            } else if instruction.immediate & 1 == 1 {
                setRegister(instruction.src, old)
            }
            if instruction.immediate == 0xE1 {
                write(address, offset, size, narrowed(given, size))
            } else {
                let (base, at) = place(address, offset)
                noteStore(base, at, size, given, isWhole: false)
                forget(base, at, size)
            }
        }
    }

    /// What is at an address: what the path has put there or seen there, or a new input.
    func read(_ address: TermID, _ distance: Int64, _ size: Int) -> TermID {
        let (base, offset) = place(address, distance)
        switch terms[base].nature {
        case .context:
            if terms.root(base) == base, offset >= 0, offset % 8 == 0, entry.kind == .operation {
                let place = Int(offset / 8)
                if arguments.indices.contains(place) { return arguments[place] }
            }
        case .section(let map):
            if terms.root(base) == base, let value = program.frozenBytes(map: map, offset: offset, size: size) {
                return terms.constant(value)
            }
        default: break
        }
        if let index = state.cells.firstIndex(where: { $0.base == base && $0.offset == offset && $0.size == size }) {
            let cell = state.cells[index]
            return cell.isStale ? readAgain(index) : cell.value
        }
        if let part = readPart(base, offset, size) { return part }
        let version = state.rounds[Self.versionKey(base, offset)] ?? 0
        let value = terms.input(
            .load(base: base, offset: offset, size: size, version: version), loadBounds(base, offset, size),
            loadNature(base, offset, size))
        if !isFrozen(base) {
            state.cells.append(
                Cell(base: base, offset: offset, size: size, value: value, isStale: false, isWritten: false))
        }
        return value
    }

    private func isFrozen(_ base: TermID) -> Bool {
        if case .section(let map) = terms[terms.root(base)].nature { return program.isFrozen(map) }
        return false
    }

    /// Memory that others may have changed since it was read: another input, of which we remember what it was.
    private func readAgain(_ index: Int) -> TermID {
        let cell = state.cells[index]
        let key = Self.versionKey(cell.base, cell.offset)
        let version = (state.rounds[key] ?? 0) + 1
        state.rounds[key] = version
        let value = terms.input(
            .load(base: cell.base, offset: cell.offset, size: cell.size, version: version),
            loadBounds(cell.base, cell.offset, cell.size), loadNature(cell.base, cell.offset, cell.size))
        state.earlier[value] = cell.value
        state.cells[index].value = value
        state.cells[index].isStale = false
        state.cells[index].isWritten = false
        return value
    }

    static func versionKey(_ base: TermID, _ offset: Int64) -> Site {
        Site(context: -1 - base, slot: Int32(truncatingIfNeeded: offset))
    }

    /// Part of something wider that is known.
    private func readPart(_ base: TermID, _ offset: Int64, _ size: Int) -> TermID? {
        guard
            let cell = state.cells.first(where: {
                $0.base == base && $0.offset <= offset && offset &+ Int64(size) <= $0.offset &+ Int64($0.size)
                    && !$0.isStale
            })
        else { return nil }
        let shift = UInt64(offset - cell.offset) * 8
        let shifted = combined(.shiftRight, cell.value, terms.constant(shift), false)
        return narrowed(shifted, size)
    }

    private func loadBounds(_ base: TermID, _ offset: Int64, _ size: Int) -> Bounds {
        let root = terms.root(base)
        if terms[root].nature == .task, root == base {
            if offset == program.layout.cpusPointer { return Program.address }
            if offset == program.layout.weight { return .range(1, 10_000) }
            if offset == program.layout.cpuCount { return .range(1, UInt64(program.options.cpuLimit)) }
        }
        return size == 8 ? .any : .range(0, (1 << UInt64(size * 8)) - 1)
    }

    private func loadNature(_ base: TermID, _ offset: Int64, _ size: Int) -> Nature { .scalar }

    func write(_ address: TermID, _ distance: Int64, _ size: Int, _ value: TermID, isNoted: Bool = true) {
        let (base, offset) = place(address, distance)
        if isNoted { noteStore(base, offset, size, value) }
        forget(base, offset, size)
        state.cells.append(
            Cell(base: base, offset: offset, size: size, value: value, isStale: false, isWritten: true))
    }

    /// Somebody may have written there: what we know of it and of what may overlap with it is gone.
    func forget(_ base: TermID, _ offset: Int64, _ size: Int) {
        let region = region(of: base)
        let isRoot = terms.root(base) == base
        removeCells { cell in
            if cell.base == base {
                return cell.offset < offset &+ Int64(size) && offset < cell.offset &+ Int64(cell.size)
            }
            guard self.region(of: cell.base) == region else { return false }
            switch region {
            case .frame, .own:
                // The same root, and at least one of the two is at an unknown distance from it.
                return true
            case .section:
                return !isRoot || self.terms.root(cell.base) != cell.base
            case .mapValue, .other:
                let sameRoot = self.terms.root(cell.base) == self.terms.root(base)
                if sameRoot { return true }
                // Two addresses that may be the same one.
                guard isRoot, self.terms.root(cell.base) == cell.base else { return true }
                return cell.offset < offset &+ Int64(size) && offset < cell.offset &+ Int64(cell.size)
            }
        }
    }

    func removeCells(where isGone: (Cell) -> Bool) {
        guard state.cells.contains(where: isGone) else { return }
        for cell in state.cells where isGone(cell) {
            let key = Self.versionKey(cell.base, cell.offset)
            state.rounds[key] = (state.rounds[key] ?? 0) + 1
        }
        state.cells.removeAll(where: isGone)
    }

    /// A call may write behind an address that it is given; nil: nobody knows how far.
    func forgetBehind(_ address: TermID, _ size: Int?) {
        let (base, offset) = place(address, 0)
        guard terms[base].nature.isAddress else { return }
        if let size {
            if size > 0 { forget(base, offset, size) }
        } else {
            removeCells { $0.base == base && $0.offset &+ Int64($0.size) > offset }
        }
    }

    /// After a call, or at a moment when time may have passed: what others may write is to be read again.
    func outdateShared() {
        for index in state.cells.indices where !state.cells[index].isStale {
            let cell = state.cells[index]
            switch region(of: cell.base) {
            case .frame, .own: continue
            case .other: if terms[terms.root(cell.base)].nature == .task { continue }
            case .section, .mapValue: break
            }
            state.cells[index].isStale = true
        }
    }

    /// The address is used: is it certainly none that may be null?
    private func noteAccess(_ address: TermID) {
        let root = terms.root(address)
        guard terms[root].nature.isAddress, terms[root].bounds.unsigned.low == 0 else { return }
        guard bounds(of: root).unsigned.contains(0) else { return }
        noteNull(root)
        _ = refine(root, Program.address)
    }
}
