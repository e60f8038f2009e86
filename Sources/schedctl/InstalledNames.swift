import Foundation
import Linux

/// The schedulers installed on this machine, by the files' names: for the shell's completion, which must not wait.
enum InstalledNames {
    static let folder = "/usr/lib/schedcp/schedulers"

    static func read() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) }.sorted()
    }

    /// What can be changed of the scheduler that runs.
    static func tunables() -> [String] {
        guard let ops = TextFile.firstLine("/sys/kernel/sched_ext/root/ops") else { return [] }
        // The longest name: "vtime" is the beginning of "vtime2", too.
        guard let name = read().filter(ops.hasPrefix).max(by: { $0.count < $1.count }),
            let text = try? TextFile.read("\(folder)/\(name).toml", limit: 1 << 20)
        else { return [] }
        var (names, isInTunables) = ([String](), false)
        for line in text.split(separator: "\n") {
            if line.hasPrefix("[") { isInTunables = line.hasPrefix("[[tunables]]") }
            guard isInTunables, line.hasPrefix("name = \"") else { continue }
            names.append(String(line.dropFirst("name = \"".count).prefix { $0 != "\"" }))
        }
        return names
    }
}
