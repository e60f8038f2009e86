/// The number of a term in its `TermTable`.
typealias TermID = Int32

/// An instruction in the chain of calls that led to it: the calls' number, and the slot.
struct Site: Hashable, Comparable {
    var context: Int32
    var slot: Int32

    static func < (a: Self, b: Self) -> Bool { (a.context, a.slot) < (b.context, b.slot) }
}

/// A value that the program does not make but gets. Two of these are the same value exactly when they are equal: what
/// an instruction gets in a later round of a loop differs by `round`.
enum Input: Hashable {
    /// Of the operation, by place.
    case argument(Int)
    /// The address of the operation's arguments.
    case context
    /// The top of a call's stack frame, by depth.
    case frame(Int)
    /// The address of a data section's first byte.
    case section(Int)
    case map(Int)
    case function(Int)
    case kernelSymbol(function: Int, slot: Int)
    case result(Site, round: Int)
    /// What a call wrote behind one of its arguments.
    case written(Site, round: Int, argument: Int)
    /// What is in memory. `version` counts how often it may have changed.
    case load(base: TermID, offset: Int64, size: Int, version: Int)
    /// A register or a place in memory in a later round of a loop.
    case later(Site, place: Int, round: Int)
    case unknown(Site, round: Int)
    /// A kernel function of its arguments alone, such as the test of a bit in a mask.
    case pure(String, TermID, TermID)
}

/// What an input is, beyond its number.
enum Nature: Hashable {
    case scalar
    case context
    case frame(Int)
    case section(Int)
    case map(Int)
    /// In a map's value.
    case mapValue(Int)
    case function(Int)
    case task
    case cpumask
    case cgroup
    /// Memory that belongs to the program alone: allocated, reserved in a ring buffer, an iterator's element.
    case own
    case kernel
    case arena
    /// A time that goes on.
    case time
    case random

    var isAddress: Bool {
        switch self {
        case .scalar, .time, .random, .function: false
        default: true
        }
    }
}

struct Term {
    enum Kind: UInt8 {
        case constant, input, offset, binary, zeroExtend, signExtend, negate, byteSwap
    }

    var kind: Kind
    var operation: Operation
    var is32: Bool
    /// Of an extension or a swap, in bits.
    var width: UInt8
    var depth: UInt8
    var a: TermID
    var b: TermID
    var constant: UInt64
    /// Holds on every path.
    var bounds: Bounds
    var nature: Nature
    /// The inputs in it, ascending: where they are in the table's list. Fewer than 0: too many.
    var firstLeaf: Int32
    var leafCount: Int32
    /// The input that an address is counted from.
    var root: TermID
    /// An input that is a function of its arguments, `a` and `b`.
    var isPure: Bool
}

/// All terms of one analysis; equal terms are one.
struct TermTable {
    private struct Key: Hashable {
        var kind: Term.Kind
        var operation: UInt8
        var is32: Bool
        var width: UInt8
        var a: TermID
        var b: TermID
        var constant: UInt64
    }

    private(set) var terms: [Term] = []
    private var known: [Key: TermID] = [:]
    private var knownInputs: [Input: TermID] = [:]
    private(set) var inputs: [TermID: Input] = [:]
    /// The inputs of all terms, one after the other.
    private(set) var leafList: [TermID] = []

    static let zero: TermID = 0
    private static let depthLimit: UInt8 = 40
    private static let leafLimit = 24

    init() {
        _ = constant(0)
    }

    subscript(_ id: TermID) -> Term { terms[Int(id)] }
    var count: Int { terms.count }

    mutating func constant(_ value: UInt64) -> TermID {
        intern(
            Key(kind: .constant, operation: 0, is32: false, width: 0, a: 0, b: 0, constant: value),
            bounds: Bounds(value), nature: .scalar, parts: (0, nil), depth: 0)
    }

