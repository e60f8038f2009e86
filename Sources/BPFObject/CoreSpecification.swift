/// What a relocation means in one set of types: a type, a field of it, or an enumerator of it.
struct CoreSpecification {
    /// One step that has a meaning in any other set of types too: a named member, or an index.
    struct Step {
        /// The type in which the step is made, or the element's for an index.
        var type: BTF.TypeID
        /// Of the member or the enumerator.
        var index: Int
        /// nil for an index.
        var name: String?
    }

    var root: BTF.TypeID
    var steps: [Step]
    /// From the root's start to the field.
    var bitOffset: Int
}

/// Why a relocation cannot be worked out at all.
enum CoreTrouble {
    static func malformed(_ what: String) -> ObjectError { ObjectError(.malformed, "a CO-RE relocation \(what)") }
}

extension BTF {
    /// The relocation in the object's own types.
    func specification(of relocation: CoreRelocation) throws(ObjectError) -> CoreSpecification {
        switch relocation.kind {
        case .typeIDLocal, .typeIDTarget, .typeExists, .typeSize, .typeMatches:
            guard relocation.accessor == [0] else { throw CoreTrouble.malformed("of a type has a path") }
            return CoreSpecification(root: relocation.type, steps: [], bitOffset: 0)
        case .enumeratorExists, .enumeratorValue:
            let id = resolve(relocation.type)
            guard relocation.accessor.count == 1, let index = relocation.accessor.first,
                let enumerator = enumerator(of: record(id), at: index)
            else { throw CoreTrouble.malformed("names an enumerator that does not exist") }
            let step = CoreSpecification.Step(type: id, index: index, name: enumerator.name)
            return CoreSpecification(root: relocation.type, steps: [step], bitOffset: 0)
        case .fieldByteOffset, .fieldByteSize, .fieldExists, .fieldSigned, .fieldLeftShift, .fieldRightShift:
            return try fieldSpecification(relocation.type, relocation.accessor)
        }
    }

    private func fieldSpecification(
        _ root: TypeID, _ accessor: [Int]
    ) throws(ObjectError) -> CoreSpecification {
        var current = resolve(root)
        guard let first = accessor.first, let size = size(of: current), (first == 0 || size < 1 << 32) else {
            throw CoreTrouble.malformed("is of a type without a size")
        }
        var found = CoreSpecification(
            root: root, steps: [CoreSpecification.Step(type: current, index: first, name: nil)],
            bitOffset: try scaled(first, size))
        for index in accessor.dropFirst() {
            let record = record(current)
            if let member = member(of: record, at: index) {
                let (offset, overflow) = found.bitOffset.addingReportingOverflow(member.bitOffset)
                guard !overflow else { throw CoreTrouble.malformed("goes too far") }
                found.bitOffset = offset
                if !member.name.isEmpty {
                    found.steps.append(CoreSpecification.Step(type: current, index: index, name: member.name))
                }
                current = resolve(member.type)
            } else if let array = array(current), let size = self.size(of: array.element) {
                guard index < array.count || array.count <= 1 else { throw CoreTrouble.malformed("leaves an array") }
                current = resolve(array.element)
                found.steps.append(CoreSpecification.Step(type: current, index: index, name: nil))
                found.bitOffset += try scaled(index, size)
            } else {
                throw CoreTrouble.malformed("names a member that does not exist")
            }
        }
        return found
    }

    /// Bits to the element at `index`.
    func scaled(_ index: Int, _ size: Int) throws(ObjectError) -> Int {
        let (bytes, overflow) = index.multipliedReportingOverflow(by: size)
        guard !overflow, bytes < 1 << 40 else { throw CoreTrouble.malformed("goes too far") }
        return bytes * 8
    }
}
