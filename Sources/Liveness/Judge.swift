import BPFObject
import Model

/// Draws conclusions from the record: findings, and a verdict for each check.
struct Judge {
    let program: Program
    let record: Record
    private(set) var findings: [Finding] = []
    private(set) var outcomes: [CheckOutcome] = []
    /// By check: why it can be neither proved nor refuted.
    private var suspicions: [String: String] = [:]

    init(_ program: Program, _ record: Record) {
        self.program = program
        self.record = record
    }

    var events: [Event] { record.events }

    func events(_ kinds: Event.Kind...) -> [Event] { record.events.filter { kinds.contains($0.kind) } }

    func hasOperation(_ name: String) -> Bool { program.entries.contains { $0.kind == .operation && $0.name == name } }

    // MARK: conclusions

    /// - Parameter entries: whose paths the check is about; nil: all.
    mutating func conclude(_ check: String, applies: Bool = true, entries: [String]? = nil) {
        if program.options.disabled.contains(check) {
            findings.removeAll { $0.check == check }
            outcomes.append(CheckOutcome(check: check, verdict: .off))
            return
        }
        let count = findings.filter { $0.check == check }.count
        if count > 0 {
            outcomes.append(
                CheckOutcome(check: check, verdict: .refuted, reason: count == 1 ? "1 finding" : "\(count) findings"))
            return
        }
        if let reason = suspicions[check] {
            outcomes.append(CheckOutcome(check: check, verdict: .unknown, reason: reason))
            return
        }
        let open = record.incomplete.filter { entries == nil || entries?.contains($0.key) == true }.sorted {
            $0.key < $1.key
        }
        if let first = open.first {
            outcomes.append(
                CheckOutcome(
                    check: check, verdict: .unknown, reason: "not every path was followed: \(first.key): \(first.value)"
                ))
            return
        }
        outcomes.append(CheckOutcome(check: check, verdict: applies ? .proved : .notApplicable))
    }

    mutating func suspect(_ check: String, _ reason: String) {
        if suspicions[check] == nil { suspicions[check] = reason }
    }

    /// Refuted where the path is exact, else a suspicion.
    ///
    /// - Parameter lacks: the finding is that something happens nowhere: then all paths must have been seen.
    mutating func refute(
        _ check: String, at event: Event, _ message: String, detail: String = "", lacks: Bool = false
    ) {
        if lacks, let open = record.incomplete.min(by: { $0.key < $1.key }) {
            suspect(check, "not every path was followed: \(open.key): \(open.value); else: \(message)")
            return
        }
        guard event.isExact else {
            suspect(check, "a later round of a loop, or a value that changes meanwhile, may lead to: \(message)")
            return
        }
        add(
            check, message, location: location(event.function, event.ownSlot), operation: event.operation,
            path: steps(event.path), detail: detail)
    }

    mutating func add(
        _ check: String, _ message: String, location: SourceLocation?, operation: String, path: [PathStep] = [],
        detail: String = "", severity: Finding.Severity? = nil
    ) {
        let description = CheckCatalogue.named(check)
        let finding = Finding(
            stage: .static, check: check, severity: severity ?? description?.severity ?? .error, message: message,
            location: location, operation: operation, path: path, why: description?.why ?? "",
            remedy: description?.remedy ?? "", detail: detail)
        // One place is reported once for each check and operation.
        if findings.contains(where: {
            $0.check == check && $0.location == location && ($0.operation == operation || $0.message == message)
        }) {
            return
        }
        guard findings.filter({ $0.check == check }).count < 16 else { return }
        findings.append(finding)
    }

    // MARK: places

    /// The line of a slot; of one in a header, the last line of the scheduler's own file before it.
    func location(_ function: Int, _ slot: Int) -> SourceLocation? {
        guard program.object.functions.indices.contains(function) else { return nil }
        let code = program.object.functions[function]
        var own: SourceLocation?
        for line in code.lines {
            if line.slot > slot { break }
            if !line.location.file.hasSuffix(".h"), line.location.line > 0 { own = line.location }
        }
        return own ?? code.location(at: slot)
    }

    func line(_ function: Int, _ slot: Int) -> String {
        guard let location = location(function, slot) else { return "" }
        return "line \(location.line)"
    }

    static let pathLimit = 40

    /// The decisions that a person would have to follow.
    ///
    /// - Parameter end: where the path ends; its last line is the last step.
    func steps(_ path: PathNode?, to end: PathEnd? = nil) -> [PathStep] {
        var steps: [PathStep] = []
        for node in Self.nodes(path) {
            guard let place = location(node.function, node.slot) else { continue }
            let target = location(node.function, node.target)
            let note = target.map { decision(node.function, from: place, to: $0) } ?? "decides"
            let step = PathStep(location: place, note: note)
            if steps.last != step { steps.append(step) }
        }
        if let last = path, let place = location(last.function, last.target), end != nil,
            place.line != steps.last?.location.line, !isHead(place, of: last.function)
        {
            steps.append(PathStep(location: place, note: "goes on to the end"))
        }
        if steps.count > Self.pathLimit {
            steps.removeSubrange(Self.pathLimit / 2..<steps.count - Self.pathLimit / 2)
        }
        return steps
    }

    /// What a decision at `place` came to. The end of a function has the line of its head.
    private func decision(_ function: Int, from place: SourceLocation, to target: SourceLocation) -> String {
        if target.line == place.line { return "goes on in this line" }
        return isHead(target, of: function) ? "returns" : "goes on at line \(target.line)"
    }

    private func isHead(_ place: SourceLocation, of function: Int) -> Bool {
        program.object.functions[function].lines.first?.location.line == place.line
    }

    static func nodes(_ path: PathNode?) -> [PathNode] {
        var nodes: [PathNode] = []
        var current = path
        while let node = current {
            nodes.append(node)
            current = node.previous
        }
        return nodes.reversed()
    }

    /// How many decisions two paths share, from the start.
    static func shared(_ a: [PathNode], _ b: [PathNode]) -> Int {
        var count = 0
        while count < a.count, count < b.count,
            a[count] === b[count]
                || (a[count].function == b[count].function && a[count].slot == b[count].slot
                    && a[count].target == b[count].target)
        {
            count += 1
        }
        return count
    }
}
