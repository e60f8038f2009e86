import Glibc
import Linux

/// Loads that are programs of others.
enum Programs {
    static let hackbenchPath = "/usr/bin/hackbench"
    static let compilerPath = "/opt/bench/usr/bin/tcc"
    private static let outputPath = "/tmp/bench-output"

    /// Groups of 20 senders and 20 receivers that pass messages over pipes.
    static func hackbench(_ stage: Stage) -> [Figure]? {
        let loops = max(5, 100 * stage.percent / 100)
        guard let seconds = run([hackbenchPath, "-p", "-g", "1", "-l", "\(loops)"]) else { return nil }
        let said = (try? TextFile.read(outputPath)) ?? ""
        guard let line = said.split(separator: "\n").last(where: { $0.hasPrefix("Time:") }),
            let time = line.split(separator: " ").last.flatMap({ Double($0) }), time > 0, seconds > 0
        else { return nil }
        return [Figure("throughput", Double(400 * loops) / time)]
    }

    /// `make -j` with twice as many jobs as CPUs.
    static func compile(_ stage: Stage) -> [Figure]? {
        let files = max(2, 24 * stage.percent / 100)
        let arguments = [
            "/opt/bench/usr/bin/make", "-s", "-C", "/opt/bench/tree", "-j", "\(2 * stage.cpus.count)", "COUNT=\(files)",
        ]
        guard let seconds = run(arguments) else { return nil }
        return [Figure("makespan", seconds * 1e9), Figure("throughput", Double(files) / seconds)]
    }

    /// Seconds that a program took as an ordinary task; nil where it failed.
    private static func run(_ arguments: [String]) -> Double? {
        let start = Work.now
        let process = try? Worker.fork {
            Worker.endWithParent()
            let file = open(outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            if file >= 0 {
                dup2(file, 1)
                dup2(file, 2)
            }
            setenv("PATH", "/opt/bench/usr/bin:/usr/bin:/bin", 1)
            Worker.execute(arguments)
            return 127
        }
        guard let process else { return nil }
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        guard status == 0 else { return nil }
        return Double(Work.now - start) / 1e9
    }

    /// What a program printed; nil where it failed.
    static func output(of arguments: [String]) -> String? {
        run(arguments) == nil ? nil : try? TextFile.read(outputPath, limit: 1 << 20)
    }
}
