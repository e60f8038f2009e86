// run-search: asks the repository every question of Tests/search/queries.tsv and counts how often an entry that answers it
// is among the first. Run by scripts/test search, as any user; the repository is made in a folder that is removed again.

import ArgumentParser
import Embedding
import Foundation
import Model
import Repository
import Search

extension PolicyRepository: SearchStore {}

@main
struct RunSearch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run-search", abstract: "Measures how well search finds the schedulers that answer a question.",
        discussion: "Exit status 0: every promise holds. 1: one does not. 64: wrong usage.")

    @Option(help: "The questions and their answers.")
    var questions = "Tests/search/queries.tsv"

    @Option(help: "The folder with the descriptions and sources of the schedulers, and with primitives/.")
    var descriptions = "bpf"

    @Option(help: "The folder with the compiled schedulers.")
    var objects = ".build/bpf"

    @Option(help: "The folder that scripts/fetch-model printed.")
    var model: String

    @Flag(help: "Also print the questions of the tuned half whose answer is not among the first three.")
    var misses = false

    /// What the first three hold, of the questions of each half.
    static let promised = 0.9

    func run() async throws {
        let questions = try Question.read(questions)
        let folder = FileManager.default.temporaryDirectory.appending(path: "run-search-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let repository = try await Library(descriptions: descriptions, objects: objects).repository(in: folder)
        let engine = SearchEngine(store: repository, embedder: try MiniLM(folder: model))
        let made = try await engine.makeVectors()
        print("\(made) entries, \(questions.count) questions\n")
        print(Self.line(["half", "by", "recall@1", "recall@3", "questions"]))
        var (passed, failed) = (0, 0)
        for half in Question.Half.allCases {
            let asked = questions.filter { $0.half == half }
            for means in SearchQuery.Means.allCases {
                let score = try await Self.score(asked, means, engine)
                print(Self.line([half.rawValue, means.rawValue, score.first, score.three, "\(asked.count)"]))
                if misses, half == .tuned, means == .hybrid { score.missed.forEach { print("    \($0)") } }
                if means != .hybrid { continue }
                if score.recall >= Self.promised { passed += 1 } else { failed += 1 }
            }
        }
        print("\n\(passed) passed, \(failed) failed")
        if failed > 0 { throw ExitCode(1) }
    }

    private static func score(
        _ questions: [Question], _ means: SearchQuery.Means, _ engine: SearchEngine
    ) async throws -> Score {
        var score = Score(questions: questions.count)
        for question in questions {
            let hits = try await engine.search(SearchQuery(question.text, limit: 3, means: means)).hits
            score.add(question, hits.map(\.record.entry.key.name.text))
        }
        return score
    }

    private static func line(_ cells: [String]) -> String {
        zip(cells, [10, 11, 10, 10, 9]).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined()
    }
}

struct Question {
    enum Half: String, CaseIterable {
        case tuned
        case heldOut = "held-out"
    }

    let half: Half
    let answers: Set<String>
    let text: String

    static func read(_ path: String) throws -> [Question] {
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        return try lines.filter { !$0.hasPrefix("#") }.map { line in
            let parts = line.split(separator: "\t").map(String.init)
            guard parts.count == 3, let half = Half(rawValue: parts[0]) else {
                throw Failure(.malformed, "\(path): no question: \(String(line).quotedForDisplay())")
            }
            return Question(half: half, answers: Set(parts[1].split(separator: "|").map(String.init)), text: parts[2])
        }
    }
}

struct Score {
    let questions: Int
    private var firsts = 0
    private var threes = 0
    private(set) var missed: [String] = []

    init(questions: Int) { self.questions = questions }

    mutating func add(_ question: Question, _ found: [String]) {
        if let first = found.first, question.answers.contains(first) { firsts += 1 }
        if question.answers.isDisjoint(with: found.prefix(3)) {
            missed.append("\(question.answers.sorted()) \(question.text): \(found)")
        } else {
            threes += 1
        }
    }

    var recall: Double { questions > 0 ? Double(threes) / Double(questions) : 0 }
    var first: String { String(format: "%.3f", questions > 0 ? Double(firsts) / Double(questions) : 0) }
    var three: String { String(format: "%.3f", recall) }
}
