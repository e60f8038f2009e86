import ArgumentParser
import Diagnostics
import Foundation
import Linux
import Model
import Synchronization
import Verifier

/// One verification on the command line: findings as they come, the stages, the verdict, and the exit status.
struct VerifyRun {
    let command: Verify
    let verifier: Verifier

    func run(_ request: VerificationRequest) async throws(Failure) {
        let renderer = TextRenderer(
            isColoured: Terminal.isColoured, sources: Self.sources(of: request, shownAs: command.candidate),
            isVerbose: command.verbose)
        let printer = VerifyPrinter(
            renderer, name: request.candidate.name, isQuiet: command.json || command.sarif == "-")
        let report = try await printer.whileShowing { () async throws(Failure) in
            try await verifier.run(request) { printer.take($0) }
        }
        try finish(report, printer)
    }

    /// Prints what is printed at the end, and ends with the status.
    func finish(_ report: VerificationReport, _ printer: VerifyPrinter) throws(Failure) {
        let status = Self.status(of: report.verdict)
        printer.close(report.diagnosis)
        if command.json { print(JSONRenderer().text(report.diagnosis)) }
        if let sarif = command.sarif {
            let text = SARIFRenderer(
                version: Verifier.version, sources: printer.renderer.sources, exitStatus: Int(status)
            ).text(report.diagnosis)
            try Self.write(text, to: sarif)
        }
        if status != 0 { ThisProcess.exit(status) }
    }

    static func status(of verdict: VerificationReport.Verdict) -> Int32 {
        switch verdict {
        case .passed: 0
        case .refused: 1
        case .unable: 2
        }
    }

    static func sources(of request: VerificationRequest, shownAs path: String?) -> SourceTexts {
        var sources = SourceTexts()
        guard case .source(let name, let bytes) = request.candidate else { return sources }
        sources.add(
            name, text: String(decoding: bytes, as: UTF8.self), shownAs: path?.hasSuffix(".c") == true ? path : nil)
        return sources
    }

    static func write(_ text: String, to path: String) throws(Failure) {
        if path == "-" { return print(text, terminator: "") }
        do { try Data(text.utf8).write(to: URL(filePath: path), options: .atomic) } catch {
            throw Failure(
                .storage, "\(path.quotedForDisplay(limit: 200)) could not be written: \(error.localizedDescription)")
        }
    }
}

/// Prints events in their order, and what is being done when that takes longer than two seconds.
final class VerifyPrinter: Sendable {
    let renderer: TextRenderer
    private let name: String
    private let isQuiet: Bool
    /// What is being done at the moment.
    private let current = Mutex("")

    init(_ renderer: TextRenderer, name: String, isQuiet: Bool) {
        self.renderer = renderer
        self.name = name
        self.isQuiet = isQuiet
    }

    func take(_ event: VerificationEvent) {
        switch event {
        case .started(let stage): current.withLock { $0 = stage.rawValue }
        case .progress(let stage, let words): current.withLock { $0 = "\(stage.rawValue): \(words)" }
        case .finding(let finding): show(renderer.finding(finding, in: name))
        case .finished(let stage, _): show(renderer.stage(stage))
        }
    }

    private func show(_ text: String) {
        guard !isQuiet else { return }
        current.withLock { _ in
            Terminal.endProgress()
            print(text, terminator: "")
        }
    }

    func close(_ run: Diagnosis) { show(renderer.closing(run)) }

    func whileShowing<R: Sendable>(_ body: () async throws(Failure) -> R) async throws(Failure) -> R {
        guard Terminal.showsProgress else { return try await body() }
        let ticker = Task {
            try? await Task.sleep(for: .seconds(2))
            while !Task.isCancelled {
                current.withLock { if !$0.isEmpty { Terminal.progress($0) } }
                try? await Task.sleep(for: .milliseconds(500))
            }
        }
        defer {
            ticker.cancel()
            current.withLock { $0 = "" }
            Terminal.endProgress()
        }
        return try await body()
    }
}