    /// - Parameter bounds: hold on every path; the first ones given for an input are kept.
    mutating func input(_ input: Input, _ bounds: Bounds = .any, _ nature: Nature = .scalar) -> TermID {
        if let id = knownInputs[input] { return id }
        let id = TermID(terms.count)
        var term = Term(
            kind: .input, operation: .add, is32: false, width: 0, depth: 0, a: 0, b: 0, constant: 0,
            bounds: bounds, nature: nature, firstLeaf: Int32(leafList.count), leafCount: 1, root: id, isPure: false)
        if case .pure(_, let a, let b) = input { (term.a, term.b, term.isPure) = (a, b, true) }
        leafList.append(id)
        terms.append(term)
        knownInputs[input] = id
        inputs[id] = input
        return id
    }

    /// The inputs in a term, ascending; nil where there are too many.
    func leaves(of id: TermID) -> ArraySlice<TermID>? {
        let term = terms[Int(id)]
        return term.leafCount < 0 ? nil : leafList[Int(term.firstLeaf)..<Int(term.firstLeaf + term.leafCount)]
    }

    func input(of id: TermID) -> Input? { inputs[id] }

    /// - Parameter parts: the terms it is made of, whose inputs are its own.
    private mutating func intern(
        _ key: Key, bounds: @autoclosure () -> Bounds, nature: Nature, parts: (TermID, TermID?), depth: UInt8
    ) -> TermID {
        if let id = known[key] { return id }
        let id = TermID(terms.count)
        let (first, count) = leaves(parts)
        var term = Term(
            kind: key.kind, operation: Operation(rawValue: key.operation) ?? .add, is32: key.is32, width: key.width,
            depth: depth, a: key.a, b: key.b, constant: key.constant, bounds: bounds(), nature: nature,
            firstLeaf: first, leafCount: count, root: id, isPure: false)
        if key.kind == .offset {
            term.root = terms[Int(key.a)].root
        } else if key.kind == .binary, !key.is32, term.operation == .add || term.operation == .subtract {
            let isFirst = terms[Int(key.a)].nature.isAddress || !terms[Int(key.b)].nature.isAddress
            term.root = terms[Int(isFirst ? key.a : key.b)].root
        }
        terms.append(term)
        known[key] = id
        return id
    }

    private mutating func leaves(_ parts: (TermID, TermID?)) -> (Int32, Int32) {
        guard !terms.isEmpty else { return (0, 0) }
        let a = terms[Int(parts.0)]
        guard let second = parts.1 else { return (a.firstLeaf, a.leafCount) }
        let b = terms[Int(second)]
        if a.leafCount < 0 || b.leafCount < 0 { return (0, -1) }
        if b.leafCount == 0 || a.firstLeaf == b.firstLeaf && a.leafCount == b.leafCount {
            return (a.firstLeaf, a.leafCount)
        }
        if a.leafCount == 0 { return (b.firstLeaf, b.leafCount) }
        let all = Set(leaves(of: parts.0) ?? []).union(leaves(of: second) ?? []).sorted()
        guard all.count <= Self.leafLimit else { return (0, -1) }
        let first = Int32(leafList.count)
        leafList += all
        return (first, Int32(all.count))
    }

    func constant(of id: TermID) -> UInt64? { self[id].bounds.constant }

    mutating func offset(_ base: TermID, _ change: UInt64) -> TermID {
        if change == 0 { return base }
        let term = self[base]
        if let value = term.bounds.constant { return constant(value &+ change) }
        if term.kind == .offset { return offset(term.a, term.constant &+ change) }
        return intern(
            Key(kind: .offset, operation: 0, is32: false, width: 0, a: base, b: 0, constant: change),
            bounds: term.bounds.applying(.add, Bounds(change), is32: false), nature: term.nature,
            parts: (base, nil), depth: term.depth)
    }

