// repository-writer: writes to a repository as fast as it can and prints each acknowledgement, until it is killed. Whatever
// it has printed must be there afterwards.

import Linux
import Model
import Repository

/// Usage: repository-writer FOLDER PREFIX WRITERS OUTCOMES
@main struct Writer {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let writers = Int(arguments[3]), let outcomes = Int(arguments[4]) else {
            throw Failure(.invalidArgument, "usage: repository-writer FOLDER PREFIX WRITERS OUTCOMES")
        }
        let (repository, report) = try PolicyRepository.open(arguments[1], at: Clock.realtime())
        guard report.isClean else { throw Failure(.storage, "\(report)") }
        let prefix = arguments[2]
        let backups = Task { await repository.keepBackups(every: .milliseconds(200)) { _ in } }
        defer { backups.cancel() }
        // A round has as many outcomes at once as there are writers, of an entry of its own.
        for round in 0..<max(1, outcomes / max(1, writers)) {
            let entry = Sample.entry(try SchedulerName("entry-\(prefix)-\(round)"))
            try await repository.add(entry, at: Clock.realtime())
            try acknowledge("entry \(entry.key)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<writers {
                    let id = "\(prefix).\(round).\(writer)"
                    group.addTask {
                        try await repository.record(Sample.outcome(id, of: entry), at: Clock.realtime())
                        try acknowledge("outcome \(id)")
                    }
                }
                try await group.waitForAll()
            }
        }
        try acknowledge("done")
    }

    /// One write, so that a line is there whole or not at all.
    private static func acknowledge(_ line: String) throws {
        try HostFile.write(Array("\(line)\n".utf8)[...], to: 1)
    }
}

enum Sample {
    static func entry(_ name: SchedulerName) -> PolicyEntry {
        PolicyEntry(
            key: EntryKey(name, SemanticVersion(1, 0, 0)), summary: "written while something goes wrong",
            description: String(repeating: "text ", count: 100), algorithm: "none", license: "GPL-2.0-only",
            targets: [Target(workloadClass: "batch", metric: "makespan")], kernelMinimum: "6.12",
            artifact: ArtifactStore.digest(Array(name.text.utf8)), provenance: Provenance(.person, maker: "a test"))
    }

    static func outcome(_ id: String, of entry: PolicyEntry) -> Outcome {
        Outcome(
            id: id, entry: entry.key, artifact: entry.artifact,
            workload: WorkloadProfile(workloadClass: "batch", features: ["tasks": 40]),
            machine: MachineShape(architecture: "x86_64", cpus: 2), kernel: "7.3.4",
            effect: Effect(metric: "makespan", better: .lower, ratio: 0.7, low: 0.65, high: 0.75, runs: 10),
            origin: .lab, trial: id, measuredBy: "a test", measuredAt: 1)
    }
}
