import Foundation
import Linux
import Model
import TestSupport
import Testing

@testable import Verifier

@Suite(.timeLimit(.minutes(5))) struct CompileStageTests {
    private static func shipped(_ name: String) throws -> [UInt8] {
        try TextFile.readBytes("\(Checkout.root)/bpf/\(name).bpf.c", limit: 1 << 20)
    }

    @Test(arguments: Checkout.schedulers) func aShippedSchedulerCompiles(_ name: String) async throws {
        let stage = try await Compiling.stage()
        let result = await stage.run(
            source: try Self.shipped(name), name: "\(name).bpf.c", typesHeader: try await Compiling.kernelTypes())
        #expect(result.report.verdict == .passed, "\(result.report.log)")
        #expect(result.report.findings == [])
        let object = try #require(result.object)
        #expect(object.starts(with: [0x7f, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")]))
        #expect(result.report.measurements.contains { $0.name == "compile.object" && Int($0.value) == object.count })
    }

    /// Each primitive by itself, as a client's source names it.
    @Test(arguments: ["bounded-priority", "hint-map", "idle-cpu", "llc-queue", "vtime-queue"])
    func aPrimitiveIsIncludedByName(_ name: String) async throws {
        let result = try await Compiling.stage().run(
            source: Compiling.scheduler("#include <primitives/\(name).bpf.h>"), name: "x.bpf.c",
            typesHeader: try await Compiling.kernelTypes())
        #expect(result.report.verdict == .passed, "\(result.report.log)")
        #expect(result.object != nil)
    }

    /// The scheduler of primitives that the documentation shows is one of the corpus, which is verified as a whole.
    @Test func theDocumentedSchedulerOfPrimitivesCompiles() async throws {
        let source = try TextFile.readBytes("\(Checkout.root)/Tests/Corpus/good/levels.bpf.c", limit: 1 << 16)
        let documentation = try TextFile.read("\(Checkout.root)/docs/schedulers.md", limit: 1 << 20)
        #expect(documentation.contains("```c\n\(String(decoding: source, as: UTF8.self))```"))
        let result = try await Compiling.stage().run(
            source: source, name: "levels.bpf.c", typesHeader: try await Compiling.kernelTypes())
        #expect(result.report.verdict == .passed, "\(result.report.log)")
        #expect(result.report.findings == [])
    }

    /// Two compilations lie in two folders.
    @Test func theSameSourceGivesTheSameBytes() async throws {
        let stage = try await Compiling.stage()
        let source = Compiling.scheduler("char when[] = __DATE__ __TIME__ __TIMESTAMP__ __FILE__;")
        var objects: [[UInt8]] = []
        for _ in 0..<2 {
            let result = await stage.run(source: source, name: "x.bpf.c", typesHeader: Compiling.fewTypes)
            objects.append(try #require(result.object, "\(result.report.log)"))
        }
        #expect(objects[0] == objects[1])
        let text = String(decoding: objects[0], as: UTF8.self)
        #expect(!text.contains("schedcp-compile"), "the compilation's folder is in the object")
        #expect(!text.contains(Checkout.root), "the checkout's folder is in the object")
    }

    @Test func whatTheCompilerSaysIsAFinding() async throws {
        let source =
            "#include \"vmlinux.h\"\nint f(void)\n{\n\tint unused;\n\tunused = 1;\n}\nint g(void) { return nowhere; }\n"
        let result = try await Compiling.stage().run(
            source: Array(source.utf8), name: "dir/bad.bpf.c", typesHeader: Compiling.fewTypes)
        #expect(result.report.verdict == .failed)
        #expect(result.object == nil)
        let error = try #require(result.report.findings.first { $0.severity == .error })
        #expect(error.check == "compile" && error.message.contains("nowhere"))
        #expect(
            error.location
                == SourceLocation(file: "dir/bad.bpf.c", line: 7, column: 22, text: "int g(void) { return nowhere; }"))
        let warning = result.report.findings.first { $0.detail == "-Wreturn-type" }
        #expect(warning?.severity == .warning && warning?.location?.line == 6)
        #expect(result.report.checks.contains(CheckOutcome(check: "compile", verdict: .refuted)))
    }

    @Test func aWarningDoesNotRefuse() async throws {
        let source = Compiling.scheduler("static int idle(void) { return 1; }")
        let result = try await Compiling.stage().run(
            source: source, name: "x.bpf.c", typesHeader: Compiling.fewTypes)
        #expect(result.report.verdict == .passed)
        #expect(result.report.findings.map(\.severity) == [.warning])
    }

    @Test func aFolderOfTheUserIsSearchedAfterOurs() async throws {
        let folder = try TemporaryFolder()
        try folder.write(Array("#define ANSWER 42\n".utf8), to: "own/answer.h")
        try folder.write(Array("#error the user's vmlinux.h was taken\n".utf8), to: "vmlinux.h")
        let source = Compiling.scheduler("#include <own/answer.h>\nint answer = ANSWER;")
        let stage = try await Compiling.stage()
        let result = await stage.run(
            source: source, name: "x.bpf.c", includeFolders: [folder.path], typesHeader: Compiling.fewTypes)
        #expect(result.report.verdict == .passed, "\(result.report.log)")
        let without = await stage.run(source: source, name: "x.bpf.c", typesHeader: Compiling.fewTypes)
        #expect(without.report.verdict == .failed)
        #expect(without.report.findings.first?.remedy.contains("-I") == true)
    }

    @Test func anErrorInAHeaderNamesWhoIncludedIt() async throws {
        let folder = try TemporaryFolder()
        try folder.write(Array("int a = \"\";\n#error no\n".utf8), to: "broken.h")
        let result = try await Compiling.stage().run(
            source: Compiling.scheduler("#include \"broken.h\""), name: "x.bpf.c", includeFolders: [folder.path],
            typesHeader: Compiling.fewTypes)
        let error = try #require(result.report.findings.first { $0.message.contains("no") && $0.severity == .error })
        #expect(error.location?.file.hasSuffix("broken.h") == true)
        #expect(error.path.first?.location.file == "x.bpf.c")
    }

    @Test func aNameThatIsNoneIsReplacedInTheObjectOnly() async throws {
        let result = try await Compiling.stage().run(
            source: Array("int f(void) { return x; }".utf8), name: "-o /etc/passwd;.c", typesHeader: Compiling.fewTypes)
        #expect(result.report.findings.first?.location?.file == "-o /etc/passwd;.c")
    }

    @Test func theFolderOfACompilationGoesWithIt() async throws {
        var folder: CompileFolder? = try CompileFolder(
            source: [], name: "x.bpf.c", headers: try await Compiling.stage().headers, typesHeader: [], reading: [])
        let path = try #require(folder?.path)
        #expect(HostFile.exists("\(path)/include/schedcp/scheduler.bpf.h"))
        folder = nil
        #expect(!HostFile.exists(path))
    }

    @Test func everythingThatDecidesAnObjectIsInTheFingerprint() async throws {
        let stage = try await Compiling.stage()
        var other = stage.toolchain
        other.version += " patched"
        let changed = CompileStage(toolchain: other, headers: stage.headers, sandbox: stage.sandbox)
        #expect(stage.fingerprint.count == 64)
        #expect(stage.fingerprint != changed.fingerprint)
    }

    /// Where another user cannot get at what is to be read, the compiler stays this user, and still has no capability.
    @Test func aFolderThatOnlyItsOwnerCanEnterIsRead() async throws {
        let folder = try TemporaryFolder()
        try folder.write(Array("int inner = 1;\n".utf8), to: "private/inner.h")
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.path("private"))
        #expect(!SandboxFiles.isOpenToEveryone(folder.path("private/inner.h")))
        let result = try await Compiling.stage().run(
            source: Compiling.scheduler("#include \"inner.h\""), name: "x.bpf.c",
            includeFolders: [folder.path("private")],
            typesHeader: Compiling.fewTypes)
        #expect(result.report.verdict == .passed, "\(result.report.log)")
    }
}
