import Glibc
import Linux

/// One load: makes workers on the stage, lets them go, and says what came of it; nil where nothing sensible did. The
/// stage ends the workers.
struct Load: Sendable {
    let name: String
    let run: @Sendable (Stage) -> [Figure]?
    var obstacle: @Sendable (Stage) -> String? = { _ in nil }
}

enum Catalogue {
    static let all: [Load] = [
        Load(name: "hackbench", run: Programs.hackbench) { _ in
            access(Programs.hackbenchPath, X_OK) == 0 ? nil : "there is no hackbench in this machine"
        },
        Load(name: "wakeup", run: Latencies.wakeup), Load(name: "interactive", run: Latencies.interactive),
        Load(name: "batch", run: Batches.batch),
        Load(name: "compile", run: Programs.compile) { _ in
            access(Programs.compilerPath, X_OK) == 0 ? nil : "there is no compiler in this machine"
        },
        Load(name: "shares", run: Shares.byNice), Load(name: "deadline", run: Latencies.deadline),
        Load(name: "layers", run: Shares.layers), Load(name: "cgroups", run: Shares.cgroups),
        Load(name: "light", run: Quiet.light), Load(name: "ticks", run: Quiet.ticks),
        Load(name: "gang", run: Parallel.gang), Load(name: "pipeline", run: Parallel.pipeline),
    ]
}
