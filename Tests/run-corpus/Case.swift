import FoundationEssentials
import Model
import Verifier

/// A scheduler of the corpus, and what is expected of it.
struct Case: Sendable {
    enum Expectation: Hashable, Sendable {
        /// One planted flaw.
        case flawed(Mark)
        case accepted
        /// Refused, by one of these checks where any is named.
        case refused(checks: [String])
        /// Nothing is promised: run for information.
        case anything
    }

    enum Origin: String, Sendable, CaseIterable {
        case flawed, good, shipped, examples, selftests
    }

    var name: String
    var origin: Origin
    var candidate: VerificationRequest.Candidate
    var parameters: [(name: String, value: String)] = []
    var expectation: Expectation
    /// What its description promises.
    var promises: [String: String] = [:]
    /// Checks whose findings are warnings here: what this policy does not promise.
    var notPromised: [String] = []

    /// What kind of flaw it is: the word before the first hyphen.
    var kind: String { String(name.prefix { $0 != "-" }) }
}

/// The comment that marks a planted flaw: `/* FLAW check[,check] stage */`, in the line above the flawed one.
struct Mark: Hashable, Sendable {
    /// Any of these is the right name for it.
    var checks: [String]
    /// The first stage that is expected to refuse it.
    var stage: VerificationStage
    /// Counts from 1: the mark's own line.
    var line: Int

    /// What a task that does not run is called, by who sees it first: the judge while others run, or after they ended,
    /// the kernel's watchdog, or the one who finds the scheduler gone.
    static let waits = ["starvation", "never-ran", "stall", "ejected"]

    /// The flawed statement begins below the mark; its second line is as good.
    var lines: ClosedRange<Int> { line + 1...line + 2 }

    init?(in source: String) {
        for (index, text) in source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = text.split { $0 == " " || $0 == "\t" }
            guard words.count == 5, words[0] == "/*", words[1] == "FLAW", words[4] == "*/",
                let stage = VerificationStage(rawValue: String(words[3]))
            else { continue }
            let checks = words[2].split(separator: ",").map(String.init)
            let isWait = stage == .dynamic && checks.contains { Self.waits.contains($0) }
            self.checks = isWait ? checks + Self.waits.filter { !checks.contains($0) } : checks
            self.stage = stage
            self.line = index + 1
            return
        }
        return nil
    }
}

struct CorpusFailure: Error, CustomStringConvertible {
    var description: String
}

/// The schedulers that are our own: those with a flaw, those that only look so, and those that are installed.
struct CorpusFolder {
    var path: String
    /// bpf/
    var shipped: String

    func cases() throws -> [Case] {
        try read(path + "/flawed", .flawed) + read(path + "/good", .good) + read(shipped, .shipped)
    }

    private func read(_ folder: String, _ origin: Case.Origin) throws -> [Case] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".bpf.c") }
        return try names.sorted().map { file in
            guard let bytes = FileManager.default.contents(atPath: folder + "/" + file).map({ [UInt8]($0) }) else {
                throw CorpusFailure(description: "\(folder)/\(file) cannot be read")
            }
            var expectation = Case.Expectation.accepted
            if origin == .flawed {
                guard let mark = Mark(in: String(decoding: bytes, as: UTF8.self)) else {
                    throw CorpusFailure(description: "\(folder)/\(file) has no mark: /* FLAW check stage */")
                }
                expectation = .flawed(mark)
            }
            return Case(
                name: String(file.dropLast(".bpf.c".count)), origin: origin,
                candidate: .source(name: file, bytes: bytes), expectation: expectation,
                promises: DescriptionPromises.beside("\(folder)/\(file)"))
        }
    }
}

/// The kernel's own schedulers: names and expectations in a table, objects from scripts/kernel-corpus.
struct KernelTable {
    var path: String

    func cases(objects: String) throws -> [Case] {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CorpusFailure(description: "\(path) cannot be read")
        }
        let rows = String(decoding: bytes, as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }
        return try rows.compactMap { try self.row($0, objects) }
    }

    private func row(_ text: Substring, _ objects: String) throws -> Case? {
        let fields = text.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 7, let origin = Case.Origin(rawValue: fields[0]) else {
            throw CorpusFailure(description: "\(path): not a row of seven fields: \(text)")
        }
        let list = { (field: String) in field.split(separator: ",").map(String.init) }
        let expectation: Case.Expectation
        switch fields[2] {
        case "accept": expectation = .accepted
        case "refuse": expectation = .refused(checks: list(fields[3]))
        case "any": expectation = .anything
        case "skip": return nil
        default: throw CorpusFailure(description: "\(path): no expectation: '\(fields[2])'")
        }
        let file = fields[1] + ".bpf.o"
        guard let object = FileManager.default.contents(atPath: "\(objects)/\(fields[0])/\(file)") else {
            throw CorpusFailure(description: "\(objects)/\(fields[0])/\(file) is not there; run scripts/kernel-corpus")
        }
        let parameters = list(fields[4]).compactMap { text -> (name: String, value: String)? in
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            return parts.count == 2 ? (parts[0], parts[1]) : nil
        }
        return Case(
            name: fields[1], origin: origin, candidate: .object(name: file, bytes: [UInt8](object)),
            parameters: parameters, expectation: expectation, notPromised: list(fields[5]))
    }
}
