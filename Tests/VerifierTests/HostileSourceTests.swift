import Foundation
import Linux
import Model
import TestSupport
import Testing

@testable import Verifier

/// Sources that want something else of the compiler than an object.
@Suite(.timeLimit(.minutes(5))) struct HostileSourceTests {
    private static func run(
        _ text: String, folders: [String] = [], seconds: Int = 5, megabytes: Int = 512
    ) async throws -> CompileResult {
        try await Compiling.stage(seconds: seconds, megabytes: megabytes).run(
            source: Compiling.scheduler(text), name: "x.bpf.c", includeFolders: folders,
            typesHeader: Compiling.fewTypes)
    }

    @Test(arguments: [
        "#include \"/etc/passwd\"", "#include </etc/passwd>", "  #  include \"../../../../../../etc/passwd\"",
        "#inc\\\nlude \"/etc/passwd\"", "#/**/include /**/ \"/etc/passwd\"", "%:include \"/etc/passwd\"",
        "#include_next \"/etc/passwd\"", "#import \"/etc/passwd\"", "#embed \"/etc/passwd\"",
        "#pragma clang __debug crash", "#pragma clang module import x",
        "__asm__(\".incbin \\\"/etc/passwd\\\"\");", "asm(\".include \\\"/etc/passwd\\\"\");",
    ])
    func whatReadsOtherFilesIsNamed(_ text: String) async throws {
        let result = try await Self.run(text)
        #expect(result.report.verdict == .failed)
        #expect(result.object == nil)
        let finding = try #require(result.report.findings.first)
        #expect(finding.check == "compile-include")
        #expect(finding.location?.line == 2)
        #expect(!finding.remedy.isEmpty)
    }

    /// Comments, strings and characters are none of them.
    @Test(arguments: [
        "// #include \"/etc/passwd\"", "/*\n#include \"/etc/passwd\"\n*/", "char s[] = \"#embed\";",
        "char c = '\"'; // \"\n", "#if 0\n# error don't\n#endif",
    ])
    func whatOnlyLooksLikeItPasses(_ text: String) async throws {
        #expect(try await Self.run(text).report.verdict == .passed)
    }

    /// Spelled so that a look at the text does not find it: the walls have to.
    @Test(arguments: [
        "#define FILE \"/etc/passwd\"\n#include FILE", "#define FILE </etc/passwd>\n#include FILE",
        "#include <//etc/passwd>", "#define FILE \"../../../../../../../../etc/passwd\"\n#include FILE",
        "#define FILE \"/proc/self/environ\"\n#include FILE", "#define FILE \"/usr/include/stdio.h\"\n#include FILE",
    ])
    func whatIsHiddenFromTheLookIsStillNotRead(_ text: String) async throws {
        let result = try await Self.run(text)
        #expect(result.report.verdict == .failed)
        #expect(result.object == nil)
        #expect(!result.report.log.contains("root:"), "a line of the file is in the messages")
        #expect(!result.report.log.contains("PATH="))
    }

    @Test func theAssemblerCannotReadEither() async throws {
        let result = try await Self.run("__asm__(\".inc\" \"bin \\\"/etc/passwd\\\"\");")
        #expect(result.report.verdict == .failed)
        #expect(result.object == nil)
    }

    /// A link in a folder that the user names leads out of it: the file is readable for everyone, and not given.
    @Test func aLinkDoesNotLeadOut() async throws {
        let (folder, secret) = (try TemporaryFolder(), try TemporaryFolder())
        try secret.write(Array("int secret = 1;\n".utf8), to: "secret.h")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("inner.h"), withDestinationPath: secret.path("secret.h"))
        let result = try await Self.run("#include \"inner.h\"", folders: [folder.path])
        #expect(result.report.verdict == .failed)
        #expect(result.object == nil)
    }

    /// A system header is readable for the loader's sake, and yet it is no candidate's.
    @Test func whatTheSandboxHasToAllowIsNotIncluded() async throws {
        let library = try #require(["/usr/lib/os-release", "/etc/ld.so.cache"].first(where: HostFile.isReadable))
        let result = try await Self.run("#define FILE \"\(library)\"\n#if __has_include(FILE)\n#include FILE\n#endif")
        #expect(result.report.verdict == .failed)
    }

    @Test func aMacroThatExpandsWithoutEndIsStopped() async throws {
        var text = "#define A0 1,1,1,1,1,1,1,1,1,1\n"
        for level in 1...10 {
            let below = "A\(level - 1)"
            text += "#define A\(level) \(Array(repeating: below, count: 10).joined(separator: ","))\n"
        }
        let result = try await Self.run(text + "int all[] = { A10 };", seconds: 1, megabytes: 256)
        #expect(result.report.verdict == .failed)
        #expect(result.report.findings.contains { $0.check == "compile-limits" }, "\(result.report.findings)")
    }

    @Test func aSourceThatIncludesItselfIsStopped() async throws {
        let result = try await Self.run("#include __FILE__")
        #expect(result.report.verdict == .failed)
        #expect(result.report.findings.contains { $0.message.contains("nested too deeply") })
    }

    @Test func manyErrorsAreAFewFindings() async throws {
        let text = (0..<20_000).map { "int f\($0)(void) { return x\($0); }\n" }.joined()
        let result = try await Self.run(text)
        #expect(result.report.verdict == .failed)
        #expect((1...60).contains(result.report.findings.count))
        #expect(result.report.log.utf8.count < 64 << 10)
    }

    @Test func aHugeObjectIsRefused() async throws {
        let result = try await Self.run("char huge[9 << 20] = { 1 };")
        #expect(result.report.verdict == .failed)
        #expect(result.report.findings.map(\.check) == ["compile-limits"])
        // The compiler's file limit comes first.
        let more = try await Self.run("char huge[60 << 20] = { 1 };")
        #expect(more.report.verdict == .failed)
        #expect(more.report.findings.contains { $0.check == "compile-limits" }, "\(more.report.findings)")
    }

    @Test func aHugeSourceIsNotCompiled() async throws {
        let result = try await Self.run(String(repeating: "/* */\n", count: 200_000))
        #expect(result.report.findings.map(\.check) == ["compile-limits"])
    }

    @Test func aSourceWithNULIsNotCompiled() async throws {
        #expect(try await Self.run("int x;\0").report.findings.first?.message.contains("NUL") == true)
    }

    @Test func anIncludeFolderThatIsNoneIsNamed() async throws {
        let result = try await Self.run("", folders: ["/nonexistent/include"])
        #expect(result.report.findings.first?.message.contains("/nonexistent/include") == true)
    }
}
