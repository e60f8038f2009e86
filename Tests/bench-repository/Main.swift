// bench-repository: how search, inserts, files and memory of the repository grow with the number of entries. Run by
// scripts/bench repository, as any user; it writes only below a folder that it removes again.

import ArgumentParser
import Embedding
import Foundation
import Model
import Repository
import Search

extension PolicyRepository: SearchStore {}

@main
struct BenchRepository: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-repository", abstract: "Measures the policy repository at several sizes.")

    @Option(parsing: .upToNextOption, help: "Numbers of entries.")
    var sizes = [100, 10_000, 100_000]

    @Option(help: "The folder that scripts/fetch-model printed.")
    var model: String

    @Option(help: "Questions, one in the last column of each line.")
    var questions = "Tests/search/queries.tsv"

    @Option(help: "How often each question is asked.")
    var rounds = 3

    func run() async throws {
        let real = try MiniLM(folder: model)
        let asked = try String(contentsOfFile: questions, encoding: .utf8).split(separator: "\n")
            .filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: "\t").last.map(String.init) }
        print("a vector of a question: \(try await Self.times(asked, rounds) { _ = try await real.vector(for: $0) })")
        for size in sizes { try await measure(size, asked, real) }
    }

    private func measure(_ size: Int, _ asked: [String], _ real: MiniLM) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (repository, _) = try PolicyRepository.open(folder, at: 1)
        let clock = ContinuousClock()
        let inserted = try await clock.measure { try await Self.fill(repository, size) }
        let engine = SearchEngine(store: repository, embedder: SyntheticSentences(real))
        let stored = try await clock.measure { try await engine.makeVectors() }
        let first = try await clock.measure { _ = try await engine.search(SearchQuery("anything at all")) }
        print(
            """

            \(size) entries: inserted \(Self.rate(size, inserted)) a second; vectors stored \(Self.rate(size, stored)) a \
            second; index loaded and first question answered in \(Self.text(Self.milliseconds(first))) ms
            """)
        for means in SearchQuery.Means.allCases {
            let times = try await Self.times(asked, rounds) { text in
                _ = try await engine.search(SearchQuery(text, means: means))
            }
            print("  search by \(means.rawValue.padding(toLength: 10, withPad: " ", startingAt: 0)) \(times)")
        }
        print(
            "  files \(Self.text(Self.megabytes(below: folder))) MB, memory \(Self.text(Self.residentMegabytes())) MB")
        try await repository.close()
    }

    /// Sixty-four at a time, as many clients would.
    private static func fill(_ repository: PolicyRepository, _ size: Int) async throws {
        let words = SyntheticWords()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<size {
                if number >= 64 { try await group.next() }
                let entry = try words.entry(number)
                group.addTask { _ = try await repository.add(entry, at: Int64(number + 1)) }
            }
            try await group.waitForAll()
        }
    }

    private static func times(
        _ questions: [String], _ rounds: Int, _ ask: (String) async throws -> Void
    ) async throws -> String {
        let clock = ContinuousClock()
        var times: [Double] = []
        for _ in 0..<max(1, rounds) {
            for question in questions {
                times.append(milliseconds(try await clock.measure { try await ask(question) }))
            }
        }
        times.sort()
        func at(_ part: Double) -> String { text(times[min(times.count - 1, Int(Double(times.count) * part))]) }
        return "p50 \(at(0.5)) ms, p99 \(at(0.99)) ms, most \(at(1)) ms (\(times.count) questions)"
    }

    private static func rate(_ count: Int, _ time: Duration) -> String {
        String(format: "%.0f", Double(count) / max(milliseconds(time) / 1000, 1e-9))
    }

    private static func milliseconds(_ time: Duration) -> Double {
        Double(time.components.seconds) * 1e3 + Double(time.components.attoseconds) / 1e15
    }

    private static func text(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func megabytes(below folder: String) -> Double {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        let sizes = names.map { name in
            (try? FileManager.default.attributesOfItem(atPath: folder + "/" + name))?[.size] as? Int ?? 0
        }
        return Double(sizes.reduce(0, +)) / 1e6
    }

    /// VmRSS of this process, which holds the repository, the index and the model.
    private static func residentMegabytes() -> Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Double($0) } ?? 0) * 1024 / 1e6
    }
}