    /// nil where the term would be too deep: then the caller takes an input for it.
    mutating func binary(_ operation: Operation, _ a: TermID, _ b: TermID, is32: Bool) -> TermID? {
        let (left, right) = (self[a], self[b])
        if let x = left.bounds.constant, let y = right.bounds.constant {
            return constant(operation.apply(x, y, is32: is32))
        }
        if let same = is32 ? simplified32(operation, a, b) : simplified(operation, a, b) { return same }
        if operation == .subtract || operation == .xor, a == b { return constant(0) }
        let depth = max(left.depth, right.depth) &+ 1
        guard depth < Self.depthLimit else { return nil }
        var nature = Nature.scalar
        if !is32, operation == .add || operation == .subtract {
            nature = left.nature.isAddress ? left.nature : operation == .add ? right.nature : .scalar
            if operation == .subtract, right.nature.isAddress { nature = .scalar }
        }
        let (first, second) = isSwappable(operation) && b < a ? (b, a) : (a, b)
        return intern(
            Key(kind: .binary, operation: operation.rawValue, is32: is32, width: 0, a: first, b: second, constant: 0),
            bounds: left.bounds.applying(operation, right.bounds, is32: is32), nature: nature,
            parts: (first, second), depth: depth)
    }

    private func isSwappable(_ operation: Operation) -> Bool {
        switch operation {
        case .add, .multiply, .and, .or, .xor: true
        default: false
        }
    }

    private mutating func simplified(_ operation: Operation, _ a: TermID, _ b: TermID) -> TermID? {
        let x = self[a].bounds.constant
        let y = self[b].bounds.constant
        switch operation {
        case .add:
            if let y { return offset(a, y) }
            if let x { return offset(b, x) }
            // (s + c) + t is (s + t) + c: so the constant part of an address is always outside.
            if self[a].kind == .offset, let sum = binary(.add, self[a].a, b, is32: false) {
                return offset(sum, self[a].constant)
            }
            if self[b].kind == .offset, let sum = binary(.add, a, self[b].a, is32: false) {
                return offset(sum, self[b].constant)
            }
            return nil
        case .subtract:
            if let y { return offset(a, 0 &- y) }
            let (left, leftChange) = split(a)
            let (right, rightChange) = split(b)
            return left == right ? constant(leftChange &- rightChange) : nil
        case .or, .xor:
            if y == 0 { return a }
            return x == 0 ? b : nil
        case .and:
            if y == .max { return a }
            if x == 0 || y == 0 { return constant(0) }
            // A mask that takes nothing away.
            if let y, (self[a].bounds.bits.value | self[a].bounds.bits.unknown) & ~y == 0 { return a }
            return nil
        case .shiftLeft: return y == 0 ? a : nil
        case .shiftRight, .arithmeticShiftRight:
            // Up and down again is how older compilers extend a half.
            if y == 32, self[a].kind == .binary, self[a].operation == .shiftLeft, !self[a].is32,
                self[self[a].b].bounds.constant == 32
            {
                return operation == .shiftRight ? zeroExtended(self[a].a) : signExtended(self[a].a, 32)
            }
            if operation == .shiftRight, let y, let quotient = quotient(a, y) { return quotient }
            return y == 0 ? a : nil
        case .multiply, .divide: return y == 1 ? a : nil
        default: return nil
        }
    }

    /// Compilers divide by a constant with a multiplication and a shift; as a division it has bounds. For a 32-bit number
    /// x, (x * m) >> s is x / d exactly if m * d - 2^s is between 0 and 2^(s - 32).
    private mutating func quotient(_ product: TermID, _ shift: UInt64) -> TermID? {
        let term = self[product]
        guard term.kind == .binary, term.operation == .multiply, !term.is32, shift >= 32, shift < 64 else { return nil }
        let (x, factor) =
            self[term.a].bounds.constant.map { (term.b, $0) } ?? (term.a, self[term.b].bounds.constant ?? 0)
        guard factor > 1, factor <= 1 << 32, self[x].bounds.unsigned.high <= 0xFFFF_FFFF else { return nil }
        let power = UInt64(1) << shift
        for divisor in [power / factor, power / factor + 1] where divisor > 1 {
            let (whole, overflows) = factor.multipliedReportingOverflow(by: divisor)
            guard !overflows, whole >= power, whole - power <= 1 << (shift - 32) else { continue }
            return binary(.divide, x, constant(divisor), is32: false)
        }
        return nil
    }

