import Foundation
import Linux
import Model
import TestSupport
import Testing

@testable import Verifier

/// What a program in the sandbox can do: shell scripts in the place of a compiler that an attacker took over.
@Suite(.timeLimit(.minutes(5))) struct SandboxTests {
    private static func compile(_ script: String, seconds: Int = 30) async throws -> CompileResult {
        let folder = try TemporaryFolder()
        let stage = try await Compiling.stage(fake: script, in: folder, seconds: seconds)
        return await stage.run(source: Compiling.scheduler(""), name: "x.bpf.c", typesHeader: Compiling.fewTypes)
    }

    /// A shell in a folder of its own: what it said, and how it ended.
    private static func shell(
        _ script: String, readable: [String] = [], environment: [String] = []
    ) async throws -> SandboxChild.Outcome {
        let folder = try TemporaryFolder()
        let limits = SandboxChild.Limits(
            memory: 256 << 20, file: 1 << 20, cpuSeconds: 2, milliseconds: 10_000, output: 64 << 10)
        let user: UInt32? = Checkout.isRoot ? SandboxFiles.nobody : nil
        if let user { try SandboxFiles.give(folder.path, to: user) }
        return try await Sandbox.find().run(
            Sandbox.Job(
                program: "/bin/sh", arguments: ["-c", script], folder: folder.path, readable: readable,
                limits: limits, environment: environment, user: user))
    }

    @Test func itRunsAndSaysWhatItSays() async throws {
        let outcome = try await Self.shell("echo out; echo err >&2; exit 3")
        #expect(outcome.end == .exited(3))
        #expect(String(decoding: outcome.output, as: UTF8.self) == "out\n")
        #expect(String(decoding: outcome.errors, as: UTF8.self) == "err\n")
    }

    @Test(arguments: [
        "read line </etc/passwd", "read line </proc/self/environ", "cd /etc && for f in *; do echo $f; done | read x",
        "echo >/tmp/schedcp-sandbox-was-here", "echo >/dev/shm/schedcp-sandbox-was-here",
        "exec /usr/bin/env", "exec /usr/bin/unshare -U", "exec 3<>/dev/tcp/127.0.0.1/22",
    ])
    func whatItHasNoNeedOfItDoesNotGet(_ script: String) async throws {
        let outcome = try await Self.shell("\(script); exit 0")
        #expect(outcome.end != .exited(0) || !outcome.errors.isEmpty, "\(script) worked")
        #expect(!HostFile.exists("/tmp/schedcp-sandbox-was-here"))
    }

    @Test func itWritesInItsFolderOnly() async throws {
        let outcome = try await Self.shell("echo text >file && read line <file && echo $line")
        #expect(String(decoding: outcome.output, as: UTF8.self) == "text\n")
    }

    @Test func aForkBombDoesNotGetOff() async throws {
        let outcome = try await Self.shell("f() { f | f & }; f; echo $?")
        #expect(outcome.end != .exited(0) || outcome.output.isEmpty)
        #expect(String(decoding: outcome.errors, as: UTF8.self).contains("fork"))
    }

    @Test func itHasNoPrivilegeAndGetsNone() async throws {
        let outcome = try await Self.shell(
            "while read line; do case $line in Cap*|NoNewPrivs*|Seccomp:*|Uid*) echo $line;; esac; done </proc/self/status",
            readable: ["/proc"])
        let facts = String(decoding: outcome.output, as: UTF8.self)
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] { #expect(facts.contains("\(set): 0000000000000000")) }
        #expect(facts.contains("NoNewPrivs: 1"))
        #expect(facts.contains("Seccomp: 2"))
        if Checkout.isRoot { #expect(facts.contains("Uid: 65534 65534 65534 65534")) }
    }

    @Test func nothingOfOurEnvironmentOrDescriptorsIsThere() async throws {
        let kept = try Descriptor.open("/dev/null")
        let outcome = try await Self.shell("set; echo fds; cd /proc/self/fd; echo *", readable: ["/proc"])
        withExtendedLifetime(kept) {}
        let text = String(decoding: outcome.output, as: UTF8.self)
        for name in ProcessInfo.processInfo.environment.keys
        where !["PATH", "HOME", "LC_ALL", "TMPDIR", "PWD"].contains(name) {
            #expect(!text.contains("\n\(name)="), "\(name)")
        }
        // The last is the folder that the shell is reading.
        #expect(text.hasSuffix("fds\n0 1 2 3\n"))
    }

    @Test func itsOutputIsBounded() async throws {
        let outcome = try await Self.shell("while :; do echo 0123456789012345678901234567890123456789; done")
        #expect(outcome.isOutputCut)
        #expect(outcome.output.count == 64 << 10)
        #expect(outcome.end == .signal(24) || outcome.end == .signal(9))
    }

    @Test func itsFilesAreBounded() async throws {
        let outcome = try await Self.shell(
            "x=0123456789012345678901234567890123456789012345678901234567890123; while echo $x$x$x$x; do :; done >file")
        #expect(outcome.end != .exited(0))
    }

    @Test func aCompilerThatHangsAndWillNotEndIsEnded() async throws {
        let result = try await Self.compile(
            "trap '' TERM INT HUP XCPU; read x </dev/zero; while :; do :; done", seconds: 1)
        #expect(result.report.verdict == .failed)
        #expect(result.report.findings.map(\.check) == ["compile-limits"])
    }

    @Test func aCompilerThatSaysNothingIsAFailure() async throws {
        let result = try await Self.compile("exit 1")
        #expect(result.report.verdict == .failed)
        #expect(result.report.findings.first?.message.contains("said nothing") == true)
    }

    @Test func aCompilerThatMakesNothingIsNoSuccess() async throws {
        let result = try await Self.compile("exit 0")
        #expect(result.report.verdict != .passed)
        #expect(result.object == nil)
    }

    @Test func aCompilerThatCrashesIsSaidTo() async throws {
        let result = try await Self.compile("kill -SEGV $$; ulimit -v 1; exec /bin/sh")
        #expect(result.report.verdict == .failed)
    }

    /// The object is read as what it is: a link to another file is none.
    @Test func whatItLeavesIsNotFollowed() async throws {
        let result = try await Self.compile("echo x >object.o; echo object: /etc/passwd >object.d; exit 0")
        #expect(result.object == nil)
        #expect(result.report.findings.contains { $0.message.contains("/etc/passwd") })
    }

    @Test func acompilerThatIsMissingIsTheMachinesFault() async throws {
        let real = try await Compiling.stage()
        var toolchain = real.toolchain
        toolchain.clang = "/nonexistent/clang"
        let stage = CompileStage(toolchain: toolchain, headers: real.headers, sandbox: real.sandbox)
        let result = await stage.run(source: Compiling.scheduler(""), name: "x.bpf.c", typesHeader: Compiling.fewTypes)
        #expect(result.report.verdict == .unable)
        #expect(result.report.findings.first?.message.contains("/nonexistent/clang") == true)
    }

    @Test func aCancelledCompilationEndsAtOnce() async throws {
        let task = Task { try await Self.compile("while :; do read x </dev/zero; done", seconds: 60) }
        try await Task.sleep(for: .milliseconds(200))
        task.cancel()
        let result = try await task.value
        #expect(result.report.verdict == .unable)
        #expect(result.report.log.contains("cancelled"))
    }
}

/// The layer for kernels without Landlock, where this machine has bubblewrap and lets it make namespaces.
@Suite(.timeLimit(.minutes(5))) struct BubblewrapTests {
    private static func stage() async throws -> CompileStage? {
        guard let path = HostFile.program("bwrap") else { return nil }
        let sandbox = Sandbox(layer: .bubblewrap(path))
        guard await sandbox.works() else { return nil }
        let real = try await Compiling.stage()
        return CompileStage(
            toolchain: real.toolchain, headers: real.headers, sandbox: sandbox, limits: real.limits)
    }

    @Test func itGivesTheSameObject() async throws {
        guard let stage = try await Self.stage() else { return }
        let source = Compiling.scheduler("int x = 1;")
        let here = await stage.run(source: source, name: "x.bpf.c", typesHeader: Compiling.fewTypes)
        let there = try await Compiling.stage().run(source: source, name: "x.bpf.c", typesHeader: Compiling.fewTypes)
        #expect(here.object != nil, "\(here.report)")
        #expect(here.object == there.object)
    }

    @Test func itHidesTheSameFiles() async throws {
        guard let stage = try await Self.stage() else { return }
        let source = Compiling.scheduler("#define FILE \"/etc/passwd\"\n#include FILE")
        let result = await stage.run(source: source, name: "x.bpf.c", typesHeader: Compiling.fewTypes)
        #expect(result.report.verdict == .failed && result.object == nil)
        #expect(!result.report.log.contains("root:"))
    }

    @Test func nothingIsSharedAndTheFilterIsGivenOn() {
        let limits = SandboxChild.Limits(memory: 1, file: 1, cpuSeconds: 1, milliseconds: 1, output: 1)
        let arguments = Sandbox.bubblewrapArguments(
            for: .init(
                program: "/bin/cc", arguments: ["-c", "x"], folder: "/tmp/job", readable: ["/inc"], limits: limits))
        for wanted in ["--unshare-all", "--die-with-parent", "--new-session"] { #expect(arguments.contains(wanted)) }
        #expect(zip(arguments, arguments.dropFirst()).contains { $0 == ("--seccomp", "3") })
        // Only the job's own folder is bound for writing.
        #expect(arguments.filter { $0 == "--bind" }.count == 1)
        #expect(Array(arguments.suffix(4)) == ["--", "/bin/cc", "-c", "x"])
    }
}
