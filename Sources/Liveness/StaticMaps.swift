import BPFObject
import Model

/// Tables that tasks fill and nobody empties.
extension StaticJudge {
    private enum Helper {
        static let update: Int32 = 2
        static let delete: Int32 = 3
        static let currentTask: Int32 = 14
    }

    /// Process ids are below this; a table with room for all of them is never full.
    private static let mostTasks = 4_194_304

    mutating func judgeMaps() {
        let growing = Set([MapType.hash, MapType.perCPUHash])
        var deleted: Set<Int> = []
        var updates: [(map: Int, call: StaticReach.Call, entry: StaticReach)] = []
        for entry in entries {
            for call in entry.calls {
                switch call.target {
                case .helper(Helper.delete), .kernel("bpf_map_lookup_and_delete_elem", _):
                    guard let map = call.map else {
                        // In a callback of bpf_for_each_map_elem() it may be any of them.
                        deleted.formUnion(object.maps.indices)
                        continue
                    }
                    deleted.insert(map)
                case .helper(Helper.update):
                    guard let map = call.map, object.maps.indices.contains(map) else { continue }
                    if growing.contains(object.maps[map].type) { updates.append((map, call, entry)) }
                default: break
                }
            }
        }
        for (map, call, entry) in updates.prefix(1000) {
            let definition = object.maps[map]
            guard definition.maxEntries < Self.mostTasks, !deleted.contains(map) else { continue }
            guard let key = keyOrigin(call) else { continue }
            let (location, path, detail) = place(of: call)
            report(
                "growing-map",
                "'\(definition.name)' gets an element for each \(key) and none is ever deleted; after "
                    + "\(definition.maxEntries) of them updates fail",
                operation: entry.name, location: location, path: path, detail: detail)
        }
        if !updates.isEmpty, updates.contains(where: { deleted.contains($0.map) }) {
            doubt("growing-map", "whether every element is deleted in time was not followed")
        }
        conclude("growing-map", applies: object.maps.contains { growing.contains($0.type) })
    }

    /// What the key of an update is, where it is a task's or a process's number; nil for all else.
    private func keyOrigin(_ call: StaticReach.Call) -> String? {
        let code = object.functions[call.function]
        // The key is a place in the frame: find the offset in the second argument, then what was stored there last.
        guard let offset = frameOffset(ofRegister: 2, before: call.slot, code) else { return nil }
        return origin(ofFrame: offset, before: call.slot, call.function, depth: 0)
    }

    private func origin(ofFrame offset: Int16, before slot: Int, _ function: Int, depth: Int) -> String? {
        let code = object.functions[function]
        for slot in stride(from: slot - 1, through: max(0, slot - 64), by: -1) {
            let instruction = code.instructions[slot]
            guard instruction.instructionClass == 0x03, instruction.opcode & 0xE0 == 0x60, instruction.dst == 10,
                instruction.offset == offset
            else { continue }
            return origin(ofRegister: instruction.src, before: slot, function, depth: depth)
        }
        return nil
    }

    private func frameOffset(ofRegister register: UInt8, before slot: Int, _ code: Function) -> Int16? {
        var sum = 0
        for slot in stride(from: slot - 1, through: max(0, slot - 16), by: -1) {
            let instruction = code.instructions[slot]
            guard instruction.dst == register else { continue }
            switch instruction.opcode {
            case 0x07: sum += Int(instruction.immediate)
            case 0xBF: return instruction.src == 10 ? Int16(exactly: sum) : nil
            default: return nil
            }
        }
        return nil
    }

    private func origin(ofRegister register: UInt8, before slot: Int, _ function: Int, depth: Int) -> String? {
        let code = object.functions[function]
        var register = register
        for slot in stride(from: slot - 1, through: max(0, slot - 64), by: -1) {
            let instruction = code.instructions[slot]
            if instruction.isCall {
                if register == 0 {
                    return instruction.src == 0 && instruction.immediate == Helper.currentTask ? "task" : nil
                }
                if register <= 5 { return nil }
                continue
            }
            guard instruction.dst == register, [0x00, 0x01, 0x04, 0x07].contains(instruction.instructionClass) else {
                continue
            }
            switch instruction.opcode {
            case 0xBF, 0xBC: register = instruction.src
            case 0x61 where instruction.src == 10, 0x79 where instruction.src == 10, 0x81 where instruction.src == 10:
                guard depth < 4 else { return nil }
                return origin(ofFrame: instruction.offset, before: slot, function, depth: depth + 1)
            case 0x61, 0x79, 0x81:
                guard let access = code.accesses[slot], access.structure == "task_struct" else { return nil }
                if access.path == ["pid"] { return "task" }
                return access.path == ["tgid"] ? "process" : nil
            // The halves of what bpf_get_current_pid_tgid() gives.
            case 0x67, 0x77, 0x47, 0x57, 0xC7: continue
            default: return nil
            }
        }
        // An argument: look at the callers.
        guard depth < 4, (1...5).contains(register), code.linkage == .static else { return nil }
        for caller in callers[function] ?? [] {
            if let origin = origin(ofRegister: register, before: caller.slot, caller.function, depth: depth + 1) {
                return origin
            }
        }
        return nil
    }
}
