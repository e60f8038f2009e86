import Model
import Verifier

/// Runs the cases: all of them through the stages that need no machine, then those that were not refused in micro-VMs.
struct Runner: Sendable {
    var verifier: Verifier
    var choice: VerificationRequest.KernelChoice
    var staticOnly: Bool
    var mayUseEvidence: Bool
    var jobs: Int
    var machines: Int
    /// Told in the order in which they end.
    var progress: @Sendable (Outcome) -> Void

    /// In the order of `cases`.
    func run(_ cases: [Case]) async -> [Outcome] {
        let first = await each(cases, atATime: jobs) { await judge($0, upTo: .static) }
        var outcomes = first
        guard !staticOnly else {
            for outcome in outcomes { progress(outcome) }
            return outcomes
        }
        for outcome in outcomes where outcome.refusedBy != nil { progress(outcome) }
        let left = outcomes.indices.filter { outcomes[$0].refusedBy == nil && !outcomes[$0].isUndecided }
        let second = await each(left.map { cases[$0] }, atATime: machines) { entry in
            // Where nothing is promised, whether it loads is all that is asked.
            let outcome = await judge(entry, upTo: entry.expectation == .anything ? .kernel : .dynamic)
            progress(outcome)
            return outcome
        }
        for (index, outcome) in zip(left, second) { outcomes[index] = outcome }
        return outcomes
    }

    private func judge(_ entry: Case, upTo stage: VerificationStage) async -> Outcome {
        var request = VerificationRequest(entry.candidate)
        request.parameters = entry.parameters.map { Setting(name: $0.name, value: $0.value) }
        request.promises = entry.promises
        request.lastStage = stage
        request.kernel = choice
        request.mayUseEvidence = mayUseEvidence
        for check in entry.notPromised { request.rules.severities[check] = .warning }
        do throws(Failure) {
            return Outcome(entry: entry, report: try await verifier.run(request))
        } catch {
            return Outcome(entry: entry, trouble: error.message)
        }
    }

    private func each(
        _ cases: [Case], atATime limit: Int, _ body: @escaping @Sendable (Case) async -> Outcome
    ) async -> [Outcome] {
        await withTaskGroup(of: (Int, Outcome).self) { group in
            var outcomes: [Outcome?] = Array(repeating: nil, count: cases.count)
            var next = 0
            func start() {
                guard next < cases.count else { return }
                let index = next
                next += 1
                group.addTask { (index, await body(cases[index])) }
            }
            for _ in 0..<limit { start() }
            for await (index, outcome) in group {
                outcomes[index] = outcome
                start()
            }
            return outcomes.compactMap { $0 }
        }
    }
}
