extension BTF {
    /// A member of a structure or a union.
    package struct Member: Hashable, Sendable {
        /// Empty for an anonymous structure or union.
        package var name: String
        package var type: TypeID
        package var bitOffset: Int
        /// 0 where it is no bit field.
        package var bitfieldSize: Int

        package var byteOffset: Int { bitOffset / 8 }
    }

    package struct Enumerator: Hashable, Sendable {
        package var name: String
        /// The value as 64 bits; a negative one is extended with its sign.
        package var bits: UInt64
    }

    package struct Parameter: Hashable, Sendable {
        package var name: String
        package var type: TypeID
    }

    package struct Prototype: Hashable, Sendable {
        package var result: TypeID
        package var parameters: [Parameter]
        /// Takes more arguments than it names.
        package var isVariadic: Bool
    }

    package struct SectionVariable: Hashable, Sendable {
        /// The VAR.
        package var id: TypeID
        package var offset: Int
        package var size: Int
    }

    package func members(of id: TypeID) -> [Member] {
        let record = record(id)
        guard record.kind == .structure || record.kind == .union else { return [] }
        return (0..<record.count).compactMap { member(of: record, at: $0) }
    }

    func member(of record: Record, at index: Int) -> Member? {
        guard record.kind == .structure || record.kind == .union, index >= 0, index < record.count else { return nil }
        let at = record.payload + index * 12
        guard let name = bytes.u32(at: at), let type = bytes.u32(at: at + 4), let offset = bytes.u32(at: at + 8) else {
            return nil
        }
        return Member(
            name: string(name), type: type, bitOffset: Int(record.flag ? offset & 0xFF_FFFF : offset),
            bitfieldSize: record.flag ? Int(offset >> 24) : 0)
    }

    /// The member's name as bytes, for comparisons without an allocation.
    func memberNameBytes(of record: Record, at index: Int) -> ArraySlice<UInt8> {
        nameBytes(bytes.u32(at: record.payload + index * 12) ?? 0)
    }

    package func enumerators(of id: TypeID) -> [Enumerator] {
        let record = record(id)
        guard record.kind == .enumeration || record.kind == .enumeration64 else { return [] }
        return (0..<record.count).compactMap { enumerator(of: record, at: $0) }
    }

    func enumerator(of record: Record, at index: Int) -> Enumerator? {
        guard index >= 0, index < record.count else { return nil }
        if record.kind == .enumeration64 {
            let at = record.payload + index * 12
            guard let name = bytes.u32(at: at), let low = bytes.u32(at: at + 4), let high = bytes.u32(at: at + 8) else {
                return nil
            }
            return Enumerator(name: string(name), bits: UInt64(low) | UInt64(high) << 32)
        }
        guard record.kind == .enumeration else { return nil }
        let at = record.payload + index * 8
        guard let name = bytes.u32(at: at), let value = bytes.u32(at: at + 4) else { return nil }
        let bits = record.flag ? UInt64(bitPattern: Int64(Int32(bitPattern: value))) : UInt64(value)
        return Enumerator(name: string(name), bits: bits)
    }

    /// Of a FUNC or a FUNC_PROTO.
    package func prototype(of id: TypeID) -> Prototype? {
        var record = record(id)
        if record.kind == .function { record = self.record(record.sizeOrType) }
        guard record.kind == .prototype else { return nil }
        var parameters: [Parameter] = []
        for index in 0..<record.count {
            guard let name = bytes.u32(at: record.payload + index * 8),
                let type = bytes.u32(at: record.payload + index * 8 + 4)
            else { return nil }
            parameters.append(Parameter(name: string(name), type: type))
        }
        var isVariadic = false
        if let last = parameters.last, last.type == 0 {
            isVariadic = true
            parameters.removeLast()
        }
        return Prototype(result: record.sizeOrType, parameters: parameters, isVariadic: isVariadic)
    }

    /// What a FUNC says of its linkage.
    package func linkage(ofFunction id: TypeID) -> Function.Linkage {
        let record = record(id)
        guard record.kind == .function else { return .global }
        return Function.Linkage(rawValue: UInt16(truncatingIfNeeded: record.count)) ?? .global
    }

    package func array(_ id: TypeID) -> (element: TypeID, count: Int)? {
        let record = record(id)
        guard record.kind == .array, let element = bytes.u32(at: record.payload),
            let count = bytes.u32(at: record.payload + 8)
        else { return nil }
        return (element, Int(count))
    }

    /// What a pointer, typedef, qualifier, variable, function or tag refers to.
    package func target(of id: TypeID) -> TypeID? {
        let record = record(id)
        return switch record.kind {
        case .pointer, .typedef, .volatile, .const, .restrict, .function, .variable, .declarationTag, .typeTag:
            record.sizeOrType
        default: nil
        }
    }

    /// Signed, and how many bits, of an INT.
    package func integer(_ id: TypeID) -> (isSigned: Bool, isBool: Bool, bits: Int)? {
        let record = record(id)
        guard record.kind == .int, let encoding = bytes.u32(at: record.payload) else { return nil }
        return (encoding >> 24 & 1 == 1, encoding >> 24 & 4 == 4, Int(encoding & 0xFF))
    }

