import ArgumentParser
import Diagnostics
import Foundation
import Linux
import Model
import SwiftProtobuf
import Verifier
import Wire

struct Verify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find out whether a scheduler is safe to run, without running it here.",
        discussion: """
            The candidate is compiled in a sandbox, its object is analysed, and it is loaded and tried on the target kernel
            in a virtual machine. No daemon is asked and no privilege needed. Findings are printed as a compiler does.

            EXAMPLES:
              schedctl verify mine.bpf.c                          all stages, a few loads
              schedctl verify mine.bpf.c --stage static           in less than a second, without a virtual machine
              schedctl verify vtime --param slice_us=5000 --effort full
              schedctl verify mine.bpf.o --kernel /boot/vmlinuz-7.3.4
              schedctl verify mine.bpf.c -I ../scx/scheds/include --sarif mine.sarif
              schedctl verify --explain lost-task
              schedctl verify --rerun vtime.intoto.json

            EXIT STATUS:
              0 passed   1 refused   2 it could not be verified   64 wrong usage
            """)

    @Argument(
        help: ArgumentHelp("C source (.c), an object (.o), or an installed scheduler.", valueName: "file|name"),
        completion: .file(extensions: ["c", "o"]))
    var candidate: String?
    @Option(
        name: .customShort("I"), help: ArgumentHelp("Let the source include from there too.", valueName: "folder"),
        completion: .directory)
    var include: [String] = []
    @Option(name: .shortAndLong, help: ArgumentHelp("Set a parameter; may be repeated.", valueName: "name=value"))
    var param: [String] = []
    @Option(
        help: ArgumentHelp(
            "Say how much CPU time a process or cgroup will need; may be repeated.",
            valueName: "process:NAME=TIME|cgroup:PATH=TIME"))
    var hint: [String] = []
    @Option(
        help: ArgumentHelp("The last stage: compile, static, kernel or dynamic.", valueName: "stage"),
        completion: .list(["compile", "static", "kernel", "dynamic"]))
    var stage = "dynamic"
    @Option(
        help: ArgumentHelp("quick: one machine, a few loads. full: every machine, every load.", valueName: "effort"),
        completion: .list(["quick", "full"]))
    var effort = "quick"
    @Option(
        help: ArgumentHelp(
            "The target kernel's image; by default the host's own, else the lab's.", valueName: "vmlinuz"),
        completion: .file())
    var kernel: String?
    @Option(
        help: ArgumentHelp(
            "Do again what this evidence or attestation is about, and compare.", valueName: "id|attestation"),
        completion: .file())
    var rerun: String?
    @Flag(help: "Do not answer from evidence of an earlier verification.") var noCache = false
    @Option(
        help: ArgumentHelp("Where evidence is kept; by default the user's cache.", valueName: "folder"),
        completion: .directory)
    var evidence: String?
    @Option(
        help: ArgumentHelp("Leave out a check; may be repeated.", valueName: "check"),
        completion: .custom { _, _, _ in CheckCatalogue.all.map(\.name) })
    var off: [String] = []
    @Flag(help: "Print JSON.") var json = false
    @Option(
        help: ArgumentHelp("Write SARIF 2.1.0 to this file; - for standard output.", valueName: "file"),
        completion: .file())
    var sarif: String?
    @Flag(name: .shortAndLong, help: "Print whole details.") var verbose = false
    @Flag(help: "List the checks.") var listChecks = false
    @Option(
        help: ArgumentHelp("Say what a check is about, and how to mend what it finds.", valueName: "check"),
        completion: .custom { _, _, _ in CheckCatalogue.all.map(\.name) })
    var explain: String?

    func validate() throws {
        if listChecks || explain != nil { return }
        if candidate == nil && rerun == nil {
            throw ValidationError("Name what to verify: a .bpf.c, a .bpf.o or an installed scheduler.")
        }
        if candidate != nil && rerun != nil {
            throw ValidationError("--rerun knows its candidate: name only one of them.")
        }
    }

    func run() async throws {
        do throws(Failure) {
            if listChecks { return CheckList.printAll(json: json) }
            if let explain { return try CheckList.explain(explain, json: json) }
            let verifier = Verifier(configuration: configuration())
            if let rerun {
                try await VerifyRerun(command: self, verifier: verifier).run(rerun)
            } else {
                try await VerifyRun(command: self, verifier: verifier).run(try request())
            }
        } catch {
            complain(error)
            throw ExitCode(Self.status(of: error))
        }
    }

    /// Only wrong requests are the caller's fault; everything else is a candidate that could not be verified.
    private static func status(of failure: Failure) -> Int32 {
        switch failure.code {
        case .invalidArgument, .notFound: 64
        default: 2
        }
    }

    private func complain(_ failure: Failure) {
        guard json else { return Terminal.complain(failure) }
        if let text = try? WireFailure(failure).jsonString() { print(text) }
    }

    private func configuration() -> VerifierConfiguration {
        var configuration = VerifierConfiguration.ofUser
        if let evidence { configuration.evidenceFolder = evidence }
        return configuration
    }
}

extension Verify {
    /// The request, with the candidate's bytes. Throws `.invalidArgument` and `.notFound`.
    func request() throws(Failure) -> VerificationRequest {
        guard let candidate else { throw Failure(.invalidArgument, "no candidate is named") }
        let file = try CandidateFile.locate(candidate)
        var request = VerificationRequest(try file.read())
        request.promises = file.promises()
        request.includeFolders = include
        for text in param { request.parameters.append(try SchedulerArguments.setting(text)) }
        for text in hint { request.hints.append(try SchedulerArguments.hint(text)) }
        request.lastStage = try Self.choice(stage, "--stage", VerificationStage.allCases.filter { $0 != .simulate })
        request.effort = try Self.choice(effort, "--effort", Effort.allCases)
        if let kernel { request.kernel = .image(kernel) }
        for check in off {
            guard CheckCatalogue.all.contains(where: { $0.name == check }) else { throw CheckList.unknown(check) }
        }
        request.rules.checksOff = Set(off)
        request.mayUseEvidence = !noCache
        return request
    }

    private static func choice<T: RawRepresentable<String>>(
        _ text: String, _ option: String, _ all: [T]
    ) throws(Failure) -> T {
        if let value = all.first(where: { $0.rawValue == text }) { return value }
        throw Failure(
            .invalidArgument, "\(option) \(text.quotedForDisplay()) is unknown",
            hint: "there are: " + all.map(\.rawValue).joined(separator: ", "))
    }
}
