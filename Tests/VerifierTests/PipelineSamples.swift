import Model
import Synchronization
import TestSupport

@testable import Verifier

/// Stages that say what a test wants, and count how often they are asked.
final class FakeStages: Sendable {
    struct Script: Sendable {
        var compile = StageReport(.compile, .passed, log: "compiled\n")
        var object: [UInt8]? = [1, 2, 3]
        var analysis = StageReport(.static, .passed)
        /// What the micro-VM says before it ends.
        var trial: [StageParts.TrialStep] = [
            .progress("boots"), .finished(StageReport(.kernel, .passed, log: "verifier log\n")),
            .progress("fork-storm"), .finished(StageReport(.dynamic, .passed)),
        ]
        var toolchain = ["schedcp": "0.1.0", "clang": "21"]
        var kernel: Result<TargetKernel, Failure> = .success(FakeStages.kernel)
        /// The trial only ends when nobody listens any more.
        var neverEnds = false
    }

    static let kernel = TargetKernel(
        image: "/boot/vmlinuz-7.3.4", release: "7.3.4", buildID: "ab12", btf: [], btfDigest: "cd34",
        imageDigest: "ef56",
        typesHeader: [])

    let script: Mutex<Script>
    let asked = Mutex<[String: Int]>([:])

    init(_ change: (inout Script) -> Void = { _ in }) {
        var script = Script()
        change(&script)
        self.script = Mutex(script)
    }

    var parts: StageParts {
        StageParts(
            kernel: { [self] _ throws(Failure) in try script.withLock { $0 }.kernel.get() },
            toolchain: { [self] _, _ throws(Failure) in script.withLock { $0 }.toolchain },
            compile: { [self] _, _ in
                count("compile")
                let script = script.withLock { $0 }
                return .init(report: script.compile, object: script.compile.verdict == .passed ? script.object : nil)
            },
            analyse: { [self] _, _, _ in
                count("static")
                return script.withLock { $0 }.analysis
            },
            try: { [self] _, request, _ in
                count("trial")
                let script = script.withLock { $0 }
                return AsyncStream { steps in
                    for step in script.trial {
                        if case .finished(let stage) = step, stage.stage > request.lastStage { continue }
                        steps.yield(step)
                    }
                    if !script.neverEnds { steps.finish() }
                }
            })
    }

    private func count(_ name: String) { asked.withLock { $0[name, default: 0] += 1 } }

    func count(of name: String) -> Int { asked.withLock { $0[name] ?? 0 } }

    func verifier(in folder: TemporaryFolder? = nil, limits: VerificationLimits = VerificationLimits()) -> Verifier {
        var configuration = VerifierConfiguration(evidenceFolder: folder?.path("evidence"), cacheFolder: "/nonexistent")
        configuration.limits = limits
        return Verifier(configuration: configuration, parts: parts)
    }
}

enum Candidate {
    static let source = VerificationRequest(.source(name: "x.bpf.c", bytes: Array("int x;\n".utf8)))
    static let object = VerificationRequest(.object(name: "x.bpf.o", bytes: [0x7F, 0x45, 0x4C, 0x46]))

    static let lost = Finding(
        stage: .static, check: "lost-task", message: "a task is lost",
        location: SourceLocation(file: "x.bpf.c", line: 7, column: 3, text: "return;"))
}

/// Events in their order, as words.
final class EventLog: Sendable {
    private let words = Mutex<[String]>([])
    var all: [String] { words.withLock { $0 } }

    func take(_ event: VerificationEvent) {
        let word =
            switch event {
            case .started(let stage): "started \(stage.rawValue)"
            case .progress(let stage, let text): "\(stage.rawValue): \(text)"
            case .finding(let finding): "finding \(finding.check)"
            case .finished(let stage, _): "\(stage.stage.rawValue) \(stage.verdict.rawValue)"
            }
        words.withLock { $0.append(word) }
    }
}
