import Model

extension ObjectBuilder {
    /// Adds source lines and the relocations against the kernel's types.
    mutating func annotate() throws(ObjectError) {
        var texts = SourceTexts()
        for (name, infos) in ext.lines {
            guard let section = elf.section(named: name) else { continue }
            for info in infos {
                guard let function = functionContaining(section: section, offset: info.offset) else { continue }
                let location = SourceLocation(
                    file: texts.file(info.file, btf), line: info.line, column: info.column,
                    text: texts.line(info.text, btf))
                object.functions[function].lines.append(
                    Function.LineStart(slot: (info.offset - places[function].offset) / 8, location: location))
            }
        }
        for index in object.functions.indices {
            // What comes later in the file holds where two name one slot.
            let sorted = object.functions[index].lines.enumerated()
                .sorted { ($0.element.slot, $0.offset) < ($1.element.slot, $1.offset) }
            var lines: [Function.LineStart] = []
            lines.reserveCapacity(sorted.count)
            for (_, line) in sorted {
                if lines.last?.slot == line.slot { lines.removeLast() }
                lines.append(line)
            }
            object.functions[index].lines = lines
        }
        try findCoreRelocations()
    }

    private mutating func findCoreRelocations() throws(ObjectError) {
        var accessors: [UInt32: [Int]] = [:]
        for (name, infos) in ext.core {
            guard let section = elf.section(named: name) else { continue }
            for info in infos {
                guard let function = functionContaining(section: section, offset: info.offset) else { continue }
                guard let kind = RelocationKind(rawValue: info.kind), info.offset % 8 == 0 else {
                    throw ObjectError(.unsupported, "a CO-RE relocation is of the unknown kind \(info.kind)")
                }
                let accessor: [Int]
                if let known = accessors[info.accessor] {
                    accessor = known
                } else {
                    accessor = try Self.accessor(btf.string(info.accessor))
                    accessors[info.accessor] = accessor
                }
                object.relocations.append(
                    CoreRelocation(
                        function: function, slot: (info.offset - places[function].offset) / 8, kind: kind,
                        type: info.type, accessor: accessor))
            }
        }
        object.relocations.sort { ($0.function, $0.slot) < ($1.function, $1.slot) }
    }

    /// `0:3:1` as numbers.
    private static func accessor(_ text: String) throws(ObjectError) -> [Int] {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Int($0) }
        guard !numbers.isEmpty, numbers.count == parts.count, numbers.count <= 64,
            numbers.allSatisfy({ (0...0xFFF_FFFF).contains($0) })
        else { throw ObjectError(.malformed, "a CO-RE relocation has no usable path") }
        return numbers
    }
}

/// Each string once, and all of them bounded.
private struct SourceTexts {
    private var files: [UInt32: String] = [:]
    private var texts: [UInt32: String] = [:]
    private var left = BPFObject.Limit.objectBytes

    mutating func file(_ offset: UInt32, _ btf: BTF) -> String {
        if let known = files[offset] { return known }
        let text = left > 0 ? btf.string(offset) : ""
        left -= text.utf8.count
        files[offset] = text
        return text
    }

    mutating func line(_ offset: UInt32, _ btf: BTF) -> String {
        if let known = texts[offset] { return known }
        var text = left > 0 ? btf.string(offset, limit: 1024)[...] : ""
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        let kept = String(text.prefix(400))
        left -= text.utf8.count
        texts[offset] = kept
        return kept
    }
}
