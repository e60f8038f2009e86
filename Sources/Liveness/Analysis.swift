package import BPFObject
import Model

extension Liveness {
    /// Judges an object by every static check.
    package static func analyse(
        _ object: ResolvedObject, options: AnalysisOptions = AnalysisOptions()
    ) -> AnalysisResult {
        let program = Program(object, options)
        let record = follow(program)
        var judge = Judge(program, record)
        judge.judgeTasks()
        judge.judgeQueues()
        judge.judgeServing()
        let other = StaticChecks.run(object, options)
        return AnalysisResult(
            findings: (judge.findings + other.findings).sorted(by: before),
            outcomes: judge.outcomes + other.outcomes, measurements: measurements(record) + other.measurements)
    }

    private static func before(_ a: Finding, _ b: Finding) -> Bool {
        (a.severity == .error ? 0 : 1, a.location?.line ?? 0, a.check) < (
            b.severity == .error ? 0 : 1, b.location?.line ?? 0, b.check
        )
    }

    /// Follows all entries, and the callbacks that they hand to the kernel.
    static func follow(_ program: Program) -> Record {
        var record = Record()
        var entries = program.entries
        var seen: Set<Int> = []
        var index = 0
        while index < entries.count {
            let entry = entries[index]
            index += 1
            let left = program.options.budget.totalSteps - record.steps
            guard left > 0 else {
                record.incomplete[entry.name] = "more than \(program.options.budget.totalSteps) instructions to follow"
                continue
            }
            let interpreter = Interpreter(
                program, entry, record: record, stepLimit: min(left, program.options.budget.steps))
            interpreter.run()
            record = interpreter.record
            record.steps += interpreter.steps
            record.paths += interpreter.paths
            record.work[entry.name] = (interpreter.steps, interpreter.paths, interpreter.pruned)
            if !interpreter.incomplete.isEmpty { record.incomplete[entry.name] = interpreter.incomplete }
            for (function, kind) in record.callbacks.sorted(by: { $0.key < $1.key })
            where seen.insert(function).inserted {
                entries.append(Program.Entry(name: kind, function: function, kind: .callback))
            }
        }
        return record
    }

    private static func measurements(_ record: Record) -> [Measurement] {
        var list = [
            Measurement("static.steps", value: Double(record.steps), unit: "instructions"),
            Measurement("static.paths", value: Double(record.paths), unit: "paths"),
        ]
        for (operation, work) in record.work.sorted(by: { $0.key < $1.key }) {
            list.append(
                Measurement("static.steps", subject: operation, value: Double(work.steps), unit: "instructions"))
            list.append(Measurement("static.paths", subject: operation, value: Double(work.paths), unit: "paths"))
        }
        let longest = Dictionary(grouping: record.ends, by: \.operation).mapValues { $0.map(\.steps).max() ?? 0 }
        for (operation, steps) in longest.sorted(by: { $0.key < $1.key }) {
            list.append(
                Measurement("static.longest-path", subject: operation, value: Double(steps), unit: "instructions"))
        }
        return list
    }
}
