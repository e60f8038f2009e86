import Linux
package import Model
import Subprocess

/// The compiler for BPF, as it was found on this machine.
package struct CompileToolchain: Hashable, Sendable {
    /// The program itself, behind links and wrappers.
    package var clang: String
    /// llvm-strip or llvm-objcopy; nil where there is none, and then objects keep their DWARF.
    package var strip: String?
    /// The compiler's own headers and libraries.
    package var folders: [String]
    /// The first line of `clang --version`.
    package var version: String
    /// Options that this compiler needs and others do not know.
    package var options: [String] = []
    /// Programs that `clang` needs to run, where it is a script.
    package var interpreters: [String] = []

    package init(clang: String, strip: String?, folders: [String], version: String) {
        self.clang = clang
        self.strip = strip
        self.folders = folders
        self.version = version
    }

    /// The first of `CLANG`, every clang in PATH, and the Swift toolchains under /opt and in the home folder that can
    /// compile for BPF: the same order as scripts/build-bpf. Throws `.notFound`.
    package static func locate() async throws(Failure) -> CompileToolchain {
        var seen: Set<String> = []
        for candidate in candidates() {
            guard let resolved = SandboxFiles.resolved(candidate), seen.insert(resolved).inserted else { continue }
            if let found = await examine(candidate) { return found }
        }
        throw Failure(
            .notFound, "no clang with the bpf target on this machine",
            hint:
                "apt-get install clang llvm, or put the usr/bin of a Swift toolchain into PATH, or name one with CLANG=."
        )
    }

    private static func candidates() -> [String] {
        var found: [String] = []
        if let own = HostFile.environment("CLANG"), !own.isEmpty {
            if let path = own.contains("/") ? own : HostFile.program(own) { found.append(path) }
        }
        let folders = (HostFile.environment("PATH") ?? "/usr/bin:/bin").split(separator: ":").map(String.init)
        found += folders.map { "\($0)/clang" }
        let numbered = folders.flatMap { folder in
            ((try? Folder.names(folder)) ?? []).compactMap { name -> (Int, String)? in
                guard name.hasPrefix("clang-"), let number = Int(name.dropFirst("clang-".count)) else { return nil }
                return (number, "\(folder)/\(name)")
            }
        }
        found += numbered.sorted { $0.0 > $1.0 }.map(\.1)
        let home = HostFile.environment("HOME") ?? "/root"
        for (parent, rest) in [("/opt", "usr/bin/clang"), ("\(home)/.local/share/swiftly/toolchains", "usr/bin/clang")]
        {
            found += ((try? Folder.names(parent)) ?? []).map { "\(parent)/\($0)/\(rest)" }
        }
        return found.filter(HostFile.exists)
    }

    /// Asks a compiler what it is. It gets no input but its own options, so it is not confined.
    private static func examine(_ path: String) async -> CompileToolchain? {
        guard let targets = await say(path, "-print-targets", \.standardOutput),
            targets.split(separator: "\n").contains(where: { $0.split(separator: " ").first == "bpfel" }),
            let plan = await say(path, "-target bpfel -### -x c -c /dev/null", \.standardError)
        else { return nil }
        let lines = plan.split(separator: "\n")
        // The line of what it would run: the program first, every argument in quotes.
        guard let command = lines.first(where: { $0.contains("\"-cc1\"") }) else { return nil }
        let words = command.split(separator: "\"").map(String.init).filter { !$0.allSatisfy { $0 == " " } }
        guard let clang = words.first.flatMap(SandboxFiles.resolved), let at = words.firstIndex(of: "-resource-dir"),
            at + 1 < words.count, let resources = SandboxFiles.resolved(words[at + 1])
        else { return nil }
        let beside = clang.split(separator: "/").dropLast().map { "/" + $0 }.joined()
        let libraries = ["\(beside)/../lib"].compactMap(SandboxFiles.resolved)
        var found = CompileToolchain(
            clang: clang, strip: strip(beside: beside), folders: [resources] + libraries,
            version: lines.first.map(String.init) ?? "clang")
        // The Swift toolchain's clang moves cold code out of functions, which BPF has no way to jump to.
        let whole = "-Xclang -fno-split-cold-code"
        if await say(path, "-target bpfel \(whole) -fsyntax-only -x c /dev/null", \.standardError) != nil {
            found.options = whole.split(separator: " ").map(String.init)
        }
        return found
    }

    /// Beside the compiler first: a tool of another release may not know the object.
    private static func strip(beside folder: String) -> String? {
        let names = ["llvm-strip", "llvm-objcopy"]
        let beside = names.map { "\(folder)/\($0)" }.filter(HostFile.exists)
        return (beside + names.compactMap(HostFile.program)).first.flatMap(SandboxFiles.resolved)
    }

    private static func say(
        _ path: String, _ arguments: String, _ stream: KeyPath<ExecutionOutcome, String>
    ) async -> String? {
        let environment = Environment.custom(["LC_ALL": "C", "HOME": HostFile.environment("HOME") ?? "/"])
        let result = try? await Subprocess.run(
            .name("sh"),
            arguments: Arguments(
                ["-c", "exec \"$0\" \"$@\"", path] + arguments.split(separator: " ").map(String.init)),
            environment: environment, output: .string(limit: 64 * 1024), error: .string(limit: 64 * 1024))
        guard let result, case .exited(0) = result.terminationStatus else { return nil }
        return ExecutionOutcome(standardOutput: result.standardOutput, standardError: result.standardError)[
            keyPath: stream]
    }

    private struct ExecutionOutcome {
        let standardOutput: String
        let standardError: String
    }
}
