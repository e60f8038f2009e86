extension ObjectBuilder {
    private static let structures: [String: MapDefinition.SpecialField.Kind] = [
        "bpf_timer": .timer, "bpf_wq": .workqueue, "bpf_task_work": .taskWork, "bpf_spin_lock": .spinLock,
        "bpf_res_spin_lock": .resilientSpinLock, "bpf_list_head": .listHead, "bpf_list_node": .listNode,
        "bpf_rb_root": .treeRoot, "bpf_rb_node": .treeNode, "bpf_refcount": .referenceCount,
    ]
    private static let tags: [String: MapDefinition.SpecialField.Kind] = [
        "kptr": .pointer, "kptr_untrusted": .untrustedPointer, "percpu_kptr": .perCPUPointer, "uptr": .userPointer,
    ]

    /// More than the kernel allows in one value.
    private static let most = 64

    /// Of an array the first element stands for all.
    func specialFields(of variables: [MapDefinition.Variable]) -> [MapDefinition.SpecialField] {
        var found: [MapDefinition.SpecialField] = []
        var steps = 20_000
        for variable in variables {
            search(variable.type, variable.offset, variable.name, "", depth: 0, steps: &steps, into: &found)
        }
        return found
    }

    private func search(
        _ type: BTF.TypeID, _ offset: Int, _ path: String, _ contains: String, depth: Int, steps: inout Int,
        into found: inout [MapDefinition.SpecialField]
    ) {
        steps -= 1
        guard depth < 12, steps > 0, found.count < Self.most else { return }
        var id = btf.resolve(type)
        if let array = btf.array(id) {
            guard array.count > 0 else { return }
            id = btf.resolve(array.element)
        }
        let record = btf.record(id)
        if record.kind == .pointer {
            guard let (kind, target) = tagged(record.sizeOrType) else { return }
            found.append(MapDefinition.SpecialField(kind: kind, offset: offset, path: path, target: target))
            return
        }
        guard record.kind == .structure || record.kind == .union else { return }
        if record.kind == .structure, let kind = Self.structures[btf.name(id)] {
            found.append(MapDefinition.SpecialField(kind: kind, offset: offset, path: path, target: contains))
            return
        }
        for index in 0..<record.count where steps > 0 {
            guard let member = btf.member(of: record, at: index) else { continue }
            let name = member.name.isEmpty ? path : path.isEmpty ? member.name : path + "." + member.name
            search(
                member.type, offset &+ member.byteOffset, String(name.prefix(512)), containedIn(id, member: index),
                depth: depth + 1, steps: &steps, into: &found)
        }
    }

    /// The tag on what a pointer points to, and the name of the type behind it.
    private func tagged(_ pointee: BTF.TypeID) -> (MapDefinition.SpecialField.Kind, String)? {
        var id = pointee
        for _ in 0..<8 {
            let record = btf.record(id)
            switch record.kind {
            case .typeTag:
                if let kind = Self.tags[btf.name(id)] { return (kind, btf.name(btf.resolve(id))) }
                id = record.sizeOrType
            case .typedef, .const, .volatile, .restrict: id = record.sizeOrType
            default: return nil
            }
        }
        return nil
    }

    /// What a list or a tree says that it contains: `contains:node_data:node`.
    private func containedIn(_ structure: BTF.TypeID, member: Int) -> String {
        containers[structure]?[member] ?? ""
    }
}
