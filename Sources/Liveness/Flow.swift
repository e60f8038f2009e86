import BPFObject
import Model

/// What is to be known of a function before it is run: where control flow joins, which loops there are, and what is
/// still read after each slot. The last decides which states are the same for all that follows.
final class Flow {
    /// More than one way leads here.
    private(set) var isJoin: [Bool]
    /// The head of a loop: something later leads back here.
    private(set) var isHead: [Bool]
    /// Registers read at or after the slot, a bit each.
    private(set) var liveRegisters: [UInt16]
    /// Eight-byte pieces of the frame read at or after the slot; bit 0 is the one just below the top.
    private(set) var liveStack: [UInt64]
    /// The least slot that can be reached.
    private(set) var leastReachable: [Int32]
    /// Offsets of loads that are not from the frame, to the last slot that has one.
    private(set) var lastLoad: [Int64: Int32] = [:]
    /// Too many to tell: every offset counts.
    private(set) var loadsAnything = false
    private(set) var lastSectionUse: [Int: Int32] = [:]
    /// By slot: the same slot where its line is in the scheduler's own file, else -1.
    private(set) var ownSlots: [Int32]
    private(set) var isWellFormed = true

    private let code: [Instruction]
    /// Of calls, by slot.
    private let arguments: [Int]

    /// - Parameters:
    ///   - callees: the offsets that a subprogram loads from.
    ///   - argumentCount: how many arguments the callee of a slot takes.
    init(_ function: Function, callees: (Int) -> [Int64], argumentCount: (Int) -> Int) {
        arguments = function.instructions.indices.map { function.instructions[$0].isCall ? argumentCount($0) : 0 }
        code = function.instructions
        let count = code.count
        isJoin = Array(repeating: false, count: count)
        isHead = isJoin
        liveRegisters = Array(repeating: 0, count: count)
        liveStack = Array(repeating: 0, count: count)
        leastReachable = (0..<Int32(count)).map { $0 }
        ownSlots = Array(repeating: -1, count: count)
        findJoins()
        findHeads()
        findLoads(function, callees)
        findReachable()
        findLive()
        findOwnLines(function)
    }

    /// The slots after this one; nothing outside the function.
    static func successors(_ code: [Instruction], _ slot: Int) -> [Int] {
        let instruction = code[slot]
        let family = instruction.opcode & 0x07
        var next: [Int] = []
        if family == 0x05 || family == 0x06 {
            switch instruction.opcode & 0xF0 {
            case 0x00: next = [slot + 1 + (family == 0x06 ? Int(instruction.immediate) : Int(instruction.offset))]
            case 0x80: next = [slot + 1]
            case 0x90: next = []
            default: next = [slot + 1, slot + 1 + Int(instruction.offset)]
            }
        } else {
            next = [slot + (instruction.isWideLoad ? 2 : 1)]
        }
        return next.filter { code.indices.contains($0) }
    }

    private func findJoins() {
        var ways = Array(repeating: 0, count: code.count)
        var slot = 0
        while slot < code.count {
            let next = Self.successors(code, slot)
            for target in next { ways[target] += 1 }
            slot += code[slot].isWideLoad ? 2 : 1
        }
        for slot in ways.indices where ways[slot] > 1 { isJoin[slot] = true }
    }

    /// Depth first from the entry: an edge to something that is still open closes a loop.
    private func findHeads() {
        guard !code.isEmpty else { return }
        var colour = Array(repeating: UInt8(0), count: code.count)
        var stack: [(slot: Int, next: [Int])] = [(0, Self.successors(code, 0))]
        colour[0] = 1
        while let (slot, next) = stack.last {
            guard let target = next.last else {
                colour[slot] = 2
                stack.removeLast()
                continue
            }
            stack[stack.count - 1].next.removeLast()
            if colour[target] == 1 {
                isHead[target] = true
                isJoin[target] = true
            } else if colour[target] == 0 {
                colour[target] = 1
                stack.append((target, Self.successors(code, target)))
            }
        }
    }

    private func findLoads(_ function: Function, _ callees: (Int) -> [Int64]) {
        var changes: Set<Int64> = [0]
        var loads: [Int64: Int32] = [:]
        for (slot, instruction) in code.enumerated() {
            let family = instruction.opcode & 0x07
            // Every access counts: an atomic operation or a call may read too.
            if family == 0x01 || family == 0x03, !(family == 0x01 && instruction.src == 10) {
                loads[Int64(instruction.offset)] = Int32(slot)
            }
            if instruction.opcode == 0x07, instruction.dst != 10 { changes.insert(Int64(instruction.immediate)) }
            switch function.references[slot] {
            case .mapValue(let map, _): lastSectionUse[map] = Int32(slot)
            case .call(let other), .functionPointer(let other):
                for offset in callees(other) {
                    loads[offset] = Int32(slot)
                    if offset == .min { loadsAnything = true }
                }
            default: break
            }
        }
        guard loads.count * changes.count <= 8192 else {
            loadsAnything = true
            return
        }
        for (offset, slot) in loads {
            for change in changes { lastLoad[offset &+ change] = max(lastLoad[offset &+ change] ?? -1, slot) }
        }
    }

    private func findReachable() {
        repeatBackwards { flow, slot, next in
            var least = Int32(slot)
            for target in next { least = min(least, flow.leastReachable[target]) }
            defer { flow.leastReachable[slot] = least }
            return flow.leastReachable[slot] != least
        }
    }