    package func variables(of id: TypeID) -> [SectionVariable] {
        let record = record(id)
        guard record.kind == .dataSection else { return [] }
        return (0..<record.count).compactMap { index in
            let at = record.payload + index * 12
            guard let type = bytes.u32(at: at), let offset = bytes.u32(at: at + 4), let size = bytes.u32(at: at + 8)
            else { return nil }
            return SectionVariable(id: type, offset: Int(offset), size: Int(size))
        }
    }

    /// Follows typedefs, qualifiers and type tags to the type itself.
    package func resolve(_ id: TypeID) -> TypeID {
        var current = id
        for _ in 0..<BPFObject.Limit.typeDepth {
            let record = record(current)
            switch record.kind {
            case .typedef, .volatile, .const, .restrict, .typeTag: current = record.sizeOrType
            default: return current
            }
        }
        return 0
    }

    /// Where a pointer points, both sides without typedefs and qualifiers; nil for what is no pointer.
    package func pointee(of id: TypeID) -> TypeID? {
        let pointer = record(resolve(id))
        return pointer.kind == .pointer ? resolve(pointer.sizeOrType) : nil
    }

    /// Bytes that a value takes; nil for void, functions, incomplete types and circles.
    package func size(of id: TypeID) -> Int? {
        var current = id
        var factor = 1
        for _ in 0..<BPFObject.Limit.typeDepth {
            let record = record(current)
            switch record.kind {
            case .int, .structure, .union, .enumeration, .enumeration64, .float, .dataSection:
                return product(factor, Int(record.sizeOrType))
            case .pointer: return product(factor, 8)
            case .typedef, .volatile, .const, .restrict, .typeTag, .variable: current = record.sizeOrType
            case .array:
                guard let (element, count) = array(current), let next = product(factor, count) else { return nil }
                factor = next
                current = element
            case .void, .forward, .function, .prototype, .declarationTag: return nil
            }
        }
        return nil
    }

    private func product(_ a: Int, _ b: Int) -> Int? {
        let (result, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow || result > Int(UInt32.max) ? nil : result
    }

    /// The type's spelling in C, as far as it is needed to name it.
    package func describe(_ id: TypeID) -> String { describe(id, depth: 0) }

    private func describe(_ id: TypeID, depth: Int) -> String {
        guard depth < BPFObject.Limit.typeDepth else { return "…" }
        let record = record(id)
        let name = string(record.nameOffset)
        return switch record.kind {
        case .void: "void"
        case .structure: "struct \(name.isEmpty ? "(anonymous)" : name)"
        case .union: "union \(name.isEmpty ? "(anonymous)" : name)"
        case .enumeration, .enumeration64: "enum \(name.isEmpty ? "(anonymous)" : name)"
        case .forward: (record.flag ? "union " : "struct ") + name
        case .pointer: describe(record.sizeOrType, depth: depth + 1) + " *"
        case .const: "const " + describe(record.sizeOrType, depth: depth + 1)
        case .volatile: "volatile " + describe(record.sizeOrType, depth: depth + 1)
        case .restrict, .typeTag: describe(record.sizeOrType, depth: depth + 1)
        case .array: array(id).map { "\(describe($0.element, depth: depth + 1))[\($0.count)]" } ?? "array"
        case .prototype: "function"
        case .int, .typedef, .float, .function, .variable, .dataSection, .declarationTag: name
        }
    }

    /// The members that lead from a structure to the byte at `offset`, such as `["scx", "dsq_vtime"]`, and the type
    /// found there; elements of arrays are named by their index. Empty where nothing is there.
    package func path(in id: TypeID, toByte offset: Int) -> (path: [String], type: TypeID) {
        var path: [String] = []
        var current = resolve(id)
        var rest = offset
        for _ in 0..<BPFObject.Limit.typeDepth {
            let record = record(current)
            if let (element, count) = array(current), let size = size(of: element), size > 0, rest / size < count {
                path.append(String(rest / size))
                rest %= size
                current = resolve(element)
                continue
            }
            guard record.kind == .structure || record.kind == .union else { break }
            guard
                let member = (0..<record.count).lazy.compactMap({ self.member(of: record, at: $0) }).first(where: {
                    $0.byteOffset <= rest && rest < $0.byteOffset + max(size(of: $0.type) ?? 0, 1)
                })
            else { break }
            if !member.name.isEmpty { path.append(member.name) }
            rest -= member.byteOffset
            current = resolve(member.type)
        }
        return (path, current)
    }

    /// The declaration tags `contains:…` of members, by structure and member.
    func containers() -> [TypeID: [Int: String]] {
        var found: [TypeID: [Int: String]] = [:]
        for id in 1..<TypeID(max(starts.count, 1)) {
            let record = record(id)
            guard record.kind == .declarationTag, let place = bytes.u32(at: record.payload) else { continue }
            let text = string(record.nameOffset)
            guard text.hasPrefix("contains:"), place != UInt32.max else { continue }
            found[record.sizeOrType, default: [:]][Int(place)] = String(text.dropFirst(9).prefix(256))
        }
        return found
    }
}
