/// Which loads there are, in what machine, and who is for what.
package struct LoadCase: Hashable, Sendable {
    package var name: String
    /// In the row of every scheduler; the others only in the rows of those that they are for.
    package var isGeneral: Bool
    /// Where the load needs other CPUs than the bench's usual ones.
    package var cpus: Int?
    package var kernelArguments: [String]

    /// As the repository calls such work.
    package var workloadClass: String

    package init(
        _ name: String, _ workloadClass: String, general: Bool = false, cpus: Int? = nil, kernelArguments: [String] = []
    ) {
        self.name = name
        self.workloadClass = workloadClass
        isGeneral = general
        self.cpus = cpus
        self.kernelArguments = kernelArguments
    }

    package static let all: [LoadCase] = [
        LoadCase("hackbench", "throughput", general: true), LoadCase("wakeup", "latency", general: true),
        LoadCase("interactive", "interactive", general: true), LoadCase("batch", "batch", general: true),
        LoadCase("compile", "build", general: true), LoadCase("shares", "mixed", general: true),
        LoadCase("deadline", "latency"), LoadCase("layers", "mixed"), LoadCase("cgroups", "mixed"),
        LoadCase("gang", "parallel"), LoadCase("pipeline", "pipeline"), LoadCase("light", "light", cpus: 4),
        // The kernel stops the tick of a busy CPU only where it was told to at boot.
        LoadCase("ticks", "batch", cpus: 4, kernelArguments: ["nohz_full=1-3"]),
    ]

    package static let purposes: [String: Purpose] = [
        "fifo": Purpose(load: "hackbench", metric: "throughput"),
        "vtime": Purpose(load: "interactive", metric: "response_p99"),
        "ljf": Purpose(load: "batch", metric: "makespan"),
        "srpt": Purpose(load: "batch", metric: "turnaround"),
        "latency": Purpose(load: "wakeup", metric: "wakeup_p99"),
        "deadline": Purpose(load: "deadline", metric: "deadlines_met"),
        "layered": Purpose(load: "layers", metric: "fairness"),
        "cgroupfair": Purpose(load: "cgroups", metric: "fairness"),
        "compact": Purpose(load: "light", metric: "sleep"),
        "tickless": Purpose(load: "ticks", metric: "interrupts"),
        "gang": Purpose(load: "gang", metric: "throughput"),
        "pipeline": Purpose(load: "pipeline", metric: "throughput"),
    ]

    /// What a user says of the load when that scheduler is deployed for it: a process' name and nanoseconds.
    package static func hints(_ scheduler: String, _ load: String) -> [(name: String, nanoseconds: UInt64)] {
        switch (scheduler, load) {
        case ("ljf", "batch"), ("srpt", "batch"): [("job-short", 30_000_000), ("job-long", 900_000_000)]
        case ("deadline", "deadline"):
            [
                ("periodic0", 10_000_000), ("periodic1", 15_000_000), ("periodic2", 20_000_000),
                ("periodic3", 40_000_000),
            ]
        default: []
        }
    }

    /// The loads of a scheduler's row: with words, those whose name is one of them; else the one that it is for, and the
    /// general ones unless only its own is wanted.
    package static func loads(for scheduler: String, named words: [String], onlyOwn: Bool = false) -> [LoadCase] {
        guard words.isEmpty else { return all.filter { words.contains($0.name) } }
        let own = purposes[scheduler]?.load
        return all.filter { ($0.isGeneral && !onlyOwn) || $0.name == own }
    }
}