    /// Until nothing changes, from the last slot to the first.
    private func repeatBackwards(_ step: (Flow, Int, [Int]) -> Bool) {
        let successors = code.indices.map { Self.successors(code, $0) }
        var rounds = 0
        var changed = true
        while changed, rounds < 64 {
            changed = false
            rounds += 1
            for slot in code.indices.reversed() where step(self, slot, successors[slot]) { changed = true }
        }
        // Deeper nesting than anybody writes: then everything counts as read.
        if changed { isWellFormed = false }
    }

    private func findLive() {
        let taken = takenStack()
        repeatBackwards { flow, slot, next in
            var registers: UInt16 = 0
            var stack: UInt64 = 0
            for target in next {
                registers |= flow.liveRegisters[target]
                stack |= flow.liveStack[target]
            }
            var effect = Self.effect(flow.code[slot])
            if flow.code[slot].isCall { effect.reads &= ~(~0 << UInt16(flow.arguments[slot] + 1)) }
            registers = registers & ~effect.writes | effect.reads
            stack = stack & ~effect.stackWrites | effect.stackReads
            if effect.readsThrough { stack |= taken }
            defer {
                flow.liveRegisters[slot] = registers
                flow.liveStack[slot] = stack
            }
            return registers != flow.liveRegisters[slot] || stack != flow.liveStack[slot]
        }
    }

    struct Effect {
        var reads: UInt16 = 0
        var writes: UInt16 = 0
        var stackReads: UInt64 = 0
        var stackWrites: UInt64 = 0
        /// Reads memory through a register, which may point into the frame.
        var readsThrough = false
    }

    static func piece(_ offset: Int) -> UInt64 {
        offset < 0 && offset >= -512 ? 1 << UInt64((-offset - 1) / 8) : 0
    }

    static func effect(_ instruction: Instruction) -> Effect {
        var effect = Effect()
        let dst = UInt16(1) << UInt16(instruction.dst & 0x0F)
        let src = UInt16(1) << UInt16(instruction.src & 0x0F)
        let usesSource = instruction.opcode & 0x08 != 0
        switch instruction.opcode & 0x07 {
        case 0x00: effect.writes = instruction.isWideLoad ? dst : 1
        case 0x01:
            effect.writes = dst
            effect.reads = src
            if instruction.src == 10 {
                effect.stackReads = piece(Int(instruction.offset))
            } else {
                effect.readsThrough = true
            }
        case 0x02, 0x03:
            effect.reads = instruction.opcode & 0x07 == 0x03 ? dst | src : dst
            if instruction.opcode & 0xE0 == 0xC0 {
                effect.readsThrough = true
                effect.reads |= 1
                if instruction.dst == 10 { effect.stackReads = piece(Int(instruction.offset)) }
            } else if instruction.dst == 10, instruction.opcode & 0x18 == 0x18 {
                effect.stackWrites = piece(Int(instruction.offset))
            }
        case 0x04, 0x07:
            effect.writes = dst
            let isMove = instruction.opcode & 0xF0 == 0xB0
            effect.reads = (isMove ? 0 : dst) | (usesSource ? src : 0)
            if instruction.opcode & 0xF0 == 0x80 || instruction.opcode & 0xF0 == 0xD0 { effect.reads = dst }
        default:
            switch instruction.opcode & 0xF0 {
            case 0x00, 0xE0: break
            case 0x80:
                effect.reads = 0b11_1110
                effect.writes = 0b11_1111
                effect.readsThrough = true
            case 0x90: effect.reads = 1
            default: effect.reads = dst | (usesSource ? src : 0)
            }
        }
        return effect
    }

    /// The pieces of the frame whose address is taken: from there up to the next thing that has an address.
    private func takenStack() -> UInt64 {
        var copies: Set<UInt8> = []
        var starts: Set<Int> = []
        var direct: Set<Int> = []
        for instruction in code {
            let isMoveOfFrame = instruction.opcode == 0xBF && instruction.src == 10
            if isMoveOfFrame { copies.insert(instruction.dst) }
            if instruction.opcode == 0x07, copies.contains(instruction.dst) {
                starts.insert(Int(instruction.immediate))
            }
            if instruction.opcode & 0x07 == 0x01, instruction.src == 10 { direct.insert(Int(instruction.offset)) }
        }
        if copies.isEmpty { return 0 }
        var taken: UInt64 = 0
        for start in starts where start < 0 && start >= -512 {
            for offset in start..<0 { taken |= Self.piece(offset) }
        }
        return taken
    }

    private func findOwnLines(_ function: Function) {
        for (index, line) in function.lines.enumerated() where !line.location.file.hasSuffix(".h") {
            let end = index + 1 < function.lines.count ? function.lines[index + 1].slot : code.count
            guard line.slot >= 0, line.slot < end, end <= code.count, line.location.line > 0 else { continue }
            for slot in line.slot..<end { ownSlots[slot] = Int32(slot) }
        }
    }

    /// Is a place in memory at this offset read at or after the slot?
    func mayLoad(_ offset: Int64, after slot: Int) -> Bool {
        guard !loadsAnything, isWellFormed else { return true }
        guard let last = lastLoad[offset] else { return false }
        return last >= leastReachable[slot]
    }

    func mayUse(section: Int, after slot: Int) -> Bool {
        guard let last = lastSectionUse[section] else { return false }
        return !isWellFormed || last >= leastReachable[slot]
    }
}