    /// x - x / d * d.
    private mutating func remainder(_ x: TermID, _ taken: TermID, is32: Bool) -> TermID? {
        let term = self[taken]
        guard term.kind == .binary, term.operation == .multiply else { return nil }
        let (quotient, divisor) = self[term.a].bounds.constant != nil ? (term.b, term.a) : (term.a, term.b)
        let division = self[bare(quotient)]
        guard division.kind == .binary, division.operation == .divide, division.b == divisor,
            bare(division.a) == bare(x), self[x].bounds.unsigned.high <= 0xFFFF_FFFF
        else { return nil }
        return binary(.modulo, x, divisor, is32: false)
    }

    private mutating func simplified32(_ operation: Operation, _ a: TermID, _ b: TermID) -> TermID? {
        let y = self[b].bounds.constant.map { $0 & 0xFFFF_FFFF }
        if operation == .subtract, let rest = remainder(a, b, is32: true) { return rest }
        switch operation {
        case .and:
            let bits = self[a].bounds.bits
            if let y, (bits.value | bits.unknown) & ~y == 0 { return a }
            return nil
        case .add, .subtract, .or, .xor, .shiftLeft, .shiftRight: return y == 0 ? zeroExtended(a) : nil
        default: return nil
        }
    }

    mutating func zeroExtended(_ id: TermID) -> TermID {
        let term = self[id]
        if let value = term.bounds.constant { return constant(value & 0xFFFF_FFFF) }
        if term.bounds.unsigned.high <= 0xFFFF_FFFF { return id }
        if term.kind == .signExtend, term.width == 32 { return zeroExtended(term.a) }
        return intern(
            Key(kind: .zeroExtend, operation: 0, is32: false, width: 32, a: id, b: 0, constant: 0),
            bounds: term.bounds.zeroExtended, nature: .scalar, parts: (id, nil), depth: term.depth &+ 1)
    }

    mutating func signExtended(_ id: TermID, _ width: Int) -> TermID {
        let term = self[id]
        if term.bounds.constant != nil, let value = term.bounds.signExtended(width).constant { return constant(value) }
        if width == 32, term.bounds.signed.low >= Int64(Int32.min), term.bounds.signed.high <= Int64(Int32.max) {
            return id
        }
        if width == 32, term.kind == .zeroExtend { return signExtended(term.a, width) }
        return intern(
            Key(kind: .signExtend, operation: 0, is32: false, width: UInt8(width), a: id, b: 0, constant: 0),
            bounds: term.bounds.signExtended(width), nature: .scalar, parts: (id, nil), depth: term.depth &+ 1)
    }

    mutating func negated(_ id: TermID) -> TermID {
        let term = self[id]
        return intern(
            Key(kind: .negate, operation: 0, is32: false, width: 0, a: id, b: 0, constant: 0),
            bounds: term.bounds.negated, nature: .scalar, parts: (id, nil), depth: term.depth &+ 1)
    }

    mutating func swapped(_ id: TermID, _ width: Int) -> TermID {
        let term = self[id]
        return intern(
            Key(kind: .byteSwap, operation: 0, is32: false, width: UInt8(width), a: id, b: 0, constant: 0),
            bounds: width == 64 ? .any : .range(0, (1 << UInt64(width)) - 1), nature: .scalar,
            parts: (id, nil), depth: term.depth &+ 1)
    }

    /// An address as what it is counted from, and the constant distance.
    func split(_ id: TermID) -> (base: TermID, offset: UInt64) {
        let term = self[id]
        return term.kind == .offset ? (term.a, term.constant) : (id, 0)
    }

    /// The input that an address is counted from.
    func root(_ id: TermID) -> TermID { terms[Int(id)].root }

    /// Without the extensions around it.
    func bare(_ id: TermID) -> TermID {
        var current = id
        while self[current].kind == .zeroExtend || (self[current].kind == .signExtend && self[current].width == 32) {
            current = self[current].a
        }
        return current
    }
}
