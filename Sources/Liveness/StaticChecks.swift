package import BPFObject
import Model

/// The checks that need no paths: they look at the table of operations, at what is called from where, and at maps.
package enum StaticChecks {
    package static let names = ["timeout", "ops-flags", "kfunc-context", "growing-map", "capabilities"]

    /// - Returns: one outcome for each of `names`, findings in the order of the checks, and estimates of cost.
    package static func run(_ object: ResolvedObject, _ options: AnalysisOptions) -> AnalysisResult {
        var judge = StaticJudge(object, options)
        judge.judgeProblems()
        judge.judgeTimeout()
        judge.judgeFlags()
        judge.judgeContext()
        judge.judgeMaps()
        judge.judgeCapabilities()
        return AnalysisResult(
            findings: judge.findings, outcomes: judge.outcomes, measurements: StaticCost.measure(object))
    }
}

struct StaticJudge {
    let object: ResolvedObject
    let options: AnalysisOptions
    /// What is reached from each place where the kernel enters the object.
    let entries: [StaticReach]
    private(set) var findings: [Finding] = []
    private(set) var outcomes: [CheckOutcome] = []
    private var doubts: [String: String] = [:]
    /// The first calls of each function.
    let callers: [Int: [StaticReach.Place]]

    init(_ object: ResolvedObject, _ options: AnalysisOptions) {
        self.object = object
        self.options = options
        entries = StaticReach.all(object)
        var callers: [Int: [StaticReach.Place]] = [:]
        for (index, function) in object.functions.enumerated() {
            for (slot, reference) in function.references.sorted(by: { $0.key < $1.key }) {
                guard case .call(let callee) = reference, callers[callee, default: []].count < 4 else { continue }
                callers[callee, default: []].append(StaticReach.Place(function: index, slot: slot))
            }
        }
        self.callers = callers
    }

    var table: OperationsTable? { object.scheduler }

    mutating func doubt(_ check: String, _ reason: String) {
        if doubts[check] == nil { doubts[check] = reason }
    }

    mutating func report(
        _ check: String, _ message: String, severity: Finding.Severity? = nil, operation: String = "",
        location: SourceLocation? = nil, path: [PathStep] = [], detail: String = ""
    ) {
        let description = CheckCatalogue.named(check)
        let severity = severity ?? description?.severity ?? .error
        // Of each severity so many: notes must not hide an error.
        guard findings.count(where: { $0.check == check && $0.severity == severity }) < 16,
            !findings.contains(where: { $0.check == check && $0.message == message && $0.location == location })
        else { return }
        findings.append(
            Finding(
                stage: .static, check: check, severity: severity, message: message,
                location: location, operation: operation, path: path, why: description?.why ?? "",
                remedy: description?.remedy ?? "", detail: detail))
    }

    /// What was reported of the check, as a verdict. Only errors refute, and notes say nothing against it.
    mutating func conclude(_ check: String, applies: Bool = true) {
        guard !options.disabled.contains(check) else {
            findings.removeAll { $0.check == check }
            outcomes.append(CheckOutcome(check: check, verdict: .off))
            return
        }
        let own = findings.filter { $0.check == check }
        let outcome: CheckOutcome
        if own.contains(where: { $0.severity == .error }) {
            let reason = own.count == 1 ? "1 finding" : "\(own.count) findings"
            outcome = CheckOutcome(check: check, verdict: .refuted, reason: reason)
        } else if let doubt = doubts[check] ?? own.first(where: { $0.severity == .warning })?.message {
            outcome = CheckOutcome(check: check, verdict: .unknown, reason: doubt)
        } else if let open = entries.first(where: { !$0.isComplete }), check != "timeout", check != "ops-flags" {
            outcome = CheckOutcome(
                check: check, verdict: .unknown, reason: "'\(open.name)' is too large to be followed everywhere")
        } else {
            outcome = CheckOutcome(check: check, verdict: applies ? .proved : .notApplicable)
        }
        outcomes.append(outcome)
    }

    /// What no loader could settle. There is no outcome: whoever reads objects has that.
    mutating func judgeProblems() {
        for problem in object.problems { report("object", problem.failure.message) }
    }

    /// Where the table is given a value for the member.
    func place(of member: String) -> SourceLocation? {
        table.flatMap { options.place(.member(member, table: $0.name)) }
    }

    /// Where a call is, in the scheduler's own file where it has one, and the calls that lead there.
    func place(of call: StaticReach.Call) -> (location: SourceLocation?, path: [PathStep], detail: String) {
        let real = object.functions[call.function].location(at: call.slot)
        let own = call.own.flatMap { object.functions[$0.function].location(at: $0.slot) } ?? real
        let path = call.chain.compactMap { site -> PathStep? in
            guard let location = object.functions[site.function].location(at: site.slot) else { return nil }
            let callee = object.functions[site.callee].name
            return PathStep(location: location, note: site.isCallback ? "passes \(callee)()" : "calls \(callee)()")
        }
        var detail = ""
        if let real, let own, real.file != own.file { detail = "in \(real.file):\(real.line): \(real.text)" }
        return (own, path, detail)
    }
}
