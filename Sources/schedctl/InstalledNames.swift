import Foundation

/// The schedulers installed on this machine, by the files' names: for the shell's completion, which must not wait.
enum InstalledNames {
    static let folder = "/usr/lib/schedcp/schedulers"

    static func read() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) }.sorted()
    }
}
