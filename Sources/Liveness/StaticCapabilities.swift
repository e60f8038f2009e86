import BPFObject
import Model

/// What a program may use beyond scheduling. Patterns are names in which `*` stands for any characters; a denial is
/// stronger than a permission.
package struct ProgramCapabilities: Hashable, Sendable {
    package struct Patterns: Hashable, Sendable {
        package var permitted: [String]
        package var denied: [String]

        package init(permitted: [String] = [], denied: [String] = []) {
            self.permitted = permitted
            self.denied = denied
        }

        func denies(_ name: String) -> Bool { denied.contains { Self.matches($0, name) } }
        func permits(_ name: String) -> Bool { permitted.contains { Self.matches($0, name) } }

        /// Linear in the length of both: each `*` takes as little as it can.
        static func matches(_ pattern: String, _ name: String) -> Bool {
            let pattern = Array(pattern.utf8)
            let name = Array(name.utf8)
            var (p, n) = (0, 0)
            var (star, mark) = (-1, 0)
            while n < name.count {
                if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                    (star, mark) = (p, n)
                    p += 1
                } else if p < pattern.count, pattern[p] == name[n] {
                    p += 1
                    n += 1
                } else if star >= 0 {
                    p = star + 1
                    mark += 1
                    n = mark
                } else {
                    return false
                }
            }
            return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
        }
    }

    package var kernelFunctions: Patterns
    /// As in `bpf_send_signal`.
    package var helpers: Patterns
    /// As in `ringbuf`, `hash`, `prog_array`.
    package var mapTypes: Patterns
    package var mayReadUserMemory: Bool

    package init(
        kernelFunctions: Patterns = Patterns(), helpers: Patterns = Patterns(), mapTypes: Patterns = Patterns(),
        mayReadUserMemory: Bool = false
    ) {
        self.kernelFunctions = kernelFunctions
        self.helpers = helpers
        self.mapTypes = mapTypes
        self.mayReadUserMemory = mayReadUserMemory
    }
}

extension StaticJudge {
    /// Operations that run for every task or every switch: what they do, they do all the time.
    private static let busy: Set = [
        "select_cpu", "select_cid", "enqueue", "dequeue", "dispatch", "runnable", "running", "stopping", "quiescent",
        "tick",
        "update_idle", "core_sched_before",
    ]

    mutating func judgeCapabilities() {
        let rules = options.programCapabilities
        for map in object.maps where map.role == .declared {
            let kind = MapKind.name(map.type)
            if rules.mapTypes.denies(kind) {
                report(
                    "capabilities", "the rules deny maps of the kind \(kind), such as '\(map.name)'",
                    location: options.place(.map(map.name)))
            }
            if map.isPinned, !rules.mapTypes.permits("pinned") {
                report(
                    "capabilities",
                    "'\(map.name)' is pinned: it would outlive the scheduler, and others could write it",
                    location: options.place(.attribute("pinning", map: map.name)))
            }
        }
        for entry in entries {
            for call in entry.calls { judgeCapability(call, entry, rules) }
        }
        conclude("capabilities")
    }

    private mutating func judgeCapability(
        _ call: StaticReach.Call, _ entry: StaticReach, _ rules: ProgramCapabilities
    ) {
        var severity: Finding.Severity?
        let looked = findings.count { $0.check == "capabilities" }
        let message: String
        switch call.target {
        case .poison: return
        case .kernel(let name, let isAvailable):
            guard isAvailable else { return }
            if rules.kernelFunctions.denies(name) {
                message = "the rules deny \(name)()"
            } else if let use = HelperUse.ofFunction(name), !rules.kernelFunctions.permits(name),
                !(use == .readsUser && rules.mayReadUserMemory)
            {
                message = "\(name)() \(use.rawValue)"
            } else {
                return
            }
        case .helper(let number):
            let name = HelperUse.names[number] ?? "helper \(number)"
            if rules.helpers.denies(name) {
                message = "the rules deny \(name)()"
            } else if let use = HelperUse.ofHelper(number), !rules.helpers.permits(name),
                !(use == .readsUser && rules.mayReadUserMemory)
            {
                message = "\(name)() \(use.rawValue)"
                // Now and then a line is a help; at every wakeup it is a brake.
                if use == .prints, looked >= 64 || !(Self.busy.contains(entry.name) && isUnavoidable(call, entry)) {
                    severity = .note
                }
            } else {
                return
            }
        }
        let (location, path, detail) = place(of: call)
        report(
            "capabilities", message, severity: severity, operation: entry.name, location: location, path: path,
            detail: detail)
    }

    /// Is there no way through the operation past the call?
    private func isUnavoidable(_ call: StaticReach.Call, _ entry: StaticReach) -> Bool {
        guard call.function == entry.function else { return false }
        let code = object.functions[entry.function].instructions
        var seen: Set<Int> = [0]
        var open = [0]
        while let slot = open.popLast() {
            if slot == call.slot { continue }
            if code[slot].isExit { return false }
            for next in Flow.successors(code, slot) where seen.insert(next).inserted { open.append(next) }
        }
        return true
    }
}
